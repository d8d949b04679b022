package s3store

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/seal"
)

// amazon is the S3 of all regions with one bucket, which is in region. It is the
// HTTP client: what it is asked goes nowhere else.
type amazon struct {
	fakeS3
	region string
	// refuse answers a request that came to another region.
	refuse func(w http.ResponseWriter, r *http.Request)
	// head, when set, answers HeadBucket.
	head func(w http.ResponseWriter)

	mu    sync.Mutex
	asked []string // hosts, with the operation
}

func (a *amazon) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	name, host, _ := strings.Cut(r.URL.Host, ".")
	region := strings.TrimSuffix(strings.TrimPrefix(host, "s3."), ".amazonaws.com")
	r.URL.Path = "/" + name + r.URL.Path
	op := operation(r)
	headBucket := op == "HEAD" && strings.Count(r.URL.Path, "/") == 2 && strings.HasSuffix(r.URL.Path, "/")
	if headBucket {
		op = "HeadBucket"
	}
	a.mu.Lock()
	a.asked = append(a.asked, op+" "+region)
	a.mu.Unlock()
	w := httptest.NewRecorder()
	switch {
	case !strings.Contains(r.Header.Get("Authorization"), "/"+region+"/s3/aws4_request"):
		refuse(w, 403, "SignatureDoesNotMatch", "signed for another region than "+region)
	case headBucket && a.head != nil:
		a.head(w)
	case headBucket:
		w.Header().Set(regionHeader, a.region)
		if region != a.region {
			w.WriteHeader(301)
		}
	case region != a.region:
		a.refuse(w, r)
	default:
		a.ServeHTTP(w, r)
	}
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// moved answers as S3 does to a request for a bucket of another region, with and
// without what it leaves out at times.
func moved(status int, code, region string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://elsewhere.example.com/bucket/k")
		if region != "" {
			w.Header().Set(regionHeader, region)
		}
		if r.Method == "HEAD" {
			w.WriteHeader(status)
			return
		}
		refuse(w, status, code, "The bucket you are attempting to access must be addressed using the specified endpoint.")
	}
}

func (a *amazon) store() *Store {
	return New(aws.Config{Region: "us-east-1", HTTPClient: a, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}, Options{PartSize: partSize})
}

// everything does all that a store can, and returns what failed.
func everything(t *testing.T, s *Store) error {
	ctx := t.Context()
	o, m := Object{Bucket: bucket, Key: "k"}, customer(t, rawKey)
	errs := []error{s.Create(ctx, bucket, "record", []byte("{}"))}
	_, err := s.Head(ctx, o, m)
	errs = append(errs, err)
	body, err := s.ReadRange(ctx, o, m, 0, 1)
	if err == nil {
		body.Close()
	}
	errs = append(errs, err)
	_, err = s.Upload(ctx, UploadTarget{Bucket: bucket, Key: "whole", Material: m}, strings.NewReader("x"))
	errs = append(errs, err)
	_, err = s.Upload(ctx, UploadTarget{Bucket: bucket, Key: "parts", Material: m}, bytes.NewReader(make([]byte, 3*partSize)))
	errs = append(errs, err)
	n := 0
	for _, err := range s.List(ctx, bucket, "", "") {
		errs = append(errs, err)
		n++
	}
	if n != 4 {
		errs = append(errs, fmt.Errorf("%d objects are listed", n))
	}
	return errors.Join(append(errs, s.Delete(ctx, bucket, "record"))...)
}

