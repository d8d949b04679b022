package s3store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/seal"
)

var _ ledger.Objects = (*Store)(nil)

func TestHead(t *testing.T) {
	for name, material := range map[string]*seal.Material{"plain": nil, "sse-c": customer(t, rawKey)} {
		f := &fakeS3{}
		header := http.Header{}
		if material != nil {
			header = trioOf(rawKey)
		}
		header.Set("Content-Type", "video/mp4")
		header.Set("X-Amz-Meta-Sealreel-Writer", "w")
		f.put("a b", "0123456789", header)
		info, err := serve(t, f, 0).Head(t.Context(), Object{Bucket: bucket, Key: "a b"}, material)
		if err != nil || info.Size != 10 || info.ETag != `"1"` || info.VersionID != "v1" || info.ContentType != "video/mp4" || !maps.Equal(info.Metadata, map[string]string{"sealreel-writer": "w"}) {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if len(f.requests) != 1 {
			t.Errorf("%s: requests %v", name, f.ops())
		}
	}
}

// The errors of HEAD, GET and records by what is wrong with the object. HEAD
// answers have no body, so they take a GET to be told apart.
func TestReadErrors(t *testing.T) {
	denied := func(w http.ResponseWriter, op string, _ int) bool {
		refuse(w, 403, "AccessDenied", "User: arn:aws:iam::1:user/u is not authorized to perform: s3:GetObject")
		return true
	}
	for _, c := range []struct {
		name     string
		o        Object
		header   http.Header
		material *seal.Material
		before   func(http.ResponseWriter, string, int) bool
		want     error
	}{
		{name: "missing", o: Object{Bucket: bucket, Key: "other"}, want: object.ErrNotExist},
		{name: "missing bucket", o: Object{Bucket: "other", Key: "k"}, want: object.ErrNoBucket},
		{name: "changed", o: Object{Bucket: bucket, Key: "k", ETag: `"77"`}, want: object.ErrChanged},
		{name: "sealed, no key", o: Object{Bucket: bucket, Key: "k"}, header: trioOf(rawKey), want: object.ErrNeedsKey},
		{name: "sealed, another key", o: Object{Bucket: bucket, Key: "k"}, header: trioOf(rawKey), material: customer(t, otherID), want: object.ErrNeedsKey},
		{name: "not sealed, a key", o: Object{Bucket: bucket, Key: "k"}, material: customer(t, rawKey), want: ErrNoCustomerKey},
		{name: "denied", o: Object{Bucket: bucket, Key: "k"}, before: denied, want: object.ErrAccess},
		{name: "denied, with a key", o: Object{Bucket: bucket, Key: "k"}, material: customer(t, rawKey), before: denied, want: object.ErrAccess},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeS3{before: c.before}
			f.put("k", "0123456789", c.header)
			s := serve(t, f, 0)
			_, head := s.Head(t.Context(), c.o, c.material)
			_, ranged := s.ReadRange(t.Context(), c.o, c.material, 2, 3)
			errs := map[string]error{"Head": head, "ReadRange": ranged}
			if c.o.ETag == "" && c.material == nil {
				_, _, errs["Get"] = s.Get(t.Context(), c.o.Bucket, c.o.Key)
			}
			for call, err := range errs {
				for _, kind := range []error{object.ErrNotExist, object.ErrNoBucket, object.ErrChanged, object.ErrNeedsKey, object.ErrAccess, object.ErrExists, ErrNoCustomerKey, ErrThrottled, ErrKMSKey} {
					if errors.Is(err, kind) != (kind == c.want) {
						t.Errorf("%s: is it %q? %v", call, kind, err)
					}
				}
				if err != nil && (!strings.Contains(err.Error(), c.o.String()) || strings.Contains(err.Error(), rawKey) || strings.Contains(err.Error(), base64Of([]byte(rawKey)))) {
					t.Errorf("%s: %v", call, err)
				}
			}
		})
	}
}

