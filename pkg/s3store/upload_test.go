package s3store

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/seal"
)

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(3, uint64(n)))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

const partSize = 64

// Each length around the borders of parts, in each mode: the object, its
// requests and what each of them says.
func TestUpload(t *testing.T) {
	modes := map[string]struct {
		material *seal.Material
		kms      string
		header   http.Header // of Put and Create
		trio     http.Header // of Put, Create, Part and Complete
	}{
		"the bucket's": {},
		"s3":           {material: materialOf(t, job.ModeS3, seal.Key{}), kms: "unused", header: http.Header{"X-Amz-Server-Side-Encryption": {"AES256"}}},
		"s3-aws-kms": {material: materialOf(t, job.ModeS3KMS, seal.Key{}), kms: "arn:k",
			header: http.Header{"X-Amz-Server-Side-Encryption": {"aws:kms"}, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": {"arn:k"}}},
		"s3-aws-kms default": {material: materialOf(t, job.ModeS3KMS, seal.Key{}), header: http.Header{"X-Amz-Server-Side-Encryption": {"aws:kms"}}},
		"sse-c":              {material: customer(t, rawKey), trio: trioOf(rawKey)},
	}
	for name, mode := range modes {
		for _, length := range []int{0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 2*partSize + 1, 7*partSize + 3} {
			f := &fakeS3{}
			s := serve(t, f, partSize)
			want := noise(length)
			got, err := s.Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "a/b c.ts", ContentType: "video/mp2t",
				Metadata: map[string]string{"x": "y"}, Material: mode.material, KMSKeyARN: mode.kms, Writer: "job/task"}, bytes.NewReader(want))
			if err != nil {
				t.Fatalf("%s, %d bytes: %v", name, length, err)
			}
			o := f.objects["a/b c.ts"]
			if !bytes.Equal(o.body, want) || got.Size != int64(length) || got.ETag != o.etag || got.Earlier {
				t.Errorf("%s, %d bytes: stored %d, %+v", name, length, len(o.body), got)
			}
			if o.header.Get("Content-Type") != "video/mp2t" || o.header.Get("X-Amz-Meta-X") != "y" || o.header.Get("X-Amz-Meta-Sealreel-Writer") != "job/task" {
				t.Errorf("%s, %d bytes: metadata %v", name, length, o.header)
			}
			for _, r := range f.requests {
				making := r.op == "PUT" || r.op == "Create"
				checkHeaders(t, fmt.Sprintf("%s, %d bytes, %s", name, length, r.op), r.header, mode.header, making)
				checkHeaders(t, fmt.Sprintf("%s, %d bytes, %s", name, length, r.op), r.header, mode.trio, true)
				if conditional := r.op == "PUT" || r.op == "Complete"; (r.header.Get("If-None-Match") == "*") != conditional {
					t.Errorf("%s, %d bytes: %s has If-None-Match %q", name, length, r.op, r.header.Get("If-None-Match"))
				}
			}
			ops := f.ops()
			slices.Sort(ops)
			parts := strings.Repeat("Part ", (length+partSize-1)/partSize)
			if have, want := strings.Join(ops, " "), strings.TrimSpace("Complete Create "+parts); length > partSize && have != want || length <= partSize && have != "PUT" {
				t.Errorf("%s, %d bytes: requests %s", name, length, have)
			}
		}
	}
}

// Metadata of the size are on what is stored in one request, and leave the
// caller's alone.
func TestUploadMetadataOfTheSize(t *testing.T) {
	for length, want := range map[int]string{0: "0", partSize: "64", partSize + 1: ""} {
		f := &fakeS3{}
		metadata := map[string]string{"x": "y"}
		_, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "a", Metadata: metadata,
			SizeMetadata: func(size int64) map[string]string { return map[string]string{"size": fmt.Sprint(size)} }}, bytes.NewReader(noise(length)))
		if err != nil {
			t.Fatal(err)
		}
		header := f.objects["a"].header
		if header.Get("X-Amz-Meta-Size") != want || header.Get("X-Amz-Meta-X") != "y" || len(metadata) != 1 {
			t.Errorf("%d bytes: %v, and the caller's metadata %v", length, header, metadata)
		}
	}
}

// checkHeaders wants the headers there, or not at all.
func checkHeaders(t *testing.T, what string, got, want http.Header, there bool) {
	t.Helper()
	for name := range want {
		if expected := want.Get(name); there && got.Get(name) != expected || !there && got.Get(name) != "" {
			t.Errorf("%s: %s differs from what it should be", what, name)
		}
	}
	if want == nil && got.Get(keyHeader) != "" && !strings.HasPrefix(what, "sse-c") {
		t.Errorf("%s: a customer key was sent", what)
	}
}

func TestUploadReadsAnyReader(t *testing.T) {
	want := noise(3*partSize + 1)
	for i, chop := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		for _, length := range []int{0, partSize, partSize + 1, len(want)} {
			f := &fakeS3{}
			if _, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, chop(bytes.NewReader(want[:length]))); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.objects["k"].body, want[:length]) {
				t.Errorf("reader %d, %d bytes: another object", i, length)
			}
		}
	}
}