// A bucket of another region works, whichever way S3 says where it is; from then
// on it is asked there at once, and nobody else is ever asked.
func TestBucketOfAnotherRegion(t *testing.T) {
	for _, c := range []struct {
		name   string
		refuse func(http.ResponseWriter, *http.Request)
		detour []string // requests to the configuration's region
	}{
		{"301", moved(301, "PermanentRedirect", "eu-central-1"), []string{"PUT"}},
		{"301 without the region", moved(301, "PermanentRedirect", ""), []string{"PUT", "HeadBucket"}},
		{"301 with what is no region", moved(301, "PermanentRedirect", "evil.example.com/"), []string{"PUT", "HeadBucket"}},
		{"307", moved(307, "TemporaryRedirect", "eu-central-1"), []string{"PUT"}},
		{"400", moved(400, "AuthorizationHeaderMalformed", "eu-central-1"), []string{"PUT"}},
		{"400 without the region", moved(400, "AuthorizationHeaderMalformed", ""), []string{"PUT", "HeadBucket"}},
	} {
		a := &amazon{region: "eu-central-1", refuse: c.refuse}
		a.put("k", "x", trioOf(rawKey))
		if err := everything(t, a.store()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var detour []string
		for _, asked := range a.asked {
			op, region, _ := strings.Cut(asked, " ")
			switch region {
			case "us-east-1":
				detour = append(detour, op)
			case "eu-central-1":
			default:
				t.Errorf("%s: asked %s", c.name, asked)
			}
		}
		if !slices.Equal(detour, c.detour) {
			t.Errorf("%s: asked in the wrong region: %v", c.name, detour)
		}
	}
}

// Whatever is asked first finds the region, though the answers to a HEAD have no
// code that would say what is wrong.
func TestFirstRequestFindsTheRegion(t *testing.T) {
	o := Object{Bucket: bucket, Key: "k"}
	for name, ask := range map[string]func(*Store) error{
		"Head": func(s *Store) error { _, err := s.Head(t.Context(), o, nil); return err },
		"Get":  func(s *Store) error { _, _, err := s.Get(t.Context(), bucket, "k"); return err },
		"Upload": func(s *Store) error {
			_, err := s.Upload(t.Context(), UploadTarget{Bucket: bucket, Key: "new"}, bytes.NewReader(make([]byte, 3*partSize)))
			return err
		},
		"Keys": func(s *Store) error {
			for _, err := range s.Keys(t.Context(), bucket, "") {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Delete": func(s *Store) error { return s.Delete(t.Context(), bucket, "k") },
	} {
		for _, status := range []int{301, 400} {
			a := &amazon{region: "eu-central-1", refuse: moved(status, "AuthorizationHeaderMalformed", "eu-central-1")}
			a.put("k", "x", nil)
			if err := ask(a.store()); err != nil {
				t.Errorf("%s, %d: %v", name, status, err)
			}
		}
	}
}

// A refusal that is none for the region is neither asked about nor repeated.
func TestOtherRefusalsStay(t *testing.T) {
	for _, header := range []string{"", "us-east-1"} {
		a := &amazon{region: "us-east-1"}
		a.before = func(w http.ResponseWriter, _ string, _ int) bool {
			if header != "" {
				w.Header().Set(regionHeader, header)
			}
			refuse(w, 400, "InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
			return true
		}
		if _, _, err := a.store().Get(t.Context(), bucket, "k"); !errors.Is(err, object.ErrNeedsKey) || len(a.asked) != 1 {
			t.Errorf("%v, asked %v", err, a.asked)
		}
	}
}

// Who uses the same S3 under other credentials need not find the region again.
func TestRegionsAreShared(t *testing.T) {
	a := &amazon{region: "eu-central-1", refuse: moved(301, "PermanentRedirect", "eu-central-1")}
	a.put("k", "x", nil)
	s := a.store()
	for range 2 {
		other := s.As(credentials.NewStaticCredentialsProvider("other", "secret", ""))
		if _, _, err := other.Get(t.Context(), bucket, "k"); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"GET us-east-1", "GET eu-central-1", "GET eu-central-1"}; !slices.Equal(a.asked, want) {
		t.Errorf("asked %v", a.asked)
	}
}

// S3 that names regions in circles ends in its refusal.
func TestRegionsInCircles(t *testing.T) {
	a := &amazon{region: "nowhere", refuse: func(w http.ResponseWriter, r *http.Request) {
		next := "eu-west-1"
		if strings.Contains(r.URL.Host, next) {
			next = "us-east-1"
		}
		moved(301, "PermanentRedirect", next)(w, r)
	}}
	if _, _, err := a.store().Get(t.Context(), bucket, "k"); status(err) != 301 || len(a.asked) != 2 {
		t.Errorf("%v, asked %v", err, a.asked)
	}
}

func TestRegion(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		header string
		want   string
		kind   error
	}{
		{"its own", 200, "us-east-1", "us-east-1", nil},
		{"another", 301, "eu-central-1", "eu-central-1", nil},
		{"another, badly signed", 400, "eu-central-1", "eu-central-1", nil},
		{"no permission, but told", 403, "eu-central-1", "eu-central-1", nil},
		{"no permission", 403, "", "", object.ErrAccess},
		{"no bucket", 404, "", "", object.ErrNoBucket},
		{"no region", 200, "", "", nil},
		{"what is no region", 200, "a.b", "", nil},
		{"an empty answer", 301, "", "", nil},
	} {
		a := &amazon{region: "us-east-1", head: func(w http.ResponseWriter) {
			if c.header != "" {
				w.Header().Set(regionHeader, c.header)
			}
			w.WriteHeader(c.status)
		}}
		s := a.store()
		for range 3 {
			got, err := s.Region(t.Context(), bucket)
			if got != c.want || (err == nil) != (c.want != "") || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("%s: %q, %v", c.name, got, err)
			}
		}
		if c.want != "" && len(a.asked) != 1 {
			t.Errorf("%s: asked %v", c.name, a.asked)
		}
	}
}

// Behind an endpoint of one's own the address stays, and the signature is for
// the region that it names.
func TestRegionBehindAnEndpoint(t *testing.T) {
	var scopes []string
	f := &fakeS3{}
	f.put("k", "x", nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=id/")
		region := strings.Split(scope, "/")[1]
		scopes = append(scopes, region)
		if region != "garage" {
			moved(400, "AuthorizationHeaderMalformed", "garage")(w, r)
			return
		}
		f.ServeHTTP(w, r)
	}))
	defer server.Close()
	s := New(configOf(server), Options{})
	for range 2 {
		if _, _, err := s.Get(t.Context(), bucket, "k"); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"eu-west-1", "garage", "garage"}; !slices.Equal(scopes, want) {
		t.Errorf("signed for %v", scopes)
	}
}

// S3's answers about a KMS key of another region end as 3006, in one request and
// in parts.
func TestKMSKeyOfAnotherRegion(t *testing.T) {
	const arn = "arn:aws:kms:us-west-2:111122223333:key/k"
	for _, message := range []string{"Invalid arn us-west-2", "Key '" + arn + "' does not exist"} {
		for _, size := range []int{1, 3 * partSize} {
			f := &fakeS3{before: func(w http.ResponseWriter, _ string, _ int) bool {
				refuse(w, 400, "KMS.NotFoundException", message)
				return true
			}}
			target := UploadTarget{Bucket: bucket, Key: "a/b.mp4", Material: materialOf(t, job.ModeS3KMS, seal.Key{}), KMSKeyARN: arn}
			_, err := serve(t, f, partSize).Upload(t.Context(), target, bytes.NewReader(make([]byte, size)))
			var failure *job.Failure
			if !errors.As(OutputFailure(err, bucket, "a/b.mp4"), &failure) || failure.Code != job.CodeKeyRegion ||
				!strings.HasPrefix(failure.Detail, "Elastic Transcoder was unable to write the key=a/b.mp4 to bucket=bucket, as the key is not in the same region as the bucket") {
				t.Errorf("%q: %v", message, err)
			}
		}
	}
}
