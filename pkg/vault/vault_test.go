package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/work"
)

// storage is as much of S3 as a vault needs: whole objects under conditional
// writes, ranges, and customer keys by their MD5.
type storage struct {
	mu      sync.Mutex
	objects map[string]stored
}

type stored struct {
	body   []byte
	header http.Header
}

const keyMD5 = "X-Amz-Server-Side-Encryption-Customer-Key-Md5"

func (s *storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, there := s.objects[r.URL.Path]
	switch {
	case r.Method == http.MethodPut && there && r.Header.Get("If-None-Match") == "*":
		w.WriteHeader(http.StatusPreconditionFailed)
	case r.Method == http.MethodPut:
		r.Header.Del("X-Amz-Content-Sha256")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		s.objects[r.URL.Path] = stored{plain(body, r.Header), r.Header}
		w.Header().Set("ETag", `"e"`)
	case !there:
		w.WriteHeader(http.StatusNotFound)
	case o.header.Get(keyMD5) != r.Header.Get(keyMD5):
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "<Error><Code>InvalidRequest</Code><Message>The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.</Message></Error>")
	default:
		w.Header().Set("ETag", `"e"`)
		for name, values := range o.header {
			if strings.HasPrefix(name, "X-Amz-Meta-") {
				w.Header()[name] = values
			}
		}
		first, last := 0, len(o.body)-1
		if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); n == 2 {
			last = min(last, len(o.body)-1)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(o.body)))
			defer w.Write(o.body[first : last+1])
			w.WriteHeader(http.StatusPartialContent)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(o.body)))
		w.Write(o.body)
	}
}

// plain takes the framing of aws-chunked off a body.
func plain(body []byte, h http.Header) []byte {
	if !strings.Contains(h.Get("Content-Encoding"), "aws-chunked") {
		return body
	}
	var all []byte
	for {
		var size int
		line, rest, _ := bytes.Cut(body, []byte("\r\n"))
		if fmt.Sscanf(string(line), "%x", &size); size == 0 {
			return all
		}
		all, body = append(all, rest[:size]...), rest[size+2:]
	}
}

// kms wraps keys by putting a word in front of them.
type kms struct{ calls int }

var wrapping = "wrapped with the key arn:k under {a b}: "

func (k *kms) Decrypt(_ context.Context, ciphertext []byte, _ string, _ map[string]string) ([]byte, error) {
	k.calls++
	raw, ok := strings.CutPrefix(string(ciphertext), wrapping)
	if !ok {
		return nil, seal.ErrInvalidCiphertext
	}
	return []byte(raw), nil
}

func (k *kms) Generate(_ context.Context, _ string, n int, _ map[string]string) (plaintext, ciphertext []byte, err error) {
	k.calls++
	raw := bytes.Repeat([]byte{byte(k.calls)}, n)
	return raw, append([]byte(wrapping), raw...), nil
}