// A stream that breaks off never becomes an object, and no parts stay behind.
// io.ErrUnexpectedEOF is how a cut body shows: it is no end.
func TestBrokenStreamLeavesNothing(t *testing.T) {
	for _, broken := range []error{errors.New("encoder died"), io.ErrUnexpectedEOF} {
		for _, length := range []int{0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 5*partSize + 1} {
			f := &fakeS3{}
			r := io.MultiReader(bytes.NewReader(noise(length)), iotest.ErrReader(broken))
			_, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, r)
			if !errors.Is(err, broken) {
				t.Errorf("%d bytes, %v: %v", length, broken, err)
			}
			if len(f.objects) != 0 || len(f.uploads) != 0 {
				t.Errorf("%d bytes, %v: %d objects and %d uploads stay", length, broken, len(f.objects), len(f.uploads))
			}
		}
	}
}

// The parts of a canceled upload are removed although its context has ended.
func TestCanceledUploadLeavesNothing(t *testing.T) {
	f := &fakeS3{}
	s := serve(t, f, partSize)
	ctx, cancel := context.WithCancel(t.Context())
	r := io.MultiReader(bytes.NewReader(noise(4*partSize)), readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, ctx.Err()
	}))
	if _, err := s.Upload(ctx, UploadTarget{Bucket: bucket, Key: "k"}, r); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(f.objects) != 0 || len(f.uploads) != 0 || !slices.Contains(f.ops(), "Abort") {
		t.Errorf("%d uploads stay after %v", len(f.uploads), f.ops())
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A part that can't be stored stops the reading and is the error. Parts are sent
// at once, so that the third to arrive may be any of the first.
func TestFailedPart(t *testing.T) {
	f := &fakeS3{before: func(w http.ResponseWriter, op string, times int) bool {
		if op == "Part" && times >= 3 {
			refuse(w, 403, "AccessDenied", "Access Denied")
			return true
		}
		return false
	}}
	var read atomic.Int64
	endless := readerFunc(func(p []byte) (int, error) {
		read.Add(int64(len(p)))
		return len(p), nil
	})
	_, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, endless)
	if !errors.Is(err, object.ErrAccess) || !regexp.MustCompile(`: part [1-5]: `).MatchString(err.Error()) {
		t.Error(err)
	}
	if n := read.Load(); n > 8*partSize {
		t.Errorf("%d bytes were read", n)
	}
	if len(f.uploads) != 0 {
		t.Error("the parts stay")
	}
}

// An answer of 500 is tried again with the same bytes.
func TestRetriesSendTheSameBytes(t *testing.T) {
	for _, length := range []int{10, 3*partSize + 5} {
		f := &fakeS3{before: func(w http.ResponseWriter, op string, times int) bool {
			if times == 1 {
				refuse(w, 500, "InternalError", "We encountered an internal error. Please try again.")
			}
			return times == 1
		}}
		want := noise(length)
		if _, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, iotest.OneByteReader(bytes.NewReader(want))); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.objects["k"].body, want) {
			t.Errorf("%d bytes: another object", length)
		}
	}
}

// No more than three parts are read ahead of what is stored.
func TestUploadHoldsThreeParts(t *testing.T) {
	var read atomic.Int64
	hold := make(chan struct{})
	f := &fakeS3{before: func(_ http.ResponseWriter, op string, times int) bool {
		if op == "Part" {
			<-hold
		}
		return false
	}}
	r := io.LimitReader(readerFunc(func(p []byte) (int, error) {
		read.Add(int64(len(p)))
		return len(p), nil
	}), 10*partSize)
	done := make(chan error)
	s := serve(t, f, partSize)
	go func() {
		_, err := s.Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, r)
		done <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); read.Load() < 3*partSize && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // for a fourth one to be read, if it were
	if n := read.Load(); n != 3*partSize {
		t.Errorf("%d bytes were read ahead, want %d", n, 3*partSize)
	}
	close(hold)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// An upload whose answer got lost finds its own object when it is tried again,
// also where that can't be looked at without the key.
func TestLostAnswer(t *testing.T) {
	for _, material := range []*seal.Material{nil, customer(t, rawKey)} {
		for op, length := range map[string]int{"PUT": 10, "Complete": 2*partSize + 1} {
			f := &fakeS3{lose: func(o string, times int) bool { return o == op && times == 1 }}
			want := noise(length)
			got, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k", Writer: "w", Material: material}, bytes.NewReader(want))
			if err != nil || !got.Earlier || got.Size != int64(length) || got.ETag != f.objects["k"].etag {
				t.Errorf("%s: %+v, %v", op, got, err)
			}
			if len(f.uploads) != 0 {
				t.Errorf("%s: parts stay", op)
			}
		}
	}
}

