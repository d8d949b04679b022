package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

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