// begin opens a session of a job with a work key, over an endpoint.
func begin(t *testing.T, endpoint string) *Session {
	t.Helper()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("A", "S", ""), RetryMaxAttempts: 1}
	v := New(s3store.New(cfg, s3store.Options{}), &kms{}, "work-files", nil)
	keys := plan.Keys{KeyARN: "arn:k", WorkKeyARN: "arn:k", Context: map[string]string{"a": "b"}}
	first, err := v.Open(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	if keys.Work, err = first.WorkKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.Close()
	s, err := v.Open(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func serve(t *testing.T) (*Session, *storage) {
	t.Helper()
	s3 := &storage{objects: map[string]stored{}}
	server := httptest.NewServer(s3)
	t.Cleanup(server.Close)
	return begin(t, server.URL), s3
}

func readAll(t *testing.T, s *Session, key string, size int64) ([]byte, error) {
	t.Helper()
	r, err := s.Work(t.Context(), key, size)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// TestWorkFiles: what is stored holds nothing of the plaintext, reads back, and
// can neither be changed, cut nor put in the place of another.
func TestWorkFiles(t *testing.T) {
	s, s3 := serve(t)
	want := []byte(strings.Repeat("a frame of the film; ", 9000))
	size, err := s.StoreWork(t.Context(), "j/a.data", bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	sealed := s3.objects["/work-files/j/a.data"]
	if size != int64(len(sealed.body)) || bytes.Contains(sealed.body, want[:20]) {
		t.Errorf("size %d of %d, or the plaintext is stored", size, len(sealed.body))
	}
	if got, err := readAll(t, s, "j/a.data", size); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	s3.objects["/work-files/j/b.data"] = sealed
	changed := bytes.Clone(sealed.body)
	changed[len(changed)/2]++
	s3.objects["/work-files/j/changed"] = stored{changed, sealed.header}
	for key, n := range map[string]int64{"j/b.data": size, "j/changed": size, "j/a.data": size - 1000} {
		if got, err := readAll(t, s, key, n); !errors.Is(err, work.ErrTampered) || !bytes.HasPrefix(want, got) {
			t.Errorf("%s: %d bytes, %v", key, len(got), err)
		}
	}
}

// TestBrokenSourceStoresNothing: half a file is no file.
func TestBrokenSourceStoresNothing(t *testing.T) {
	s, s3 := serve(t)
	broken := errors.New("the encoder died")
	source := io.MultiReader(strings.NewReader("half a film"), iotest.ErrReader(broken))
	if _, err := s.StoreWork(t.Context(), "j/a", source); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	o := plan.Output{Job: "j", ID: "1", Bucket: "out"}
	if _, err := s.Store(t.Context(), o, "x/a.ts", "video/mp2t", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if len(s3.objects) > 0 {
		t.Errorf("stored %v", s3.objects)
	}
}

// TestOutputsAreNeverOverwritten: a second attempt at the same file is told the
// size of the first; anybody else gets 3002.
func TestOutputsAreNeverOverwritten(t *testing.T) {
	s, s3 := serve(t)
	e, err := s.Seal(t.Context(), &job.Encryption{Mode: job.ModeSSEC})
	if err != nil || e.Key == "" {
		t.Fatalf("%+v, %v", e, err)
	}
	o := plan.Output{Job: "j", ID: "1", Bucket: "out", Encryption: e}
	other := o
	other.Job = "another"
	unsealed := o
	unsealed.Job, unsealed.Encryption = "another", nil
	for i, c := range []struct {
		o    plan.Output
		body string
		size int64
		code job.Code
	}{{o, "first", 5, 0}, {o, "again, longer", 5, 0}, {other, "theirs", 0, job.CodeOutputExists}, {unsealed, "theirs", 0, job.CodeOutputExists}} {
		sealed, err := s.Store(t.Context(), c.o, "x/a.ts", "video/mp2t", strings.NewReader(c.body))
		if (c.code == 0) != (err == nil) || err != nil && job.FailureOf(err).Code != c.code || sealed.Bytes != c.size {
			t.Errorf("%d: %d, %v", i, sealed.Bytes, err)
		}
	}
	if got := s3.objects["/out/x/a.ts"]; string(got.body) != "first" || got.header.Get(keyMD5) == "" {
		t.Errorf("%q", got.body)
	}
	for key, want := range map[string]bool{"x/a.ts": true, "x/b.ts": false} {
		if there, err := s.Exists(t.Context(), "out", key); err != nil || there != want {
			t.Errorf("%s exists: %v, %v", key, there, err)
		}
	}
}

// TestFilesOfASetHaveIVsOfTheirOwn: segments and thumbnails do, a single file has
// that of its output, and an attempt that comes later is told the first one's.
func TestFilesOfASetHaveIVsOfTheirOwn(t *testing.T) {
	s, s3 := serve(t)
	e, err := s.Seal(t.Context(), &job.Encryption{Mode: job.ModeCTR})
	if err != nil || e.InitializationVector == "" {
		t.Fatalf("%+v, %v", e, err)
	}
	single := plan.Output{Job: "j", ID: "1", Bucket: "out", Encryption: e}
	segments := single
	segments.SegmentFrames = 100
	whose := single
	whose.Thumbnails = &plan.Thumbnails{Bucket: "stills", Names: job.ThumbnailNames{Pattern: "{count}", Format: "png"}, Encryption: e}
	ivs := map[string]string{}
	for _, c := range []struct {
		o   plan.Output
		key string
		own bool
	}{{single, "a.mp4", false}, {segments, "a00000.ts", true}, {segments, "a00001.ts", true}, {whose.ThumbnailSet(), "00001.png", true}, {whose.ThumbnailSet(), "00002.png", true}} {
		sealed, err := s.Store(t.Context(), c.o, c.key, "video/mp4", strings.NewReader("media"))
		if err != nil || (sealed.IV != e.InitializationVector) != c.own || ivs[sealed.IV] != "" {
			t.Errorf("%s: %+v, %v; before it %v", c.key, sealed, err, ivs)
		}
		ivs[sealed.IV] = c.key
		meta := s3.objects["/"+c.o.Bucket+"/"+c.key].header
		if meta.Get("X-Amz-Meta-"+MetadataIV) != sealed.IV || meta.Get("X-Amz-Meta-"+MetadataKey) != e.Key {
			t.Errorf("%s: %v", c.key, meta)
		}
		again, err := s.Store(t.Context(), c.o, c.key, "video/mp4", strings.NewReader("MEDIA"))
		if err != nil || again != sealed {
			t.Errorf("%s again: %+v, %v", c.key, again, err)
		}
	}
	if s3.objects["/stills/00001.png"].body == nil {
		t.Error("the thumbnails are not in their bucket")
	}
}

// TestPin: what is not there, what needs another key, and what is fine.
func TestPin(t *testing.T) {
	s, _ := serve(t)
	key, err := s.Seal(t.Context(), &job.Encryption{Mode: job.ModeSSEC})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store(t.Context(), plan.Output{Bucket: "in", Encryption: key}, "film", "", strings.NewReader("film")); err != nil {
		t.Fatal(err)
	}
	in, err := s.Pin(t.Context(), "in", "film", "", key)
	if err != nil || in.Size != 4 || in.ETag != `"e"` {
		t.Errorf("%+v, %v", in, err)
	}
	r, err := s.Input(t.Context(), in, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(io.NewSectionReader(r, 0, 4)); err != nil || string(b) != "film" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := s.Pin(t.Context(), "in", "nothing", "", key); !errors.Is(err, object.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	bad := *key
	bad.Key = "AAAA" + bad.Key[4:]
	if _, err := s.Pin(t.Context(), "in", "film", "", &bad); job.FailureOf(err).Code != job.CodeUnwrapKey {
		t.Errorf("error %v", err)
	}
}

// TestKeysStayHereWithoutTLS: an endpoint over plain HTTP that is not this
// machine gets no customer key, and the job says why:
// customer keys go over TLS or loopback only.
func TestKeysStayHereWithoutTLS(t *testing.T) {
	s := begin(t, "http://storage.example:9000")
	key, err := s.Seal(t.Context(), &job.Encryption{Mode: job.ModeSSEC})
	if err != nil {
		t.Fatal(err)
	}
	o := plan.Output{Job: "j", ID: "1", Bucket: "out", Encryption: key}
	_, pinned := s.Pin(t.Context(), "in", "film", "", key)
	_, stored := s.Store(t.Context(), o, "x", "", strings.NewReader("film"))
	for _, err := range []error{pinned, stored} {
		var f *job.Failure
		if !errors.As(err, &f) || f.Code != job.CodeStorage || !strings.Contains(f.Detail, "use an https endpoint") {
			t.Errorf("error %v", err)
		}
	}
}

// TestPinHoldsInputsToTheirCommitment: an input that was encrypted here and is
// now under another name, mode, key or IV reads like any other that can't be
// decrypted, and before anything of it is read.
func TestPinHoldsInputsToTheirCommitment(t *testing.T) {
	s, s3 := serve(t)
	for _, mode := range []string{job.ModeCBC, job.ModeCTR, job.ModeGCM} {
		e, err := s.Seal(t.Context(), &job.Encryption{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Store(t.Context(), plan.Output{Bucket: "in", Encryption: e}, mode, "", strings.NewReader("film")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Pin(t.Context(), "in", mode, "", e); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		genuine := s3.objects["/in/"+mode]
		s3.objects["/in/copy-"+mode] = genuine
		stripped := stored{genuine.body, genuine.header.Clone()}
		stripped.header.Del("X-Amz-Meta-Sealreel-Commitment")
		s3.objects["/in/stripped-"+mode] = stripped
		foreign := stored{genuine.body, http.Header{}}
		s3.objects["/in/foreign-"+mode] = foreign
		if _, err := s.Pin(t.Context(), "in", "foreign-"+mode, "", e); err != nil {
			t.Errorf("%s that says nothing: %v", mode, err)
		}
		other, err := s.Seal(t.Context(), &job.Encryption{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		otherIV, otherMode := *e, *e
		otherIV.InitializationVector = other.InitializationVector
		otherMode.Mode = map[string]string{job.ModeCBC: job.ModeCTR, job.ModeCTR: job.ModeGCM, job.ModeGCM: job.ModeCTR}[mode]
		want := ""
		for name, c := range map[string]struct {
			key string
			e   *job.Encryption
		}{"copied": {"copy-" + mode, e}, "stripped": {"stripped-" + mode, e}, "another key": {mode, other}, "another IV": {mode, &otherIV}, "another mode": {mode, &otherMode}} {
			_, err := s.Pin(t.Context(), "in", c.key, "", c.e)
			f := job.FailureOf(err)
			if f.Code != job.CodeDecryptInput || !errors.Is(err, seal.ErrCommitment) {
				t.Errorf("%s, %s: %v", mode, name, err)
			}
			text := strings.NewReplacer(c.key, "", c.e.Mode, "").Replace(f.Detail)
			if want != "" && text != want {
				t.Errorf("%s, %s can be told from others: %q, %q", mode, name, text, want)
			}
			want = text
		}
	}
}
