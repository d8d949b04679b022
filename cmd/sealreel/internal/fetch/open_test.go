package fetch

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/pkg/aesstream"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/vault"
)

// shelf is storage with one object.
type shelf struct {
	body     []byte
	metadata map[string]string
	reads    atomic.Int64
}

func (s *shelf) Head(context.Context, s3store.Object, *seal.Material) (s3store.Info, error) {
	return s3store.Info{Size: int64(len(s.body)), ETag: "e", VersionID: "v", Metadata: s.metadata}, nil
}

func (s *shelf) ReadRange(_ context.Context, o s3store.Object, _ *seal.Material, off, n int64) (io.ReadCloser, error) {
	if o.ETag != "e" || o.VersionID != "v" {
		return nil, errors.New("the object is not pinned")
	}
	s.reads.Add(1)
	return io.NopCloser(bytes.NewReader(s.body[off : off+n])), nil
}

// plainKMS wraps a key by writing something before it.
type plainKMS struct{}

const wrapping = "wrapped by a KMS that is none: "

func (plainKMS) Decrypt(_ context.Context, ciphertext []byte, _ string, _ map[string]string) ([]byte, error) {
	raw, ok := bytes.CutPrefix(ciphertext, []byte(wrapping))
	if !ok {
		return nil, seal.ErrInvalidCiphertext
	}
	return bytes.Clone(raw), nil
}

func (plainKMS) Generate(context.Context, string, int, map[string]string) (plaintext, ciphertext []byte, err error) {
	return nil, nil, errors.New("no key is made")
}

const plaintext = "what the object holds"

// stocked is a place and the shelf with what it has there.
func stocked(t *testing.T, mode string, single bool, iv byte) (Place, *shelf, *seal.Material) {
	t.Helper()
	e := crypt.Element([]byte(wrapping + strings.Repeat("!", 32)))
	e.Mode, e.InitializationVector = mode, base64.StdEncoding.EncodeToString(make([]byte, 16))
	ring := seal.NewKeyring(plainKMS{}, "", nil)
	t.Cleanup(ring.Close)
	m, err := ring.Unwrap(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	m.IV = bytes.Repeat([]byte{iv}, 16)
	p := Place{Bucket: "b", Key: "x/o", Encryption: &e, Keys: plan.Keys{}, Owned: true, Single: single}
	r, err := crypt.Encrypt(strings.NewReader(plaintext), m)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return p, &shelf{body: body, metadata: vault.Describe(m, e, p.Bucket, p.Key)}, m
}

func TestOpenDecrypts(t *testing.T) {
	for _, mode := range crypt.Modes {
		for _, single := range []bool{true, false} {
			iv := byte(5) // a segment has one of its own
			if single {
				iv = 0
			}
			p, s, _ := stocked(t, mode, single, iv)
			c, err := Open(t.Context(), s, plainKMS{}, p)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Verify(t.Context(), func(r io.Reader) io.Reader { return r }); err != nil {
				t.Error(err)
			}
			got, err := io.ReadAll(c)
			if string(got) != plaintext || err != nil || c.Size < int64(len(got)) || c.Size > int64(len(got))+15 {
				t.Errorf("%s: %q of %d bytes, %v", mode, got, c.Size, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// What contradicts the job is refused before a byte of the object is read.
func TestOpenReadsNothingThatContradictsItsJob(t *testing.T) {
	for name, c := range map[string]struct {
		single bool
		iv     byte
		change func(*Place, *shelf, *seal.Material)
	}{
		"another mode":         {change: func(_ *Place, s *shelf, _ *seal.Material) { s.metadata[vault.MetadataMode] = job.ModeCTR }},
		"another wrapped key":  {change: func(_ *Place, s *shelf, _ *seal.Material) { s.metadata[vault.MetadataKey] += "A" }},
		"another KeyMd5":       {change: func(_ *Place, s *shelf, _ *seal.Material) { s.metadata[vault.MetadataKeyMD5] = "" }},
		"no metadata":          {change: func(_ *Place, s *shelf, _ *seal.Material) { s.metadata = nil }},
		"another commitment":   {change: func(_ *Place, s *shelf, _ *seal.Material) { s.metadata[vault.MetadataCommitment] = "AAAA" }},
		"no commitment":        {change: func(_ *Place, s *shelf, _ *seal.Material) { delete(s.metadata, vault.MetadataCommitment) }},
		"another name":         {change: func(p *Place, _ *shelf, _ *seal.Material) { p.Key += "x" }},
		"another bucket":       {change: func(p *Place, _ *shelf, _ *seal.Material) { p.Bucket += "x" }},
		"another IV":           {change: func(_ *Place, s *shelf, _ *seal.Material) { s.metadata[vault.MetadataIV] = "AQAAAAAAAAAAAAAAAAAAAA==" }},
		"no IV":                {change: func(_ *Place, s *shelf, _ *seal.Material) { delete(s.metadata, vault.MetadataIV) }},
		"committed, not of it": {single: true, iv: 5, change: func(*Place, *shelf, *seal.Material) {}},
		"another mode, committed": {change: func(p *Place, s *shelf, m *seal.Material) {
			other := *m
			other.Mode, _ = seal.ModeOf(job.ModeCTR)
			s.metadata = vault.Describe(&other, *p.Encryption, p.Bucket, p.Key)
		}},
		"a job without encryption": {change: func(p *Place, _ *shelf, _ *seal.Material) { p.Encryption = nil }},
		"a job in another mode":    {change: func(p *Place, _ *shelf, _ *seal.Material) { p.Encryption = &job.Encryption{Mode: job.ModeS3} }},
		"a mode of the functions": {change: func(p *Place, _ *shelf, _ *seal.Material) {
			p.Encryption.Mode, p.Encryption.InitializationVector = seal.ModeWork, ""
		}},
		"no job": {change: func(p *Place, _ *shelf, _ *seal.Material) { p.Encryption, p.Owned = nil, false }},
	} {
		p, s, m := stocked(t, job.ModeGCM, c.single, c.iv)
		c.change(&p, s, m)
		if got, err := Open(t.Context(), s, plainKMS{}, p); err == nil || s.reads.Load() > 0 {
			t.Errorf("%s: %v, %v, %d reads", name, got, err, s.reads.Load())
		}
	}
}

func TestAForgedObject(t *testing.T) {
	p, s, _ := stocked(t, job.ModeGCM, true, 0)
	s.body[3] ^= 1
	c, err := Open(t.Context(), s, plainKMS{}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	dir := t.TempDir()
	if err := Save(filepath.Join(dir, "f"), c); !errors.Is(err, aesstream.ErrDecrypt) || names(t, dir) != "" {
		t.Errorf("%v; left behind: %s", err, names(t, dir))
	}
	if err := c.Verify(t.Context(), func(r io.Reader) io.Reader { return r }); !errors.Is(err, aesstream.ErrDecrypt) || !strings.Contains(err.Error(), p.Key) {
		t.Error(err)
	}
	s.body = s.body[:15]
	if _, err := Open(t.Context(), s, plainKMS{}, p); err == nil || !strings.Contains(err.Error(), "no file in aes-gcm has 15 bytes") {
		t.Error(err)
	}
}

func TestWhole(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if !Whole(filepath.Join(dir, "new")) || Whole(pipe) || Whole("/dev/null") {
		t.Error("a new file is whole, a pipe and a device are not")
	}
}
