package crash

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.yaml.in/yaml/v3"
)

// buckets are those of the template, by their logical ids.
func buckets() map[string]string {
	return map[string]string{"IngestBucket": site.ingest, "OutputBucket": site.output, "StateBucket": site.state, "WorkBucket": site.work}
}

// unfinishedUploads logs the uploads in parts that dead functions left, which
// lifecycle rules abort; it complains of what is nobody's.
func unfinishedUploads(t *testing.T) {
	t.Helper()
	n := 0
	for _, bucket := range buckets() {
		out, err := site.objects.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range out.Uploads {
			key := aws.ToString(u.Key)
			if site.recorder.trialOf(namePattern.FindString(key)) == nil && site.recorder.trialOf(jobIn(key)) == nil {
				t.Errorf("an unfinished upload of %s/%s belongs to no job", bucket, key)
			}
		}
		n += len(out.Uploads)
	}
	if n > 0 {
		t.Logf("%d unfinished uploads are left to lifecycle rules", n)
	}
}

// TestLifecycleCollectsWhatTheDeadLeave: every bucket aborts unfinished uploads,
// and the work bucket, in which each attempt has files of its own, expires.
func TestLifecycleCollectsWhatTheDeadLeave(t *testing.T) {
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Properties struct {
				LifecycleConfiguration struct {
					Rules []struct {
						Status, Prefix                 string
						ExpirationInDays               int `yaml:"ExpirationInDays"`
						AbortIncompleteMultipartUpload struct {
							DaysAfterInitiation int `yaml:"DaysAfterInitiation"`
						} `yaml:"AbortIncompleteMultipartUpload"`
					} `yaml:"Rules"`
				} `yaml:"LifecycleConfiguration"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	for id := range buckets() {
		aborts, expires := false, false
		for _, rule := range template.Resources[id].Properties.LifecycleConfiguration.Rules {
			aborts = aborts || rule.AbortIncompleteMultipartUpload.DaysAfterInitiation > 0
			expires = expires || rule.ExpirationInDays > 0
		}
		if !aborts {
			t.Errorf("%s keeps unfinished uploads for ever", id)
		}
		if expires != (id == "WorkBucket") {
			t.Errorf("%s: objects expire: %v", id, expires)
		}
	}
}
