// Package vectors_test holds package aesstream against Project Wycheproof's test
// vectors. It is a module of its own, so that nothing else needs that project.
package vectors_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"testing"
	"testing/iotest"

	"github.com/c2sp/wycheproof"

	"sealreel/pkg/aesstream"
)

// file is a file of vectors, in the members that these two algorithms share.
type file struct {
	TestGroups []struct {
		IVSize  int
		TagSize int
		Tests   []vector
	}
}

// vector is one test. Its result is valid or invalid; there is no acceptable one.
type vector struct {
	TcID                       int
	Comment                    string
	Key, IV, AAD, Msg, CT, Tag hexBytes
	Result                     string
}

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// Bytes makes it a key.
func (b hexBytes) Bytes() []byte { return b }

func load(t *testing.T, name string) file {
	t.Helper()
	doc, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(doc, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAESGCM(t *testing.T) {
	ran := 0
	for _, group := range load(t, "aes_gcm_test.json").TestGroups {
		for _, v := range group.Tests {
			p := aesstream.Params{Mode: aesstream.GCM, Key: v.Key, IV: v.IV}
			if group.IVSize != 96 && group.IVSize != 128 {
				var refused *aesstream.ParamError
				if err := p.Check(); !errors.As(err, &refused) || refused.Field != "IV" {
					t.Errorf("%d: an IV of %d bits: %v", v.TcID, group.IVSize, err)
				}
				continue
			}
			if len(v.AAD) > 0 || group.TagSize != 128 {
				continue // no file has those
			}
			ran++
			run(t, p, v, append(v.CT, v.Tag...))
		}
	}
	if ran < 200 {
		t.Errorf("ran %d vectors only", ran)
	}
	t.Logf("ran %d vectors", ran)
}

func TestAESCBC(t *testing.T) {
	ran := 0
	for _, group := range load(t, "aes_cbc_pkcs5_test.json").TestGroups {
		for _, v := range group.Tests {
			ran++
			run(t, aesstream.Params{Mode: aesstream.CBC, Key: v.Key, IV: v.IV}, v, v.CT)
		}
	}
	if ran < 216 {
		t.Errorf("ran %d vectors only", ran)
	}
	t.Logf("ran %d vectors", ran)
}

// run sends a vector through everything that encrypts or decrypts.
func run(t *testing.T, p aesstream.Params, v vector, sealed []byte) {
	t.Helper()
	want := aesstream.ErrDecrypt
	if v.Result == "valid" {
		want = nil
		if got := write(t, p, v.Msg); !bytes.Equal(got, sealed) {
			t.Errorf("%d (%s): encrypted to %x", v.TcID, v.Comment, got)
		}
	}
	check := func(how string, got []byte, err error) {
		t.Helper()
		if err != want || (want == nil && !bytes.Equal(got, v.Msg)) || (want != nil && len(got) > 0) {
			t.Errorf("%d (%s): %s gave %x, %v", v.TcID, v.Comment, how, got, err)
		}
	}
	got, err := read(t, p, sealed)
	check("Reader", got, err)
	if p.Mode == aesstream.GCM {
		err = aesstream.VerifyGCM(t.Context(), iotest.OneByteReader(bytes.NewReader(sealed)), int64(len(sealed)), p)
		if err != want {
			t.Errorf("%d (%s): VerifyGCM returned %v", v.TcID, v.Comment, err)
		}
		if err != nil {
			return
		}
	}
	got, err = readAt(p, sealed)
	check("ReaderAt", got, err)
}

func write(t *testing.T, p aesstream.Params, msg []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := aesstream.NewWriter(&out, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(msg); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(t *testing.T, p aesstream.Params, sealed []byte) ([]byte, error) {
	t.Helper()
	r, err := aesstream.NewReader(bytes.NewReader(sealed), p)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	_, err = got.ReadFrom(r)
	return got.Bytes(), err
}

func readAt(p aesstream.Params, sealed []byte) ([]byte, error) {
	r, err := aesstream.NewReaderAt(bytes.NewReader(sealed), int64(len(sealed)), p)
	if err != nil {
		return nil, err
	}
	got := make([]byte, r.Size())
	if _, err := r.ReadAt(got, 0); err != nil {
		return nil, err
	}
	return got, nil
}
