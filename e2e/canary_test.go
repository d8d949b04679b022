package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
)

// canary is a secret that must be nowhere but in memory.
type canary struct {
	name  string
	bytes []byte
}

// canaries are the forms in which a secret might be written down.
func canaries(name string, secret []byte) []canary {
	return []canary{
		{name, secret},
		{name + " in hex", []byte(hex.EncodeToString(secret))},
		{name + " in upper hex", []byte(strings.ToUpper(hex.EncodeToString(secret)))},
		{name + " in base64", bytes.TrimRight([]byte(base64.StdEncoding.EncodeToString(secret)), "=")},
		{name + " in url base64", bytes.TrimRight([]byte(base64.RawURLEncoding.EncodeToString(secret)), "=")},
		{name + " as decimal bytes", []byte(strings.Trim(fmt.Sprint(secret), "[]"))},
	}
}

// TestNoPlaintextAnywhere runs a sealed job and looks for the media and the keys
// in every file of the deployment (objects, journals, logs, events, temporary
// files), in every record and in the arguments and environment of every process
// while it runs (invariants 1 and 2).
func TestNoPlaintextAnywhere(t *testing.T) {
	name, key := unique(t), wrapped(t)
	marker := noise(48)
	secrets := canaries("the media", marker)
	secrets = append(secrets, canaries("the input's key", plainKey(t, *key))...)
	file := marked(t, marker)
	quiet(t)
	watch := watchProcesses()
	upload(t, name+".mp4", file, key)
	rec := completed(t, submit(t, everyKind(name, key)))
	quiet(t)
	seen := watch.stop()

	for i, o := range rec.Job.Outputs {
		secrets = append(secrets, canaries(fmt.Sprintf("the key of output %d", i), plainKey(t, *o.Encryption))...)
	}
	web := fetch(t, rec, 1, name+"/web.mp4")
	secrets = append(secrets, canary{"the film", web[len(web)/2 : len(web)/2+32]}, canary{"the sound", web[len(web)-64 : len(web)-32]})
	segment := fetch(t, rec, 0, name+"/hls00000.ts")
	secrets = append(secrets, canary{"a segment", segment[188*20+40 : 188*20+80]})

	where := search(t, secrets, site.dir)
	where = append(where, find(secrets, "a process", seen)...)
	where = append(where, searchObjects(t, secrets)...)
	for _, place := range where {
		t.Error(place)
	}
	if len(watch.contained) == 0 {
		t.Error("ffmpeg was not seen at work")
	}
	for environment := range watch.contained {
		if strings.Contains(environment, "AWS") || strings.Contains(environment, "SEALREEL") {
			t.Errorf("ffmpeg has the environment %q (invariant 10)", environment)
		}
	}
	checkFinders(t, secrets, rec)
}

// checkFinders plants each secret and finds it, so that silence means something.
func checkFinders(t *testing.T, secrets []canary, rec *ledger.Record) {
	t.Helper()
	dir := t.TempDir()
	for i, c := range secrets {
		planted := append(append(noise(1<<20-17), c.bytes...), noise(100)...) // across the reader's blocks
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), planted, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := search(t, secrets, dir); len(got) < len(secrets) {
		t.Errorf("of %d planted secrets %d are found", len(secrets), len(got))
	}
	if got := search(t, []canary{{"the job", []byte(rec.Job.ID)}}, site.dir); len(got) == 0 {
		t.Error("the deployment's files do not even hold the job's id")
	}
}

// plainKey unwraps a key as its owner does.
func plainKey(t *testing.T, e job.Encryption) []byte {
	t.Helper()
	m, err := keyring(t).Unwrap(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(m.Key.Bytes())
}

// marked is a film that has the marker in its tags, as an attachment, and in
// pictures and sound that are not compressed.
func marked(t *testing.T, marker []byte) string {
	t.Helper()
	attachment := save(t, "note.txt", bytes.Repeat(marker, 400))
	return clip(t, "in.mkv", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=6", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=6",
		"-attach", attachment, "-metadata:s:t", "mimetype=text/plain", "-metadata", "title="+hex.EncodeToString(marker),
		"-metadata", "comment="+base64.StdEncoding.EncodeToString(marker),
		"-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-shortest")
}

// search looks for secrets in every file under a folder.
func search(t *testing.T, secrets []canary, dir string) []string {
	t.Helper()
	var where []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // gone by now, or no file
		}
		f, err := os.Open(path)
		if err != nil {
			return nil
		}
		defer f.Close()
		where = append(where, findIn(secrets, path, f)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// findIn looks for secrets in a stream of any length.
func findIn(secrets []canary, place string, r io.Reader) []string {
	const overlap = 256 // more than the longest form of a secret
	var where []string
	buf := make([]byte, 0, 1<<20)
	for {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		where = append(where, find(secrets, place, buf)...)
		if err != nil {
			return where
		}
		kept := copy(buf, buf[len(buf)-overlap:])
		buf = buf[:kept]
	}
}

func find(secrets []canary, place string, b []byte) []string {
	var where []string
	for _, c := range secrets {
		if bytes.Contains(b, c.bytes) {
			where = append(where, c.name+" is in "+place)
		}
	}
	return where
}

// searchObjects looks into every object that can be read without a customer key.
func searchObjects(t *testing.T, secrets []canary) []string {
	t.Helper()
	var where []string
	for _, bucket := range []string{site.state, site.work, site.output} {
		for key, err := range site.store.Keys(t.Context(), bucket, "") {
			if err != nil {
				t.Fatal(err)
			}
			if body, _, err := site.store.Get(t.Context(), bucket, key); err == nil {
				where = append(where, find(secrets, bucket+"/"+key, body)...)
			}
		}
	}
	return where
}

// processWatch gathers the arguments, environments and open files of all
// descendants of this process.
type processWatch struct {
	quit chan struct{}
	done sync.WaitGroup
	seen map[string]bool

	contained map[string]bool // environments of ffmpeg and ffprobe
}

func watchProcesses() *processWatch {
	w := &processWatch{quit: make(chan struct{}), seen: map[string]bool{}, contained: map[string]bool{}}
	w.done.Go(func() {
		for {
			w.look(os.Getpid())
			select {
			case <-w.quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return w
}

func (w *processWatch) look(parent int) {
	for _, pid := range children(parent) {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		arguments, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		w.seen[string(arguments)], w.seen[string(environment)] = true, true
		if bytes.Contains(arguments, []byte("-protocol_whitelist")) && len(environment) > 0 {
			w.contained[string(environment)] = true
		}
		w.look(pid)
	}
}

// stop returns all that was seen.
func (w *processWatch) stop() []byte {
	close(w.quit)
	w.done.Wait()
	var all bytes.Buffer
	for text := range w.seen {
		all.WriteString(text)
		all.WriteByte('\n')
	}
	return all.Bytes()
}

// TestFunctionsLeaveNoFiles: no function writes a file at all.
func TestFunctionsLeaveNoFiles(t *testing.T) {
	name, key := unique(t), wrapped(t)
	upload(t, name+".mp4", brief(t), key)
	completed(t, submit(t, sealedFile(name+".mp4", name+"/", key)))
	quiet(t)
	err := filepath.WalkDir(filepath.Join(site.dir, "tmp"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			t.Errorf("a function left %s", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