// Throttled requests are tried again, a few times.
func TestThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock does not wait for the pauses
		requests := 0
		cfg := aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
			HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
				requests++
				body := io.NopCloser(strings.NewReader("<Error><Code>SlowDown</Code></Error>"))
				return &http.Response{StatusCode: 503, Header: http.Header{}, Body: body, Request: r}, nil
			})}
		_, _, err := New(cfg, Options{}).Get(t.Context(), bucket, "k")
		if !errors.Is(err, ErrThrottled) || requests != maxAttempts {
			t.Errorf("%d requests, %v", requests, err)
		}
	})
}

func TestReadRange(t *testing.T) {
	f := &fakeS3{}
	want := noise(100)
	f.put("k", string(want), trioOf(rawKey))
	s := serve(t, f, 0)
	o := Object{Bucket: bucket, Key: "k", VersionID: "v1", ETag: `"1"`}
	for off := range int64(100) {
		for _, n := range []int64{1, 7, 100 - off, 200} {
			body, err := s.ReadRange(t.Context(), o, customer(t, rawKey), off, n)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if err != nil || !bytes.Equal(got, want[off:min(off+n, 100)]) {
				t.Fatalf("%d bytes at %d: got %d, %v", n, off, len(got), err)
			}
			body.Close()
			if off > 3 {
				break
			}
		}
	}
	r := f.requests[0]
	if r.header.Get("If-Match") != `"1"` || r.header.Get("Range") != "bytes=0-0" {
		t.Errorf("sent %v", r.header)
	}
	for _, bad := range [][2]int64{{-1, 5}, {0, 0}, {0, -1}} {
		if _, err := s.ReadRange(t.Context(), o, nil, bad[0], bad[1]); err == nil {
			t.Errorf("a range of %d bytes at %d was read", bad[1], bad[0])
		}
	}
	if _, err := s.ReadRange(t.Context(), o, customer(t, rawKey), 100, 5); err == nil {
		t.Error("a range behind the end was read")
	}
}

// A server that takes no notice of ranges or conditions is not believed.
func TestReadRangeChecksTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		off    int64
		want   string // "" for an error
		kind   error
	}{
		"the whole object from its start": {func(w http.ResponseWriter) { w.Header().Set("ETag", `"1"`); io.WriteString(w, "0123456789") }, 0, "01234", nil},
		"the whole object":                {func(w http.ResponseWriter) { w.Header().Set("ETag", `"1"`); io.WriteString(w, "0123456789") }, 2, "", nil},
		"another range": {func(w http.ResponseWriter) {
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Content-Range", "bytes 20-24/100")
			w.WriteHeader(206)
			io.WriteString(w, "01234")
		}, 2, "", nil},
		"another object": {func(w http.ResponseWriter) {
			w.Header().Set("ETag", `"2"`)
			w.Header().Set("Content-Range", "bytes 2-6/10")
			w.WriteHeader(206)
			io.WriteString(w, "01234")
		}, 2, "", object.ErrChanged},
	} {
		f := &fakeS3{before: func(w http.ResponseWriter, _ string, _ int) bool { c.answer(w); return true }}
		body, err := serve(t, f, 0).ReadRange(t.Context(), Object{Bucket: bucket, Key: "k", ETag: `"1"`}, nil, c.off, 5)
		if c.want == "" {
			if err == nil || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := io.ReadAll(body); string(got) != c.want {
			t.Errorf("%s: read %q", name, got)
		}
	}
}