// The name is taken: by whom decides.
func TestNameTaken(t *testing.T) {
	written := func(w string) http.Header { return http.Header{"X-Amz-Meta-Sealreel-Writer": {w}} }
	sealed := trioOf(otherID)
	sealed.Set("X-Amz-Meta-Sealreel-Writer", "w")
	for _, c := range []struct {
		name     string
		header   http.Header
		size     int // of what is there, relative to the upload
		material *seal.Material
		writer   string
		earlier  bool
		mine     bool
	}{
		{name: "an earlier attempt's", header: written("w"), writer: "w", earlier: true},
		{name: "an earlier attempt's of another size", header: written("w"), size: 1, writer: "w", mine: true},
		{name: "another writer's", header: written("v"), writer: "w"},
		{name: "nobody's", writer: "w"},
		{name: "nobody's, and nobody asks", writer: ""},
		{name: "sealed otherwise", header: sealed, writer: "w"},
		{name: "sealed with another key", header: sealed, material: customer(t, rawKey), writer: "w"},
		{name: "not sealed", header: written("w"), material: customer(t, rawKey), writer: "w"},
	} {
		for _, length := range []int{10, 3 * partSize} {
			f := &fakeS3{}
			f.put("k", strings.Repeat("-", length+c.size), c.header)
			before := f.objects["k"]
			got, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k", Writer: c.writer, Material: c.material}, bytes.NewReader(noise(length)))
			var taken *ExistsError
			if c.earlier != (err == nil) || got.Earlier != c.earlier {
				t.Errorf("%s, %d bytes: %+v, %v", c.name, length, got, err)
			}
			if err != nil && (!errors.Is(err, object.ErrExists) || !errors.As(err, &taken) || taken.Mine != c.mine || c.mine && taken.Info.Size != int64(length+c.size)) {
				t.Errorf("%s, %d bytes: %v", c.name, length, err)
			}
			if f.objects["k"] != before || len(f.uploads) != 0 {
				t.Errorf("%s, %d bytes: overwritten, or parts stay", c.name, length)
			}
		}
	}
}

// S3 answers 409 while another write of the name is under way.
func TestConflict(t *testing.T) {
	conflicts := func(op string, most int) func(http.ResponseWriter, string, int) bool {
		return func(w http.ResponseWriter, o string, times int) bool {
			if o == op && times <= most {
				refuse(w, 409, "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation against this resource.")
				return true
			}
			return false
		}
	}
	f := &fakeS3{before: conflicts("PUT", 2)}
	if _, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, strings.NewReader("x")); err != nil || len(f.ops()) != 3 {
		t.Errorf("%v after %v", err, f.ops())
	}
	f = &fakeS3{before: conflicts("PUT", 100)}
	if _, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, strings.NewReader("x")); !errors.Is(err, object.ErrChanged) || len(f.ops()) != conflictTries {
		t.Errorf("%v after %v", err, f.ops())
	}
	f = &fakeS3{before: conflicts("Complete", 100)}
	if _, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, bytes.NewReader(noise(2*partSize))); !errors.Is(err, object.ErrChanged) || len(f.uploads) != 0 {
		t.Errorf("%v after %v", err, f.ops())
	}
}

// What could not be removed is said beside the failure, not instead of it.
func TestAbortFails(t *testing.T) {
	f := &fakeS3{before: func(w http.ResponseWriter, op string, _ int) bool {
		if op == "Abort" {
			refuse(w, 403, "AccessDenied", "no aborts here")
		}
		return op == "Abort"
	}}
	broken := errors.New("encoder died")
	_, err := serve(t, f, partSize).Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, io.MultiReader(bytes.NewReader(noise(3*partSize)), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || errors.Is(err, object.ErrAccess) || !strings.Contains(err.Error(), "no aborts here") {
		t.Error(err)
	}
}

func TestTooManyParts(t *testing.T) {
	for length, fits := range map[int]bool{5 * partSize: true, 5*partSize + 1: false} {
		f := &fakeS3{}
		s := serve(t, f, partSize)
		s.maxParts = 5
		_, err := s.Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "k"}, bytes.NewReader(make([]byte, length)))
		if (err == nil) != fits || err != nil && !strings.Contains(err.Error(), "larger part size") || len(f.uploads) != 0 {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
}

// TestNameEncryption: with it no upload leaves its encryption to the bucket, and
// what is asked for stays.
func TestNameEncryption(t *testing.T) {
	f := &fakeS3{}
	store := serve(t, f, 4)
	store.named = true
	other := store.As(store.client.Options().Credentials)
	for name, c := range map[string]struct {
		material *seal.Material
		want     string
	}{
		"plain": {nil, "AES256"}, "s3": {materialOf(t, job.ModeS3, seal.Key{}), "AES256"}, "kms": {materialOf(t, job.ModeS3KMS, seal.Key{}), "aws:kms"},
		"sse-c": {customer(t, strings.Repeat("k", 32)), ""}, "here": {materialOf(t, job.ModeCTR, seal.Key{}), "AES256"},
	} {
		for size, body := range map[string]string{"one": "abc", "parts": "abcdefghijk"} {
			key := name + "-" + size
			if _, err := other.Upload(t.Context(), UploadTarget{Bucket: bucket, Key: key, Material: c.material}, strings.NewReader(body)); err != nil {
				t.Fatal(err)
			}
			if got := f.objects[key].header.Get("X-Amz-Server-Side-Encryption"); got != c.want {
				t.Errorf("%s names %q, want %q", key, got, c.want)
			}
		}
	}
}
