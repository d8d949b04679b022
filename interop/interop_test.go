package interop

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/vault"
)

// weRead does with an input what ingest does: pin, verify, read; here all of it.
func weRead(t *testing.T, s *vault.Session, key string) ([]byte, error) {
	t.Helper()
	in, err := s.Pin(t.Context(), bucket, key, "", asked())
	if err != nil {
		return nil, err
	}
	return weReadPinned(t, s, in)
}

func weReadPinned(t *testing.T, s *vault.Session, in plan.Input) ([]byte, error) {
	t.Helper()
	if err := s.Verify(t.Context(), in); err != nil {
		return nil, err
	}
	media, err := s.Input(t.Context(), in, 1)
	if err != nil {
		return nil, err
	}
	defer media.Close()
	return io.ReadAll(io.NewSectionReader(media, 0, media.Size()))
}

// wantFailure wants the code, and a text that says why and where.
func wantFailure(t *testing.T, err error, code job.Code, text string) {
	t.Helper()
	var f *job.Failure
	if !errors.As(err, &f) || f.Code != code || !strings.Contains(f.Detail, text) {
		t.Errorf("got %v, want %d ...%s...", err, code, text)
	}
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// lengths are those of blocks of AES, of our chunks and of parts.
var lengths = []int{0, 1, 15, 16, 17, 1000, 256<<10 - 1, 256 << 10, 256<<10 + 1, 3<<20 + 5}

func TestTheyWriteWeRead(t *testing.T) {
	for _, n := range lengths {
		want := noise(n)
		key := theyWrite(t, site.keyARN, transcoder, want)
		got, err := weRead(t, session(t, site.keyARN, transcoder), key)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: read %d, %v", n, len(got), err)
		}
	}
}

func TestTheyWriteWeReadRanges(t *testing.T) {
	want := noise(5<<20 + 3)
	key := theyWrite(t, site.keyARN, map[string]string{"service": "elastictranscoder.amazonaws.com", "title": "Pilot"}, want)
	s := session(t, "", transcoder) // a pipeline without a key of its own unwraps with any
	in, err := s.Pin(t.Context(), bucket, key, "", asked())
	if err != nil {
		t.Fatal(err)
	}
	// Other metadata and other content come later: the plan's envelope and version
	// are what is read.
	put(t, key, []byte("something else"), map[string]string{"x-amz-cek-alg": "AES/CBC/PKCS5Padding"})
	if err := s.Verify(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	media, err := s.Input(t.Context(), in, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	if media.Size() != int64(len(want)) {
		t.Errorf("it has %d bytes, want %d", media.Size(), len(want))
	}
	for _, off := range []int{0, 1, 15, 16, 255, 2<<20 - 7, len(want) - 33} {
		got := make([]byte, 33)
		if n, err := media.ReadAt(got, int64(off)); n != 33 || err != nil && err != io.EOF || !bytes.Equal(got, want[off:off+33]) {
			t.Errorf("33 bytes at %d: %d, %v", off, n, err)
		}
	}
}

func TestWeWriteTheyRead(t *testing.T) {
	odd := map[string]string{"service": "elastictranscoder.amazonaws.com", "é日": "😀 \" \\ =?UTF-8?Q?=41?= \x7f"}
	for name, c := range map[string]struct {
		pairs   map[string]string
		segment int64
	}{"a single file": {transcoder, 0}, "a segment": {transcoder, 100}, "other scripts in the context": {odd, 0}} {
		t.Run(name, func(t *testing.T) {
			s := session(t, site.keyARN, c.pairs)
			e, err := s.Seal(t.Context(), asked())
			if err != nil || *e != *asked() {
				t.Fatalf("%+v, %v", e, err)
			}
			for _, n := range append(lengths, 11<<20+9) {
				want := noise(n)
				key := t.Name() + strings.Repeat("x", n%97)
				o := plan.Output{Job: "j", ID: "1", Bucket: bucket, Key: key, SegmentFrames: c.segment, Encryption: e}
				stored, err := s.Store(t.Context(), o, key, "video/mp4", bytes.NewReader(want))
				if err != nil || stored.Bytes != int64(n) {
					t.Fatalf("%d bytes: %+v, %v", n, stored, err)
				}
				if got, err := theyRead(t, site.keyARN, key); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes: they read %d, %v", n, len(got), err)
				}
				if got, err := weRead(t, s, key); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes: we read %d, %v", n, len(got), err)
				}
			}
		})
	}
}

