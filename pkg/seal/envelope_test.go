package seal

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"

	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
)

// ofClient is the context of a data key that AWS's client made.
func ofClient(pairs ...string) map[string]string {
	all := map[string]string{"aws:x-amz-cek-alg": "AES/GCM/NoPadding"}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

func TestOpen(t *testing.T) {
	ours := ofClient("service", "elastictranscoder.amazonaws.com")
	more := ofClient("service", "elastictranscoder.amazonaws.com", "title", "Pilot")
	for _, c := range []struct {
		name     string
		plain    string
		wrapped  map[string]string // context of the wrapping
		claimed  map[string]string // context in the envelope, wrapped when nil
		ringARN  string
		code     job.Code // 0: it opens
		contains string
	}{
		{name: "the pipeline's context", plain: rawKey, wrapped: ours},
		{name: "more context", plain: rawKey, wrapped: more, ringARN: keyARN},
		{name: "the client's context alone", plain: rawKey, wrapped: ofClient(), code: 4016, contains: `lacks the pair "service": "elastictranscoder.amazonaws.com"`},
		{name: "another service", plain: rawKey, wrapped: ofClient("service", "s"), code: 4016, contains: `lacks the pair "service"`},
		{name: "a forged context", plain: rawKey, wrapped: ofClient(), claimed: ours, code: 4018, contains: "store the object again"},
		{name: "a context cut short", plain: rawKey, wrapped: more, claimed: ours, code: 4018, contains: "store the object again"},
		{name: "another KMS key", plain: rawKey, wrapped: ours, ringARN: longARN, code: 4018, contains: "AwsKmsKeyArn"},
		{name: "128 bits", plain: "keykeykeykeykeyk", wrapped: ours, code: 4017, contains: "s3-encryption-client takes 256 bits, not 128 bits"},
		{name: "no key", plain: "", wrapped: ours, code: 4017},
	} {
		t.Run(c.name, func(t *testing.T) {
			kms := &fakeKMS{}
			e := envelope.Envelope{WrappedKey: kms.wrap(c.plain, keyARN, c.wrapped), IV: make([]byte, 12), Context: c.wrapped}
			if c.claimed != nil {
				e.Context = c.claimed
			}
			ring := NewKeyring(kms, c.ringARN, transcoder)
			defer ring.Close()
			m, err := ring.Open(t.Context(), e, "in.mp4")
			if c.code == 0 {
				if err != nil || string(m.Key.Bytes()) != c.plain || m.Mode.Name != job.ModeS3EC || !bytes.Equal(m.IV, e.IV) {
					t.Fatalf("%+v, %v", m, err)
				}
				return
			}
			var f *job.Failure
			if m != nil || !errors.As(err, &f) || f.Code != c.code || !strings.Contains(f.Detail, c.contains) || leaks(err.Error()) != "" {
				t.Fatalf("%+v, %v", m, err)
			}
		})
	}
}

// A key that was unwrapped under its own context is not to be had under another,
// nor as the key of an element.
func TestOpenKeepsContextsApart(t *testing.T) {
	kms := &fakeKMS{}
	more := ofClient("service", "elastictranscoder.amazonaws.com", "title", "Pilot")
	e := envelope.Envelope{WrappedKey: kms.wrap(rawKey, keyARN, more), IV: make([]byte, 12), Context: more}
	ring := NewKeyring(kms, keyARN, transcoder)
	defer ring.Close()
	for range 2 {
		if _, err := ring.Open(t.Context(), e, "in.mp4"); err != nil || kms.calls != 1 {
			t.Fatalf("%d calls, %v", kms.calls, err)
		}
	}
	other := e
	other.Context = ofClient("service", "elastictranscoder.amazonaws.com")
	if m, err := ring.Open(t.Context(), other, "in.mp4"); err == nil {
		t.Errorf("under another context: %+v", m)
	}
	if m, err := ring.Unwrap(t.Context(), ssec(e.WrappedKey)); err == nil {
		t.Errorf("as an element's key: %+v", m)
	}
}

func TestEnvelop(t *testing.T) {
	kms := &fakeKMS{}
	ring := NewKeyring(kms, keyARN, transcoder)
	a, am, err := ring.Envelop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, bm, err := ring.Envelop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if am.Key.Bits() != 256 || len(a.IV) != 12 || bytes.Equal(am.Key.Bytes(), bm.Key.Bytes()) || bytes.Equal(a.IV, b.IV) || bytes.Equal(a.WrappedKey, b.WrappedKey) {
		t.Errorf("two objects share something: %+v, %+v", a, b)
	}
	if want := ofClient("service", "elastictranscoder.amazonaws.com"); !maps.Equal(a.Context, want) {
		t.Errorf("the context is %v", a.Context)
	}
	other := NewKeyring(kms, keyARN, transcoder)
	defer other.Close()
	if m, err := other.Open(t.Context(), a, "out.ts"); err != nil || !bytes.Equal(m.Key.Bytes(), am.Key.Bytes()) {
		t.Errorf("opened: %+v, %v", m, err)
	}
	ring.Close()
	if !am.Key.IsZero() || !bm.Key.IsZero() {
		t.Error("a closed keyring left keys")
	}
	if _, _, err := ring.Envelop(t.Context()); err == nil {
		t.Error("a closed keyring made a key")
	}
}

func TestEnvelopFails(t *testing.T) {
	long := map[string]string{"service": strings.Repeat("s", 400)}
	reserved := map[string]string{"aws:x-amz-cek-alg": "AES/GCM/NoPadding"}
	for _, c := range []struct {
		name, ringARN string
		context       map[string]string
		err           error
		code          job.Code
		contains      string
	}{
		{"no key", "", transcoder, nil, 4019, "AwsKmsKeyArn"},
		{"denied", keyARN, transcoder, ErrAccess, 4019, keyARN},
		{"a long context", keyARN, long, nil, 1000, "400 fit"},
		{"the client's own pair", keyARN, reserved, nil, 1000, "leave it out"},
	} {
		ring := NewKeyring(&fakeKMS{err: c.err}, c.ringARN, c.context)
		_, m, err := ring.Envelop(t.Context())
		var f *job.Failure
		if m != nil || !errors.As(err, &f) || f.Code != c.code || !strings.Contains(f.Detail, c.contains) {
			t.Errorf("%s: %+v, %v", c.name, m, err)
		}
		ring.Close()
	}
	ring := NewKeyring(&fakeKMS{}, keyARN, transcoder)
	defer ring.Close()
	if m, err := ring.Unwrap(t.Context(), job.Encryption{Mode: job.ModeS3EC}); err == nil {
		t.Errorf("an element alone has a key: %+v", m)
	}
}
