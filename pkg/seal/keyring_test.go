package seal

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"sealreel/pkg/job"
)

const (
	keyARN  = "arn:aws:kms:eu-west-1:111122223333:key/k"
	longARN = "arn:aws:kms:eu-west-1:111122223333:key/other"
)

var transcoder = map[string]string{"service": "elastictranscoder.amazonaws.com"}

// fakeKMS wraps keys by remembering them.
type fakeKMS struct {
	mu      sync.Mutex
	wrapped map[string]wrapping
	calls   int
	err     error // of every call
	cut     int   // bytes missing from each generated key
}

type wrapping struct {
	plaintext []byte
	keyARN    string
	context   map[string]string
}

func (k *fakeKMS) wrap(plaintext string, keyARN string, context map[string]string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wrapped == nil {
		k.wrapped = map[string]wrapping{}
	}
	ciphertext := fmt.Sprintf("KMS ciphertext number %040d", len(k.wrapped))
	k.wrapped[ciphertext] = wrapping{[]byte(plaintext), keyARN, maps.Clone(context)}
	return []byte(ciphertext)
}

func (k *fakeKMS) Decrypt(_ context.Context, ciphertext []byte, keyARN string, context map[string]string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	w, ok := k.wrapped[string(ciphertext)]
	switch {
	case k.err != nil:
		return nil, k.err
	case !ok || !maps.Equal(w.context, context):
		return nil, fmt.Errorf("fake: %w", ErrInvalidCiphertext)
	case keyARN != "" && keyARN != w.keyARN:
		return nil, fmt.Errorf("fake: %w", ErrIncorrectKey)
	}
	return bytes.Clone(w.plaintext), nil
}

