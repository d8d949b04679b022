package vault

import (
	"context"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/role"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// side is storage and a key service as somebody may use them.
type side struct {
	storage
	kms
	store *s3store.Store
}

func newSide(t *testing.T) *side {
	t.Helper()
	s := &side{storage: storage{objects: map[string]stored{}}}
	server := httptest.NewServer(&s.storage)
	t.Cleanup(server.Close)
	s.store = s3store.New(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("A", "S", "")}, s3store.Options{})
	return s
}

// TestRole: a job of a pipeline with a role has its objects and keys used with
// the role's rights and no others; work files stay the functions' own, and so
// does their key where the stack's KMS key wraps it.
func TestRole(t *testing.T) {
	for name, c := range map[string]struct {
		keyARN      string
		workKeyHere bool
	}{"with the pipeline's key": {"arn:k", false}, "with the stack's key": {"", true}} {
		t.Run(name, func(t *testing.T) {
			own, tenant := newSide(t), newSide(t)
			var asked []role.Role
			v := New(own.store, &own.kms, "work-files", func(_ context.Context, r role.Role, k role.Keys) (*s3store.Store, seal.Keys, error) {
				asked = append(asked, r)
				if k.ARN != c.keyARN || k.Context["a"] != "b" {
					t.Errorf("the session is for %+v", k)
				}
				return tenant.store, &tenant.kms, nil
			})
			keys := plan.Keys{KeyARN: c.keyARN, WorkKeyARN: "arn:k", Context: map[string]string{"a": "b"}, Role: &role.Role{ARN: "r"}}
			s, err := v.Open(t.Context(), keys)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if s.plan.Work, err = s.WorkKey(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.StoreWork(t.Context(), "j/a", strings.NewReader("work")); err != nil {
				t.Fatal(err)
			}
			if (own.kms.calls > 0) != c.workKeyHere || (tenant.kms.calls > 0) == c.workKeyHere {
				t.Errorf("the work key: %d calls of the functions, %d of the role", own.kms.calls, tenant.kms.calls)
			}
			o := plan.Output{Job: "j", ID: "1", Bucket: "out", Encryption: &job.Encryption{Mode: job.ModeS3}}
			if _, err := s.Store(t.Context(), o, "x.mp4", "video/mp4", strings.NewReader("film")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.StorePlain(t.Context(), o, "x.m3u8", "", "j", strings.NewReader("list")); err != nil {
				t.Fatal(err)
			}
			if in, err := s.Pin(t.Context(), "out", "x.mp4", "", nil); err != nil || in.Size != 4 {
				t.Errorf("%+v, %v", in, err)
			}
			if there, err := s.Exists(t.Context(), "out", "x.m3u8"); err != nil || !there {
				t.Errorf("%v, %v", there, err)
			}
			if names := slices.Sorted(maps.Keys(own.objects)); !slices.Equal(names, []string{"/work-files/j/a"}) {
				t.Errorf("stored with the functions' rights: %q", names)
			}
			if names := slices.Sorted(maps.Keys(tenant.objects)); !slices.Equal(names, []string{"/out/x.m3u8", "/out/x.mp4"}) {
				t.Errorf("stored with the role's rights: %q", names)
			}
			if len(asked) != 1 {
				t.Errorf("the role was taken on %d times", len(asked))
			}
		})
	}
}

// TestRefusedRoleOpensNothing: without its role a job gets no other rights.
func TestRefusedRoleOpensNothing(t *testing.T) {
	own := newSide(t)
	refuse := func(context.Context, role.Role, role.Keys) (*s3store.Store, seal.Keys, error) {
		return nil, nil, job.RoleRefused(nil, "r")
	}
	for _, assume := range []Assume{refuse, nil} {
		s, err := New(own.store, &own.kms, "work-files", assume).Open(t.Context(), plan.Keys{Role: &role.Role{ARN: "r"}})
		if s != nil || job.FailureOf(err).Code != job.CodeAssumeRole {
			t.Errorf("%v, %v", s, err)
		}
	}
}