// TestMetadataAreTheSame: but for what is random, both write the same.
func TestMetadataAreTheSame(t *testing.T) {
	content := noise(100)
	_, want := raw(t, theyWrite(t, site.keyARN, transcoder, content))
	key := t.Name() + "-ours"
	o := plan.Output{Job: "j", ID: "1", Bucket: bucket, Key: key, Encryption: asked()}
	if _, err := session(t, site.keyARN, transcoder).Store(t.Context(), o, key, "video/mp4", bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	_, got := raw(t, key)
	for _, random := range []string{"x-amz-key-v2", "x-amz-iv"} {
		if got[random] == want[random] || len(got[random]) != len(want[random]) {
			t.Errorf("%s: %q, theirs %q", random, got[random], want[random])
		}
		delete(got, random)
		delete(want, random)
	}
	for name := range got {
		if strings.HasPrefix(name, "sealreel-") {
			delete(got, name)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("ours   %v\ntheirs %v", got, want)
	}
}

// TestEachFileHasAKeyOfItsOwn, and a second attempt finds what the first stored.
func TestEachFileHasAKeyOfItsOwn(t *testing.T) {
	s := session(t, site.keyARN, transcoder)
	seen := map[string]bool{}
	for _, key := range []string{"own/a.ts", "own/b.ts", "own/a.ts"} {
		o := plan.Output{Job: "j", ID: "1", Bucket: bucket, Key: "own", SegmentFrames: 10, Encryption: asked()}
		stored, err := s.Store(t.Context(), o, key, "video/mp2t", bytes.NewReader(noise(500)))
		if err != nil || stored.Bytes != 500 {
			t.Fatalf("%s: %+v, %v", key, stored, err)
		}
		_, metadata := raw(t, key)
		seen[metadata["x-amz-key-v2"]], seen[metadata["x-amz-iv"]] = true, true
	}
	if len(seen) != 4 {
		t.Errorf("two files have %d keys and IVs, want 4", len(seen))
	}
}

// TestForgedObjectsAreRefused: not one byte of them is read.
func TestForgedObjectsAreRefused(t *testing.T) {
	content := noise(300<<10 + 7)
	genuine := theyWrite(t, site.keyARN, transcoder, content)
	body, metadata := raw(t, genuine)
	swapped, other := raw(t, theyWriteAs(t, "swapped", content))
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
	}
	same := func(b []byte) []byte { return b }
	const whole = "using s3-encryption-client; check that the file is whole"
	for name, c := range map[string]struct {
		body     func([]byte) []byte
		metadata map[string]string // over the genuine; "" removes
		code     job.Code
		text     string
	}{
		"the first bit":            {flip(0), nil, 4016, whole},
		"a bit in the middle":      {flip(150 << 10), nil, 4016, whole},
		"the last bit":             {flip(-1), nil, 4016, whole},
		"another IV":               {same, map[string]string{"x-amz-iv": other["x-amz-iv"]}, 4016, whole},
		"another object's key":     {same, map[string]string{"x-amz-key-v2": other["x-amz-key-v2"]}, 4016, whole},
		"another object's content": {func([]byte) []byte { return swapped }, nil, 4016, whole},
		"cut":                      {func(b []byte) []byte { return b[:len(b)-1] }, nil, 4016, "x-amz-unencrypted-content-length"},
		"cut, and its length gone": {func(b []byte) []byte { return b[:len(b)-1] }, map[string]string{"x-amz-unencrypted-content-length": ""}, 4016, whole},
		"shorter than a tag":       {func(b []byte) []byte { return b[:15] }, nil, 4016, "cut short"},
		"CBC":                      {same, map[string]string{"x-amz-cek-alg": "AES/CBC/PKCS5Padding"}, 4016, "only AES/GCM/NoPadding is read"},
		"CTR":                      {same, map[string]string{"x-amz-cek-alg": "AES/CTR/NoPadding"}, 4016, "only AES/GCM/NoPadding is read"},
		"no context":               {same, map[string]string{"x-amz-wrap-alg": "kms"}, 4016, "only kms+context is read"},
		"no envelope":              {same, map[string]string{"x-amz-key-v2": ""}, 4016, "instruction file"},
		"another context":          {same, map[string]string{"x-amz-matdesc": `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding"}`}, 4016, `lacks the pair "service"`},
		"more context": {same, map[string]string{"x-amz-matdesc": `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","a":"b","service":"elastictranscoder.amazonaws.com"}`},
			4018, "store the object again"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(metadata)
			for name, value := range c.metadata {
				changed[name] = value
				if value == "" {
					delete(changed, name)
				}
			}
			put(t, t.Name(), c.body(bytes.Clone(body)), changed)
			got, err := weRead(t, session(t, site.keyARN, transcoder), t.Name())
			if len(got) > 0 {
				t.Errorf("read %d bytes", len(got))
			}
			wantFailure(t, err, c.code, c.text)
		})
	}
	// The genuine one is none of another pipeline's.
	_, err := weRead(t, session(t, site.keyARN, map[string]string{"service": "elastictranscoder.amazonaws.com", "tenant": "b"}), genuine)
	wantFailure(t, err, 4016, `lacks the pair "tenant": "b"`)
	_, err = weRead(t, session(t, site.otherARN, transcoder), genuine)
	wantFailure(t, err, 4018, "AwsKmsKeyArn")
}