func (k *fakeKMS) Generate(_ context.Context, keyARN string, n int, context map[string]string) (plaintext, ciphertext []byte, err error) {
	if k.err != nil {
		return nil, nil, k.err
	}
	k.mu.Lock()
	k.calls++
	raw := strings.Repeat(string([]byte{0xf0 + byte(len(k.wrapped))}), n-k.cut)
	k.mu.Unlock()
	return []byte(raw), k.wrap(raw, keyARN, context), nil
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func sum(b []byte) string {
	s := md5.Sum(b)
	return encode(s[:])
}

func ssec(ciphertext []byte) job.Encryption {
	return job.Encryption{Mode: job.ModeSSEC, Key: encode(ciphertext), KeyMd5: sum(ciphertext)}
}

func TestUnwrap(t *testing.T) {
	for _, c := range []struct {
		name     string
		plain    string
		change   func(*job.Encryption)
		ringARN  string
		context  map[string]string // of the wrapping, transcoder when nil
		code     job.Code          // 0: it unwraps
		contains string
	}{
		{name: "MD5 of the ciphertext", plain: rawKey},
		{name: "MD5 of the plaintext", plain: rawKey, change: func(e *job.Encryption) { e.KeyMd5 = sum([]byte(rawKey)) }},
		{name: "the pipeline's key", plain: rawKey, ringARN: keyARN},
		{name: "another KMS key", plain: rawKey, ringARN: longARN, code: 4018, contains: "AwsKmsKeyArn"},
		{name: "another context", plain: rawKey, context: map[string]string{"service": "other"}, code: 4018,
			contains: `{"service":"elastictranscoder.amazonaws.com"}`},
		{name: "no context", plain: rawKey, context: map[string]string{}, code: 4018, contains: "encryption context"},
		{name: "MD5 of something else", plain: rawKey, change: func(e *job.Encryption) { e.KeyMd5 = sum(nil) }, code: 4018, contains: "does not belong to Key"},
		{name: "MD5 of the base64", plain: rawKey, change: func(e *job.Encryption) { e.KeyMd5 = sum([]byte(e.Key)) }, code: 4018},
		{name: "MD5 cut short", plain: rawKey, change: func(e *job.Encryption) { e.KeyMd5 = e.KeyMd5[:20] }, code: 4018},
		{name: "MD5 no base64", plain: rawKey, change: func(e *job.Encryption) { e.KeyMd5 = "!" }, code: 4018},
		{name: "the key in place of the MD5", plain: rawKey, change: func(e *job.Encryption) { e.KeyMd5 = encode([]byte(rawKey)) }, code: 4018},
		{name: "no MD5", plain: rawKey, change: func(e *job.Encryption) { e.KeyMd5 = "" }, code: 4018, contains: "KeyMd5 is missing"},
		{name: "no key", plain: rawKey, change: func(e *job.Encryption) { e.Key = "" }, code: 1000},
		{name: "key no base64", plain: rawKey, change: func(e *job.Encryption) { e.Key = "a-b" }, code: 4018, contains: "CiphertextBlob"},
		{name: "key cut short", plain: rawKey, change: func(e *job.Encryption) { e.Key = e.Key[:40] }, code: 4018},
		{name: "an IV", plain: rawKey, change: func(e *job.Encryption) { e.InitializationVector = encode(make([]byte, 16)) }, code: 1000},
		{name: "an unknown mode", plain: rawKey, change: func(e *job.Encryption) { e.Mode = "rot13" }, code: 1000},
		{name: "a key for mode s3", plain: rawKey, change: func(e *job.Encryption) { e.Mode = job.ModeS3 }, code: 1000},
		{name: "an IV for mode s3", change: func(e *job.Encryption) { *e = job.Encryption{Mode: "s3", InitializationVector: "AA=="} }, code: 1000},
		{name: "128 bits", plain: "keykeykeykeykeyk", code: 4017, contains: "sse-c takes 256 bits, not 128 bits"},
		{name: "192 bits", plain: strings.Repeat("\xff", 24), code: 4017, contains: "192 bits"},
		{name: "no bits", plain: "", code: 4017, contains: "not 0 bits"},
		{name: "264 bits", plain: strings.Repeat("\x01", 33), code: 4017, contains: "264 bits"},
		{name: "base64 of 128 bits", plain: encode([]byte("keykeykeykeykeyk")), code: 4017, contains: "wraps the base64 text of a key, not the key"},
		{name: "base64 of 192 bits", plain: encode(make([]byte, 24)), code: 4017, contains: "wraps the base64 text of a key, not the key"},
		{name: "base64 of 256 bits", plain: encode([]byte(rawKey)), code: 4017, contains: "wraps the base64 text of a key, not the key"},
		{name: "base64 and a line end", plain: encode([]byte(rawKey)) + "\n", code: 4017, contains: "wraps the base64 text of a key, not the key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kms := &fakeKMS{}
			if c.context == nil {
				c.context = transcoder
			}
			e := ssec(kms.wrap(c.plain, keyARN, c.context))
			if c.change != nil {
				c.change(&e)
			}
			ring := NewKeyring(kms, c.ringARN, transcoder)
			defer ring.Close()
			m, err := ring.Unwrap(t.Context(), e)
			if c.code == 0 {
				if err != nil || string(m.Key.Bytes()) != c.plain || m.Mode.Name != job.ModeSSEC {
					t.Fatalf("%+v, %v", m, err)
				}
				return
			}
			var f *job.Failure
			if m != nil || !errors.As(err, &f) || f.Code != c.code || !strings.Contains(f.Detail, c.contains) {
				t.Fatalf("%+v, %v", m, err)
			}
			if form := leaks(err.Error()); form != "" {
				t.Errorf("the error shows the key as %s", form)
			}
			if c.plain != "" && strings.Contains(err.Error(), c.plain) {
				t.Error("the error shows what was wrapped")
			}
		})
	}
}

