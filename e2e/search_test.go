package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// needle is one of the forms in which a secret might be written down.
type needle struct {
	secret, form string
	bytes        []byte
}

// hit is a needle that was found.
type hit struct{ secret, form, place string }

func (h hit) String() string { return h.secret + ", " + h.form + ", is in " + h.place }

// keyForms are the needles of a key: the bytes, and all that encoders and
// formatters are likely to make of them, alone or in the midst of other bytes.
func keyForms(name string, key []byte) []needle {
	spaced := strings.Trim(fmt.Sprint(key), "[]")
	forms := map[string]string{
		"upper hex": strings.ToUpper(hex.EncodeToString(key)), "spaced hex": fmt.Sprintf("% x", key),
		"hex with colons": strings.ReplaceAll(fmt.Sprintf("% x", key), " ", ":"),
		"decimal bytes":   spaced, "a list of bytes": strings.ReplaceAll(spaced, " ", ","), "a spaced list of bytes": strings.ReplaceAll(spaced, " ", ", "),
		"Go bytes": strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", key), "[]byte{"), "}"),
		"quoted":   strings.Trim(strconv.Quote(string(key)), `"`), "quoted ASCII": strings.Trim(strconv.QuoteToASCII(string(key)), `"`),
		"percent-encoded": url.QueryEscape(string(key)),
	}
	all := mediaForms(name, key)
	for form, text := range forms {
		all = append(all, needle{name, form, []byte(text)})
	}
	for _, twice := range []string{base64.StdEncoding.EncodeToString(key), hex.EncodeToString(key)} {
		all = append(all, base64Forms(name, "base64 of text", []byte(twice))...)
	}
	return all
}

// mediaForms are the needles of a piece of media.
func mediaForms(name string, piece []byte) []needle {
	return append(base64Forms(name, "base64", piece), needle{name, "plain", piece}, needle{name, "hex", []byte(hex.EncodeToString(piece))})
}

// base64Forms are the digits that depend on the secret alone, wherever it begins
// in what was encoded.
func base64Forms(name, form string, secret []byte) []needle {
	var all []needle
	for what, encoding := range map[string]*base64.Encoding{"": base64.RawStdEncoding, "url ": base64.RawURLEncoding} {
		for shift := range 3 {
			text := encoding.EncodeToString(slices.Concat(make([]byte, shift), secret))
			text = text[(8*shift+5)/6 : 8*(shift+len(secret))/6]
			all = append(all, needle{name, fmt.Sprintf("%s%s at %d", what, form, shift), []byte(text)})
		}
	}
	return all
}

// searcher finds any of many needles in one pass.
type searcher struct {
	needles []needle
	leads   [1 << 16]bool // of the first two bytes
	by      map[[8]byte][]needle
	longest int
}

const shortest = 12 // bytes of a needle; what is shorter is found by chance

func newSearcher(t *testing.T, needles []needle) *searcher {
	t.Helper()
	s := &searcher{needles: needles, by: map[[8]byte][]needle{}}
	for _, n := range needles {
		if len(n.bytes) < shortest {
			t.Fatalf("%s, %s, has %d bytes, too few to look for", n.secret, n.form, len(n.bytes))
		}
		lead := [8]byte(n.bytes)
		s.leads[int(lead[0])<<8|int(lead[1])] = true
		s.by[lead] = append(s.by[lead], n)
		s.longest = max(s.longest, len(n.bytes))
	}
	return s
}

// scan finds the needles in b. Nothing is shared in it, and the race detector
// would make it ten times slower.
//
//go:norace
func (s *searcher) scan(place string, b []byte) []hit {
	found := map[hit]bool{}
	for i := 0; i+shortest <= len(b); i++ {
		if !s.leads[int(b[i])<<8|int(b[i+1])] {
			continue
		}
		for _, n := range s.by[[8]byte(b[i:])] {
			if bytes.HasPrefix(b[i:], n.bytes) {
				found[hit{n.secret, n.form, place}] = true
			}
		}
	}
	var hits []hit
	for h := range found {
		hits = append(hits, h)
	}
	return hits
}

// read finds the needles in a stream of any length.
func (s *searcher) read(place string, r io.Reader) (hits []hit, size int64) {
	buf := make([]byte, 0, 1<<20)
	for {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		size += int64(n)
		buf = buf[:len(buf)+n]
		hits = append(hits, s.scan(place, buf)...)
		if err != nil {
			return hits, size
		}
		buf = buf[:copy(buf, buf[len(buf)-s.longest:])]
	}
}

// tally is what was searched.
type tally struct {
	files int
	bytes int64
}

func (a tally) String() string { return fmt.Sprintf("%d files of %d bytes", a.files, a.bytes) }

// files searches the content and the names of all files under a folder, of those
// that were changed since a time.
func (s *searcher) files(t *testing.T, dir string, since time.Time, skip ...string) (hits []hit, seen tally) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() && slices.Contains(skip, path) {
			return fs.SkipDir
		}
		if err != nil || !entry.Type().IsRegular() {
			return nil // gone by now, another's, or no file
		}
		if info, err := entry.Info(); err != nil || info.ModTime().Before(since) {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return nil
		}
		defer f.Close()
		found, size := s.read(path, f)
		hits = append(append(hits, found...), s.scan("the name "+path, []byte(path))...)
		seen.files++
		seen.bytes += size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hits, seen
}

// TestSearcherFindsAllForms hides each form of a secret across the blocks that a
// stream is read in, and not quite a secret beside it.
func TestSearcherFindsAllForms(t *testing.T) {
	secret := noise(32)
	needles := keyForms("the key", secret)
	s := newSearcher(t, needles)
	near := newSearcher(t, keyForms("the key", noise(32)))
	for _, n := range needles {
		for _, before := range []int{0, 1, 1<<20 - 1, 1<<20 - 17, 1 << 20, 2<<20 - 40} {
			text := slices.Concat(noise(before), n.bytes, noise(before%100))
			hits, size := s.read("x", bytes.NewReader(text))
			if !slices.Contains(hits, hit{n.secret, n.form, "x"}) || size != int64(len(text)) {
				t.Errorf("%s behind %d bytes is not found", n.form, before)
			}
			if hits, _ := near.read("x", bytes.NewReader(text)); len(hits) > 0 {
				t.Errorf("found %v, which is not there", hits)
			}
		}
	}
	for shift := range 7 {
		text := base64.StdEncoding.EncodeToString(slices.Concat(noise(shift), secret, noise(3)))
		if len(s.scan("x", []byte(text))) == 0 {
			t.Errorf("the key behind %d bytes is not found in base64", shift)
		}
	}
}
