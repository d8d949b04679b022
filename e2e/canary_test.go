package e2e

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/vault"
	"sealreel/pkg/work"
)

// allModes are those of an input and of an output; "" is none.
var allModes = []string{"", job.ModeS3, job.ModeS3KMS, job.ModeSSEC, job.ModeCBC, job.ModeCTR, job.ModeGCM, job.ModeS3EC}

// open says whether S3 gives an object in the mode as plaintext to whoever may
// read it.
func open(mode string) bool { return mode == "" || mode == job.ModeS3 || mode == job.ModeS3KMS }

// canary is a job in one mode in and another one out, over a film of its own that
// no other job has a byte of.
type canary struct {
	name, in, out string
	marks         map[string][]byte // in the film: picture, sound, title and attachment
	film          []byte
	input         *job.Encryption
	inputKey      []byte // of the modes that are encrypted here
	id            string
	rec           *ledger.Record
}

// flight are the canaries of all modes and what was seen while their jobs ran.
type flight struct {
	canaries []*canary
	watch    *watch
	lines    int // that the functions logged
}

var flown *flight

// fly runs a job for each mode in, and with them each mode out: single files and
// segments, with keys of the user's and generated ones. It does so once for all
// tests that ask.
func fly(t *testing.T) *flight {
	t.Helper()
	if flown != nil {
		return flown
	}
	f := &flight{}
	var start []func()
	for i, mode := range allModes {
		c := &canary{name: fmt.Sprintf("%s-%d", unique(t), i), in: mode, out: allModes[(i+3)%len(allModes)]}
		c.film, c.marks = markedFilm(t)
		start = append(start, c.prepare(t))
		f.canaries = append(f.canaries, c)
	}
	quiet(t)
	before := logLines(t)
	f.watch = startWatch()
	for _, run := range start {
		run()
	}
	for _, c := range f.canaries {
		c.rec = completed(t, c.id)
	}
	quiet(t)
	f.watch.stop()
	f.lines = logLines(t) - before
	flown = f
	return f
}

