package e2e

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
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