func TestVersionIsAskedFor(t *testing.T) {
	var query string
	f := &fakeS3{}
	f.put("k", "x", nil)
	s := serve(t, f, 0)
	f.before = func(http.ResponseWriter, string, int) bool { return false }
	o := Object{Bucket: bucket, Key: "k", VersionID: "v 1"}
	if _, err := s.Head(t.Context(), o, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReadRange(t.Context(), o, nil, 0, 1); err != nil {
		t.Fatal(err)
	}
	for _, r := range f.requests {
		if query = r.query; !strings.Contains(query, "versionId=v") {
			t.Errorf("%s asked for %q", r.op, query)
		}
	}
}

func TestRecords(t *testing.T) {
	f := &fakeS3{}
	s := serve(t, f, 0)
	ctx := t.Context()
	if err := s.Create(ctx, bucket, "jobs/1.json", []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(ctx, bucket, "jobs/1.json", []byte("two")); !errors.Is(err, object.ErrExists) {
		t.Errorf("Create again: %v", err)
	}
	body, etag, err := s.Get(ctx, bucket, "jobs/1.json")
	if err != nil || string(body) != "one" {
		t.Fatalf("%q, %v", body, err)
	}
	if err := s.Replace(ctx, bucket, "jobs/1.json", []byte("three"), etag); err != nil {
		t.Error(err)
	}
	if err := s.Replace(ctx, bucket, "jobs/1.json", []byte("four"), etag); !errors.Is(err, object.ErrChanged) {
		t.Errorf("Replace of an old one: %v", err)
	}
	if err := s.Put(ctx, bucket, "jobs/1.json", []byte("five")); err != nil {
		t.Error(err)
	}
	if body, _, err = s.Get(ctx, bucket, "jobs/1.json"); err != nil || string(body) != "five" {
		t.Errorf("%q, %v", body, err)
	}
	for range 2 {
		if err := s.Delete(ctx, bucket, "jobs/1.json"); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := s.Get(ctx, bucket, "jobs/1.json"); !errors.Is(err, object.ErrNotExist) {
		t.Error(err)
	}
	// A conflict is tried again where the record must be new, and is the
	// caller's where it must match.
	f.before = func(w http.ResponseWriter, op string, times int) bool {
		if op == "PUT" {
			refuse(w, 409, "ConditionalRequestConflict", "conflicting operation")
		}
		return op == "PUT"
	}
	f.requests = nil
	if err := s.Replace(ctx, bucket, "k", nil, etag); !errors.Is(err, object.ErrChanged) || len(f.requests) != 1 {
		t.Errorf("Replace: %v after %d requests", err, len(f.requests))
	}
}

func TestGetIsBounded(t *testing.T) {
	f := &fakeS3{}
	f.put("fits", strings.Repeat("x", MaxRecord), nil)
	f.put("too long", strings.Repeat("x", MaxRecord+1), nil)
	s := serve(t, f, 0)
	if body, _, err := s.Get(t.Context(), bucket, "fits"); err != nil || len(body) != MaxRecord {
		t.Error(err)
	}
	if _, _, err := s.Get(t.Context(), bucket, "too long"); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestList(t *testing.T) {
	f := &fakeS3{}
	for i := range 7 {
		f.put(fmt.Sprintf("a/%d", i), strings.Repeat("x", i), nil)
	}
	f.put("b/0", "", nil)
	s := serve(t, f, 0)
	var keys []string
	for e, err := range s.List(t.Context(), bucket, "a/", "a/1") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Key != fmt.Sprintf("a/%d", e.Size) {
			t.Errorf("%+v", e)
		}
		keys = append(keys, e.Key)
	}
	if got := strings.Join(keys, " "); got != "a/2 a/3 a/4 a/5 a/6" {
		t.Errorf("listed %s", got)
	}
	keys = nil
	for key, err := range s.Keys(t.Context(), bucket, "a/") {
		if err != nil {
			t.Fatal(err)
		}
		if keys = append(keys, key); len(keys) == 3 {
			break
		}
	}
	if got := strings.Join(keys, " "); got != "a/0 a/1 a/2" {
		t.Errorf("listed %s", got)
	}
	failed := 0
	for _, err := range s.Keys(t.Context(), "other", "") {
		if !errors.Is(err, object.ErrNoBucket) {
			t.Error(err)
		}
		failed++
	}
	if failed != 1 {
		t.Errorf("%d errors", failed)
	}
}