// prepare encrypts the film and returns what drops the job and the film.
func (c *canary) prepare(t *testing.T) func() {
	stored, metadata := c.film, map[string]string(nil)
	var drop *job.Encryption // what S3 encrypts the film with
	switch c.in {
	case "":
	case job.ModeS3, job.ModeS3KMS:
		c.input = &job.Encryption{Mode: c.in}
		drop = c.input
	case job.ModeSSEC:
		c.input = wrapped(t)
		drop = c.input
	case job.ModeS3EC:
		c.input = &job.Encryption{Mode: c.in}
		stored, metadata = enveloped(t, c.film)
	default:
		var iv []byte
		c.input, c.inputKey, iv = cipherKey(t, c.in, 256, 16)
		stored = crypt(t, false, c.in, c.inputKey, iv, c.film)
	}
	file, segments := c.output(t), c.output(t)
	if segments != nil && segments.Key != "" {
		segments = &job.Encryption{Mode: c.out} // with a generated key
	}
	return func() {
		c.id = submit(t, job.Request{
			Inputs:          []job.Input{{Key: c.name, Encryption: c.input}},
			OutputKeyPrefix: c.name + "/",
			Outputs: []job.Output{
				{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4", Encryption: segments},
				{Key: "web.mp4", PresetID: systemPreset + "000040", Encryption: file},
			},
			Playlists: []job.Playlist{{Name: "master", Format: "HLSv3", OutputKeys: []string{"hls"}}},
		})
		eventually(t, time.Minute, "a job that waits", func() bool { // so that the film is no drop of its own
			rec, err := site.ledger.Job(t.Context(), c.id)
			return err == nil && rec.Waiting
		})
		if metadata != nil {
			uploadEnveloped(t, c.name, stored, metadata)
		} else {
			version(t, c.name, stored, drop)
		}
	}
}

func (c *canary) output(t *testing.T) *job.Encryption {
	switch c.out {
	case "":
		return nil
	case job.ModeCBC, job.ModeCTR, job.ModeGCM:
		e, _, _ := cipherKey(t, c.out, 256, 16)
		return e
	}
	return &job.Encryption{Mode: c.out}
}

// markedFilm is a film of five seconds of which picture and sound are not
// compressed, with marks in both, in its title and in a file that is attached.
func markedFilm(t *testing.T) ([]byte, map[string][]byte) {
	t.Helper()
	const width, height, rate, seconds = 128, 96, 10, 5
	marks := map[string][]byte{"picture": noise(48), "sound": noise(48), "attachment": noise(48), "title": []byte("canary " + hex.EncodeToString(noise(16)))}
	var picture []byte
	row := bytes.Repeat(marks["picture"], width*height*3/2/48+2)
	for n := range rate * seconds { // the pattern moves
		picture = append(picture, row[n%48:][:width*height*3/2]...)
	}
	film := clip(t, "in.mkv", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", width, height), "-r", fmt.Sprint(rate), "-i", save(t, "picture", picture),
		"-f", "s16le", "-ar", "48000", "-ac", "1", "-i", save(t, "sound", bytes.Repeat(marks["sound"], 2*48000*seconds/48)),
		"-attach", save(t, "note.txt", bytes.Repeat(marks["attachment"], 400)), "-metadata:s:t", "mimetype=text/plain", "-metadata", "title="+string(marks["title"]), "-c", "copy")
	body := read(t, film)
	for name, mark := range marks {
		if !bytes.Contains(body, mark) {
			t.Fatalf("the film does not have the mark of its %s", name)
		}
	}
	tests, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(film)), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range tests { // for a search of all of /tmp
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	return body, marks
}

// decrypted is a stored object as its owner reads it.
type decrypted struct {
	canary       *canary
	bucket, name string
	body         []byte
}

func (d decrypted) String() string { return d.bucket + "/" + d.name }

// outputs are the files of both outputs, decrypted.
func (c *canary) outputs(t *testing.T) []decrypted {
	t.Helper()
	var all []decrypted
	for _, name := range keys(t, c.name+"/") {
		if strings.HasSuffix(name, ".m3u8") {
			continue
		}
		output := 0
		if strings.HasSuffix(name, ".mp4") {
			output = 1
		}
		var body []byte
		switch e := c.rec.Job.Outputs[output].Encryption; c.out {
		case "", job.ModeS3, job.ModeS3KMS, job.ModeSSEC:
			body = fetch(t, c.rec, output, name)
		case job.ModeS3EC:
			body, _ = opened(t, name)
		default:
			sealed, metadata := stored(t, name)
			body = crypt(t, true, c.out, unwrapped(t, e), []byte(decoded(t, metadata[vault.MetadataIV])), sealed)
		}
		all = append(all, decrypted{c, site.output, name, body})
	}
	return all
}

// works are the files that the job's functions passed to each other, decrypted.
func (c *canary) works(t *testing.T) []decrypted {
	t.Helper()
	p := planOf(t, c.id)
	ring := seal.NewKeyring(kmskeys.New(site.aws), "", p.Keys.Context)
	defer ring.Close()
	m, err := ring.Unwrap(t.Context(), p.Keys.Work)
	if err != nil {
		t.Fatal(err)
	}
	var all []decrypted
	for name, err := range site.store.Keys(t.Context(), site.work, c.id+"/") {
		if err != nil {
			t.Fatal(err)
		}
		sealed, _, err := site.store.Get(t.Context(), site.work, name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := work.NewReader(bytes.NewReader(sealed), m.Key, site.work+"/"+name)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		all = append(all, decrypted{c, site.work, name, body.Bytes()})
	}
	return all
}

// dropped is the film as it is stored, decrypted.
func (c *canary) dropped(t *testing.T) decrypted {
	t.Helper()
	d := decrypted{canary: c, bucket: site.ingest, name: c.name}
	o := s3store.Object{Bucket: site.ingest, Key: c.name}
	var m *seal.Material
	if c.in == job.ModeSSEC {
		var err error
		if m, err = keyring(t).Unwrap(t.Context(), *c.input); err != nil {
			t.Fatal(err)
		}
	}
	info, err := site.store.Head(t.Context(), o, m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := site.store.ReadRange(t.Context(), o, m, 0, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	switch c.in {
	case job.ModeCBC, job.ModeCTR, job.ModeGCM:
		d.body = crypt(t, true, c.in, c.inputKey, []byte(decoded(t, c.input.InitializationVector)), body.Bytes())
	case job.ModeS3EC:
		key, err := kmskeys.New(site.aws).Decrypt(t.Context(), []byte(decoded(t, info.Metadata["x-amz-key-v2"])), site.keyARN, clientContext)
		if err != nil {
			t.Fatal(err)
		}
		d.body = crypt(t, true, job.ModeGCM, key, []byte(decoded(t, info.Metadata["x-amz-iv"])), body.Bytes())
	default:
		d.body = body.Bytes()
	}
	return d
}

// samples are pieces of a file by which it can be told from everything else: no
// runs of one byte, and no text.
func (d decrypted) samples() [][]byte {
	const size, most = 32, 8
	var all [][]byte
	for i := range 64 {
		at := i * (len(d.body) - size) / 64
		if at < 0 || len(all) == most {
			break
		}
		distinct := map[byte]bool{}
		for _, b := range d.body[at : at+size] {
			distinct[b] = true
		}
		if piece := d.body[at : at+size]; len(distinct) > 22 {
			all = append(all, piece)
		}
	}
	return all
}

// TestNoPlaintextAnywhere runs jobs in every mode in and out and looks for the
// media and the keys in every object of the deployment, at rest and as S3 gives
// it, in every message, log and file, in /tmp, and in the arguments, environment
// and open files of every process while they run (invariants 1 and 2). It finds
// them where it decrypts, and finds what it plants in each of these places.
func TestNoPlaintextAnywhere(t *testing.T) {
	f := fly(t)
	var whole []decrypted
	var needles []needle
	of := map[string]*canary{} // whose media a secret is
	for _, c := range f.canaries {
		in := c.dropped(t)
		for name, mark := range c.marks {
			secret := "the " + name + " of " + c.name
			needles, of[secret] = append(needles, mediaForms(secret, mark)...), c
			if !bytes.Contains(in.body, mark) {
				t.Errorf("%s is not in the input, decrypted", secret)
			}
		}
		whole = append(append(append(whole, in), c.outputs(t)...), c.works(t)...)
	}
	for _, d := range whole {
		for n, piece := range d.samples() {
			secret := fmt.Sprintf("piece %d of %s", n, d)
			needles, of[secret] = append(needles, mediaForms(secret, piece)...), d.canary
		}
	}
	needles = owned(t, needles, of, whole)
	for secret, key := range harvest(t) {
		needles = append(needles, keyForms("the key "+secret, key)...)
	}
	planted := plants()
	for _, p := range planted {
		needles = append(needles, keyForms(p.secret, p.bytes)...)
	}
	s := newSearcher(t, needles)
	hits := search(t, s, f.watch, plant(t, planted))
	checkPlants(t, planted, hits)
	served := map[string]bool{}
	for _, h := range hits {
		switch c := of[h.secret]; {
		case slices.ContainsFunc(planted, func(p planting) bool { return p.secret == h.secret }):
		case c != nil && h.form == "plain" && c.mayShow(h.place):
			served[h.place] = true
		default:
			t.Error(h)
		}
	}
	checkServed(t, f, served)
	f.checkProcesses(t)
	t.Logf("%d jobs logged %d lines; %d files were decrypted; looked for %d forms of %d secrets", len(f.canaries), f.lines, len(whole), len(needles), distinct(needles))
}

// distinct counts the secrets that needles are of.
func distinct(needles []needle) int {
	all := map[string]bool{}
	for _, n := range needles {
		all[n.secret] = true
	}
	return len(all)
}

// mayShow says whether S3 gives the canary's own media to whoever reads the
// object that a place is, as its job asked.
func (c *canary) mayShow(place string) bool {
	return open(c.in) && place == servedAs(site.ingest, c.name) || open(c.out) && strings.HasPrefix(place, servedAs(site.output, c.name+"/"))
}

// checkServed: every object that its job left open was seen to hold its media,
// so that the others would have been.
func checkServed(t *testing.T, f *flight, served map[string]bool) {
	t.Helper()
	want := 0
	for _, c := range f.canaries {
		if open(c.in) {
			want++
			if !served[servedAs(site.ingest, c.name)] {
				t.Errorf("the open input in mode %q is not seen to hold its media", c.in)
			}
		}
		if !open(c.out) {
			continue
		}
		for _, d := range c.outputs(t) {
			want++
			if !served[servedAs(d.bucket, d.name)] {
				t.Errorf("the open output %s is not seen to hold its media", d)
			}
		}
	}
	if len(served) != want {
		t.Errorf("%d objects hold plaintext, want %d", len(served), want)
	}
}

// owned leaves out the needles of what is not a film's own, such as the settings
// of the encoder. In each file that is decrypted it must find one that is left.
func owned(t *testing.T, needles []needle, of map[string]*canary, whole []decrypted) []needle {
	t.Helper()
	s := newSearcher(t, needles)
	common := map[string]bool{}
	for _, d := range whole {
		for _, h := range s.scan(d.String(), d.body) {
			if of[h.secret] != d.canary {
				common[h.secret] = true
			}
		}
	}
	needles = slices.DeleteFunc(needles, func(n needle) bool { return common[n.secret] })
	s = newSearcher(t, needles)
	for _, d := range whole {
		if len(d.body) > 1000 && len(s.scan(d.String(), d.body)) == 0 {
			t.Errorf("in %s, decrypted, nothing is found", d)
		}
	}
	t.Logf("%d pieces are not a film's own", len(common))
	return needles
}

func (f *flight) checkProcesses(t *testing.T) {
	t.Helper()
	if len(f.watch.contained) == 0 {
		t.Error("ffmpeg was not seen at work")
	}
	for environment := range f.watch.contained {
		if strings.Contains(environment, "AWS") || strings.Contains(environment, "SEALREEL") {
			t.Errorf("ffmpeg has the environment %q (invariant 10)", environment)
		}
	}
	for file := range f.watch.written {
		t.Errorf("a function, or what it started, writes to the file %s", file)
	}
}

// TestFunctionsLeaveNoFiles: no function writes a file at all.
func TestFunctionsLeaveNoFiles(t *testing.T) {
	f := fly(t)
	for name := range f.watch.transient {
		if strings.HasPrefix(name, filepath.Join(site.dir, "tmp")) {
			t.Errorf("a function wrote %s", name)
		}
	}
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