func TestUnwrapWithoutKey(t *testing.T) {
	kms := &fakeKMS{}
	ring := NewKeyring(kms, keyARN, transcoder)
	defer ring.Close()
	for _, mode := range []string{"", job.ModeS3, job.ModeS3KMS} {
		m, err := ring.Unwrap(t.Context(), job.Encryption{Mode: mode})
		if err != nil || !m.Key.IsZero() || m.Mode.Name != mode {
			t.Errorf("%q: %+v, %v", mode, m, err)
		}
		e, err := ring.Generate(t.Context(), mode)
		if err != nil || e != (job.Encryption{Mode: mode}) {
			t.Errorf("%q: %+v, %v", mode, e, err)
		}
	}
	if kms.calls != 0 {
		t.Errorf("%d calls for no key", kms.calls)
	}
}

// The digests of Elastic Transcoder's tutorial. Its KeyMd5, zG9M..., is that of
// its ciphertext; tNUO... is what the wording of its documents asks for.
func TestKeyMd5OfTheTutorial(t *testing.T) {
	key := newKey(t, "keykeykeykeykeyk")
	ciphertext := []byte("a ciphertext")
	if err := checkMD5("tNUOedzRVo2ZuD6uq6u6Xw==", ciphertext, key); err != nil {
		t.Error(err)
	}
	if err := checkMD5(sum(ciphertext), ciphertext, key); err != nil {
		t.Error(err)
	}
	if err := checkMD5("zG9MId7htnmIZEWCXXG5yg==", ciphertext, key); err == nil {
		t.Error("the digest of another ciphertext was accepted")
	}
}

