package fetch

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"runtime"
	"strings"
	"testing"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/pkg/aesstream"
	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/seal"
	"sealreel/pkg/vault"
)

// enveloped is what an object with an envelope is read by: its place, if it is
// ours or not, its material and metadata. Other objects have another fill.
func enveloped(t *testing.T, ours bool, fill byte) (Place, *seal.Material, map[string]string) {
	t.Helper()
	under, err := envelope.Context(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := envelope.Envelope{WrappedKey: append([]byte(wrapping), bytes.Repeat([]byte{fill}, 32)...), IV: bytes.Repeat([]byte{fill}, 12), Context: under}
	ring := seal.NewKeyring(plainKMS{}, "", nil)
	t.Cleanup(ring.Close)
	m, err := ring.Open(t.Context(), e, "o")
	if err != nil {
		t.Fatal(err)
	}
	p := Place{Bucket: "b", Key: "x/o", Encryption: &job.Encryption{Mode: job.ModeS3EC}, Owned: ours}
	if !ours {
		return p, m, e.Metadata()
	}
	return p, m, vault.DescribeEnvelope(e, m, p.Bucket, p.Key)
}

func sealedWith(t *testing.T, m *seal.Material, plain io.Reader) []byte {
	t.Helper()
	r, err := crypt.Encrypt(plain, m)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpenDecryptsEnvelopes(t *testing.T) {
	for _, ours := range []bool{true, false} {
		for _, plain := range []string{"", plaintext, strings.Repeat(plaintext, 100_000)} {
			p, m, metadata := enveloped(t, ours, 1)
			s := &shelf{body: sealedWith(t, m, strings.NewReader(plain)), metadata: metadata}
			c, err := Open(t.Context(), s, plainKMS{}, p)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Verify(t.Context(), func(r io.Reader) io.Reader { return r }); err != nil {
				t.Error(err)
			}
			if got, err := io.ReadAll(c); string(got) != plain || err != nil || c.Size != int64(len(plain)) {
				t.Errorf("ours %t: %d bytes of %d, %v", ours, len(got), c.Size, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			s.body[0] ^= 1
			if c, err = Open(t.Context(), s, plainKMS{}, p); err != nil {
				t.Fatal(err)
			}
			if err := c.Verify(t.Context(), func(r io.Reader) io.Reader { return r }); !errors.Is(err, aesstream.ErrDecrypt) {
				t.Error(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// What contradicts the job, or itself, is refused before a byte of the object is
// read.
func TestOpenReadsNothingOfAContradictingEnvelope(t *testing.T) {
	_, _, other := enveloped(t, true, 2)
	set := func(name, value string) func(*Place, map[string]string) {
		return func(_ *Place, m map[string]string) { m[name] = value }
	}
	remove := func(names ...string) func(*Place, map[string]string) {
		return func(_ *Place, m map[string]string) {
			for _, name := range names {
				delete(m, name)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*Place, map[string]string)
		theirs bool // only objects that are not ours are taken like this
	}{
		"no commitment":             {remove(vault.MetadataCommitment), false},
		"no mode":                   {remove(vault.MetadataMode), false},
		"nothing of ours":           {remove(vault.MetadataMode, vault.MetadataCommitment), true},
		"another commitment":        {set(vault.MetadataCommitment, other[vault.MetadataCommitment]), false},
		"another mode":              {set(vault.MetadataMode, job.ModeGCM), false},
		"another key":               {set("x-amz-key-v2", other["x-amz-key-v2"]), false},
		"another IV":                {set("x-amz-iv", other["x-amz-iv"]), false},
		"another object's metadata": {func(_ *Place, m map[string]string) { maps.Copy(m, other) }, true}, // they name no content: the tag does
		"another name":              {func(p *Place, _ map[string]string) { p.Key += "x" }, false},
		"another bucket":            {func(p *Place, _ map[string]string) { p.Bucket += "x" }, false},
		"no envelope":               {func(_ *Place, m map[string]string) { clear(m) }, false},
		"CBC":                       {set("x-amz-cek-alg", "AES/CBC/PKCS5Padding"), false},
		"version 1":                 {set("x-amz-key", "AAAA"), false},
		"another wrapping":          {set("x-amz-wrap-alg", "AES/GCM"), false},
		"a job in another mode":     {func(p *Place, _ map[string]string) { p.Encryption = &job.Encryption{Mode: job.ModeS3} }, false},
		"a job without encryption":  {func(p *Place, _ map[string]string) { p.Encryption = nil }, false},
	} {
		for _, ours := range []bool{true, false} {
			p, m, metadata := enveloped(t, true, 1)
			p.Owned = ours
			s := &shelf{body: sealedWith(t, m, strings.NewReader(plaintext)), metadata: metadata}
			c.change(&p, metadata)
			content, err := Open(t.Context(), s, plainKMS{}, p)
			taken := c.theirs && (!ours || name == "another object's metadata")
			if taken != (err == nil) || s.reads.Load() > 0 {
				t.Errorf("%s, ours %t: %v, %d reads", name, ours, err, s.reads.Load())
			}
			if err == nil {
				content.Close()
			}
		}
	}
}

// An envelope switches nothing on, and what a job says can't be talked over.
func TestTheModeIsAskedFor(t *testing.T) {
	p, m, metadata := enveloped(t, false, 1)
	s := &shelf{body: sealedWith(t, m, strings.NewReader(plaintext)), metadata: metadata}
	bare := Place{Bucket: p.Bucket, Key: p.Key}
	if c, err := Open(t.Context(), s, plainKMS{}, bare); err == nil || s.reads.Load() > 0 || !strings.Contains(err.Error(), "ask for it with --mode s3-encryption-client") {
		t.Errorf("%v, %v", c, err)
	}
	asked, err := bare.Enveloped(plan.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(t.Context(), s, plainKMS{}, asked)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); string(got) != plaintext || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	keys := plan.Keys{KeyARN: "of the caller"}
	ours := Place{Key: "k", Owned: true, Encryption: &job.Encryption{Mode: job.ModeS3EC}, Keys: plan.Keys{KeyARN: "of the job"}}
	if got, err := ours.Enveloped(keys); err != nil || !got.Owned || got.Keys.KeyARN != "of the job" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, e := range []*job.Encryption{nil, {Mode: job.ModeGCM}} {
		if _, err := (Place{Key: "k", Owned: true, Encryption: e}).Enveloped(keys); err == nil {
			t.Errorf("%+v was talked over", e)
		}
	}
}

// zeros is a long file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestMemoryIsFlatWithEnvelopes(t *testing.T) {
	const size = 64 << 20
	p, m, metadata := enveloped(t, true, 1)
	s := &shelf{body: sealedWith(t, m, io.LimitReader(zeros{}, size)), metadata: metadata}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c, err := Open(t.Context(), s, plainKMS{}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var peak uint64
	watch := func(r io.Reader) io.Reader { return &sampler{Reader: r, peak: &peak} }
	if err := c.Verify(t.Context(), watch); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, watch(c))
	if grown := int64(peak) - int64(before.HeapAlloc); n != size || err != nil || grown > size/2 {
		t.Errorf("%d bytes took %d of memory, %v", n, grown, err)
	}
}

// sampler looks at the heap now and then.
type sampler struct {
	io.Reader
	reads int
	peak  *uint64
}

func (s *sampler) Read(p []byte) (int, error) {
	if s.reads++; s.reads%64 == 0 {
		runtime.GC()
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		*s.peak = max(*s.peak, now.HeapAlloc)
	}
	return s.Reader.Read(p)
}