func theyWriteAs(t *testing.T, name string, content []byte) (key string) {
	t.Run(name, func(t *testing.T) { key = theyWrite(t, site.keyARN, transcoder, content) })
	return key
}

// TestCBCContentIsRefused takes an object as the client's first versions wrote
// them, which AWS's own client still reads when it is told to.
func TestCBCContentIsRefused(t *testing.T) {
	pairs := map[string]string{"aws:x-amz-cek-alg": "AES/CBC/PKCS5Padding", "service": "elastictranscoder.amazonaws.com"}
	out, err := site.keys.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &site.keyARN, KeySpec: types.DataKeySpecAes256, EncryptionContext: pairs})
	if err != nil {
		t.Fatal(err)
	}
	put(t, t.Name(), noise(160), map[string]string{
		"x-amz-key-v2": encode(out.CiphertextBlob), "x-amz-iv": encode(noise(16)), "x-amz-wrap-alg": "kms+context", "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
		"x-amz-matdesc": `{"aws:x-amz-cek-alg":"AES/CBC/PKCS5Padding","service":"elastictranscoder.amazonaws.com"}`,
	})
	_, err = weRead(t, session(t, site.keyARN, transcoder), t.Name())
	wantFailure(t, err, 4016, `x-amz-cek-alg is "AES/CBC/PKCS5Padding"; only AES/GCM/NoPadding is read`)
}

// TestMetadataSwitchNothingOn: an object with an envelope that was not said to be
// in the mode is read as it is stored, and one without is not read in the mode.
func TestMetadataSwitchNothingOn(t *testing.T) {
	key := theyWrite(t, site.keyARN, transcoder, noise(100))
	stored, _ := raw(t, key)
	s := session(t, site.keyARN, transcoder)
	for _, e := range []*job.Encryption{nil, {Mode: job.ModeS3}} {
		in, err := s.Pin(t.Context(), bucket, key, "", e)
		if err != nil || in.Envelope != nil {
			t.Fatalf("%+v, %v", in, err)
		}
		if got, err := weReadPinned(t, s, in); err != nil || !bytes.Equal(got, stored) {
			t.Errorf("%+v: read %d bytes, %v", e, len(got), err)
		}
	}
	plain := plan.Input{Bucket: bucket, Key: key, Size: int64(len(stored)), Encryption: asked()}
	if got, err := weReadPinned(t, s, plain); err == nil {
		t.Errorf("a plan without an envelope: read %d bytes", len(got))
	}
	put(t, "plain", noise(100), nil)
	_, err := weRead(t, s, "plain")
	wantFailure(t, err, 4016, "x-amz-key-v2")
}

// TestContextsThatDontFit are refused before anything is encoded.
func TestContextsThatDontFit(t *testing.T) {
	_, err := session(t, site.keyARN, map[string]string{"service": strings.Repeat("s", 500)}).Seal(t.Context(), asked())
	wantFailure(t, err, 1000, "the encryption context has")
	_, err = session(t, "", transcoder).Seal(t.Context(), asked())
	wantFailure(t, err, 4019, "AwsKmsKeyArn")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var f *job.Failure
	if _, err = session(t, site.keyARN, transcoder).Seal(ctx, asked()); err == nil || errors.As(err, &f) {
		t.Errorf("a call that was cancelled: %v", err)
	}
}
