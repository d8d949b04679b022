package vault

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/job"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
)

// TestStorage: files and playlists are stored in their class and with the
// pipeline's permissions. A bucket that refuses those is asked once a session, and
// the job hears of it.
func TestStorage(t *testing.T) {
	inner := &storage{objects: map[string]stored{}}
	refused := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/closed/") && r.Header.Get("X-Amz-Grant-Read") != "" {
			refused++
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, "<Error><Code>AccessControlListNotSupported</Code><Message>The bucket does not allow ACLs</Message></Error>")
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	store := s3store.New(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("A", "S", "")}, s3store.Options{})
	s, err := New(store, &kms{}, "work", nil).Open(t.Context(), plan.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, bucket := range []string{"open", "closed"} {
		o := plan.Output{Job: "j", ID: "1", Bucket: bucket, Encryption: &job.Encryption{Mode: job.ModeS3}, Storage: plan.Storage{
			StorageClass: pipeline.ReducedRedundancy, Permissions: []pipeline.Permission{{GranteeType: "Group", Grantee: "AllUsers", Access: []string{"Read"}}}}}
		for _, key := range []string{"a.ts", "b.ts"} {
			if _, err := s.Store(t.Context(), o, key, "video/mp2t", strings.NewReader("film")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.StorePlain(t.Context(), o, "a.m3u8", "", "j", strings.NewReader("list")); err != nil {
			t.Fatal(err)
		}
	}
	for name, o := range inner.objects {
		grant := ""
		if strings.HasPrefix(name, "/open/") {
			grant = `uri="http://acs.amazonaws.com/groups/global/AllUsers"`
		}
		if o.header.Get("X-Amz-Storage-Class") != "REDUCED_REDUNDANCY" || o.header.Get("X-Amz-Grant-Read") != grant {
			t.Errorf("%s: class %q, grant %q", name, o.header.Get("X-Amz-Storage-Class"), o.header.Get("X-Amz-Grant-Read"))
		}
	}
	if w := s.Warnings(); len(inner.objects) != 6 || refused != 1 || len(w) != 1 ||
		!strings.Contains(w[0], "in the bucket closed were stored without the Permissions of the pipeline, which S3 refused (AccessControlListNotSupported): the bucket does not allow ACLs") {
		t.Errorf("%d objects, %d refusals, warnings %q", len(inner.objects), refused, w)
	}
}