// However many ask, and at once, a key is unwrapped by one call.
func TestOneCallAKey(t *testing.T) {
	kms := &fakeKMS{}
	ring := NewKeyring(kms, keyARN, transcoder)
	defer ring.Close()
	elements := []job.Encryption{ssec(kms.wrap(rawKey, keyARN, transcoder)), ssec(kms.wrap(strings.Repeat("k", 32)[:31]+"!", keyARN, transcoder))}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if _, err := ring.Unwrap(t.Context(), elements[i%2]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if kms.calls != 2 {
		t.Errorf("%d calls for 2 keys", kms.calls)
	}
	generated, err := ring.Generate(t.Context(), job.ModeSSEC)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ring.Unwrap(t.Context(), generated)
	if err != nil || m.Key.Bits() != 256 || kms.calls != 3 {
		t.Errorf("a generated key: %+v, %v, %d calls", m, err, kms.calls)
	}
}

// What may pass is no failure of the job, and is asked again.
func TestPassingErrors(t *testing.T) {
	kms := &fakeKMS{}
	e := ssec(kms.wrap(rawKey, keyARN, transcoder))
	for _, passing := range []error{ErrThrottled, context.DeadlineExceeded, errors.New("no route to host")} {
		ring := NewKeyring(kms, keyARN, transcoder)
		kms.err = passing
		var f *job.Failure
		if _, err := ring.Unwrap(t.Context(), e); !errors.Is(err, passing) || errors.As(err, &f) {
			t.Errorf("Unwrap: %v", err)
		}
		if _, err := ring.Generate(t.Context(), job.ModeSSEC); !errors.Is(err, passing) || errors.As(err, &f) {
			t.Errorf("Generate: %v", err)
		}
		kms.err = nil
		if _, err := ring.Unwrap(t.Context(), e); err != nil {
			t.Errorf("after %v: %v", passing, err)
		}
		ring.Close()
	}
}

func TestLastingErrors(t *testing.T) {
	kms := &fakeKMS{}
	e := ssec(kms.wrap(rawKey, keyARN, transcoder))
	for _, lasting := range []error{ErrInvalidCiphertext, ErrIncorrectKey, ErrAccess, ErrNoKey, ErrDisabled} {
		kms.err = fmt.Errorf("KMS: %w", lasting)
		ring := NewKeyring(kms, keyARN, transcoder)
		var f *job.Failure
		if _, err := ring.Unwrap(t.Context(), e); !errors.As(err, &f) || f.Code != 4018 || !errors.Is(err, lasting) || !strings.Contains(f.Detail, "MD5="+e.KeyMd5) {
			t.Errorf("Unwrap: %v", err)
		}
		if _, err := ring.Generate(t.Context(), job.ModeSSEC); !errors.As(err, &f) || f.Code != 4019 || !errors.Is(err, lasting) || !strings.Contains(f.Detail, keyARN) {
			t.Errorf("Generate: %v", err)
		}
		ring.Close()
	}
}

func TestGenerate(t *testing.T) {
	kms := &fakeKMS{}
	for _, mode := range []string{job.ModeSSEC, ModeWork} {
		ring := NewKeyring(kms, keyARN, transcoder)
		e, err := ring.Generate(t.Context(), mode)
		if err != nil {
			t.Fatal(err)
		}
		ciphertext, err := base64.StdEncoding.DecodeString(e.Key)
		if err != nil || e.Mode != mode || e.KeyMd5 != sum(ciphertext) || e.InitializationVector != "" {
			t.Errorf("%+v, %v", e, err)
		}
		if w := kms.wrapped[string(ciphertext)]; len(w.plaintext) != 32 || w.keyARN != keyARN || !maps.Equal(w.context, transcoder) {
			t.Errorf("generated %d bytes with %s under %v", len(w.plaintext), w.keyARN, w.context)
		}
		ring.Close()
		// Another invocation unwraps it.
		later := NewKeyring(kms, keyARN, transcoder)
		if m, err := later.Unwrap(t.Context(), e); err != nil || m.Key.Bits() != 256 {
			t.Errorf("unwrapping it: %+v, %v", m, err)
		}
		later.Close()
	}
	var f *job.Failure
	if _, err := NewKeyring(kms, "", transcoder).Generate(t.Context(), job.ModeSSEC); !errors.As(err, &f) || f.Code != 4019 || !strings.Contains(f.Detail, "AwsKmsKeyArn") {
		t.Errorf("without a KMS key: %v", err)
	}
	kms.cut = 8
	if _, err := NewKeyring(kms, keyARN, transcoder).Generate(t.Context(), job.ModeSSEC); !errors.As(err, &f) || f.Code != 4019 {
		t.Errorf("a key of 192 bits: %v", err)
	}
}

func TestGenerateBits(t *testing.T) {
	kms := &fakeKMS{}
	ring := NewKeyring(kms, keyARN, transcoder)
	defer ring.Close()
	for _, bits := range []int{128, 192, 256} {
		e, err := ring.GenerateBits(t.Context(), job.ModeGCM, bits)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := ring.Unwrap(t.Context(), e); err != nil || m.Key.Bits() != bits || len(m.IV) != 16 {
			t.Errorf("%d bits: %+v, %v", bits, m, err)
		}
	}
	calls := kms.calls
	var f *job.Failure
	if _, err := ring.GenerateBits(t.Context(), job.ModeSSEC, 128); !errors.As(err, &f) || f.Code != 4017 {
		t.Errorf("a size that the mode does not take: %v", err)
	}
	if e, err := ring.GenerateBits(t.Context(), job.ModeS3, 256); err != nil || e != (job.Encryption{Mode: job.ModeS3}) || kms.calls != calls {
		t.Errorf("a mode without a key: %+v, %v", e, err)
	}
}

// After Close no key has its bytes, and none can be had.
func TestClose(t *testing.T) {
	kms := &fakeKMS{}
	ring := NewKeyring(kms, keyARN, transcoder)
	e := ssec(kms.wrap(rawKey, keyARN, transcoder))
	m, err := ring.Unwrap(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	raw := m.Key.Bytes()
	ring.Close()
	ring.Close()
	if !m.Key.IsZero() || !bytes.Equal(raw, make([]byte, 32)) {
		t.Error("the key was not wiped")
	}
	if _, err := ring.Unwrap(t.Context(), e); !errors.Is(err, errClosed) {
		t.Errorf("Unwrap after Close: %v", err)
	}
	if _, err := ring.Generate(t.Context(), job.ModeSSEC); !errors.Is(err, errClosed) {
		t.Errorf("Generate after Close: %v", err)
	}
}

// What was unwrapped and is of no use is wiped.
func TestUselessPlaintextIsWiped(t *testing.T) {
	for _, plain := range []string{encode([]byte(rawKey)), "of no AES size"} {
		kms := &slowKMS{make(chan struct{}), make(chan struct{}), []byte(plain)}
		close(kms.answer)
		if _, err := NewKeyring(kms, "", nil).Unwrap(t.Context(), ssec([]byte("some ciphertext"))); err == nil {
			t.Errorf("%q was taken for a key", plain)
		}
		if !bytes.Equal(kms.plaintext, make([]byte, len(plain))) {
			t.Errorf("%q was not wiped", plain)
		}
	}
}

// slowKMS answers when it is told to.
type slowKMS struct {
	asked, answer chan struct{}
	plaintext     []byte
}

func (k *slowKMS) Decrypt(context.Context, []byte, string, map[string]string) ([]byte, error) {
	close(k.asked)
	<-k.answer
	return k.plaintext, nil
}

func (k *slowKMS) Generate(context.Context, string, int, map[string]string) (plaintext, ciphertext []byte, err error) {
	return nil, nil, errors.New("not asked for")
}

// A key that arrives after Close is wiped at once.
func TestCloseWhileUnwrapping(t *testing.T) {
	kms := &slowKMS{make(chan struct{}), make(chan struct{}), []byte(rawKey)}
	ring := NewKeyring(kms, keyARN, transcoder)
	done := make(chan error)
	go func() {
		_, err := ring.Unwrap(t.Context(), ssec([]byte("some ciphertext")))
		done <- err
	}()
	<-kms.asked
	closed := make(chan struct{})
	go func() {
		ring.Close()
		close(closed)
	}()
	for {
		ring.mu.Lock()
		now := ring.closed
		ring.mu.Unlock()
		if now {
			break
		}
	}
	close(kms.answer)
	if err := <-done; !errors.Is(err, errClosed) {
		t.Errorf("Unwrap: %v", err)
	}
	<-closed
	if !bytes.Equal(kms.plaintext, make([]byte, 32)) {
		t.Error("the late key was not wiped")
	}
}

// No input makes Unwrap panic or return a key of a size that the mode does not
// take.
func FuzzUnwrap(f *testing.F) {
	f.Add("sse-c", "", "", "", []byte(nil))
	f.Add("sse-c", encode([]byte("ciphertext")), sum([]byte("ciphertext")), "", []byte(rawKey))
	f.Add("sse-c", encode([]byte("ciphertext")), sum([]byte("ciphertext")), "", []byte(encode([]byte(rawKey))))
	f.Add("s3", "", "", "AA==", []byte(nil))
	f.Fuzz(func(t *testing.T, mode, key, keyMD5, iv string, plaintext []byte) {
		kms := &fakeKMS{wrapped: map[string]wrapping{}}
		if raw, err := base64.StdEncoding.DecodeString(key); err == nil {
			kms.wrapped[string(raw)] = wrapping{plaintext, keyARN, transcoder}
		}
		ring := NewKeyring(kms, keyARN, transcoder)
		defer ring.Close()
		m, err := ring.Unwrap(t.Context(), job.Encryption{Mode: mode, Key: key, KeyMd5: keyMD5, InitializationVector: iv})
		var failure *job.Failure
		switch {
		case err != nil && !errors.As(err, &failure):
			t.Errorf("not a failure: %v", err)
		case err == nil && m.Mode.TakesKey() != m.Mode.Takes(m.Key.Bits()):
			t.Errorf("%s came with %d bits", m.Mode.Name, m.Key.Bits())
		}
	})
}
