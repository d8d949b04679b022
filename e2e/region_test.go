package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sealreel/local/stack"
	"sealreel/pkg/job"
)

// TestKeyOfAnotherRegion has a pipeline name a KMS key of another region. Each
// output that needs the key says so, before anything is encoded and without a
// call of KMS; the one that does not is made; and the job carries the warning.
func TestKeyOfAnotherRegion(t *testing.T) {
	const (
		id  = "1762992000000-region"
		far = "arn:aws:kms:eu-central-1:" + stack.Account + ":key/mrk-1234abcd12ab34cd56ef1234567890ab"
	)
	name := unique(t)
	document, err := json.Marshal(map[string]any{
		"Id": id, "Name": "a key far away", "InputBucket": site.ingest, "OutputBucket": site.output, "AwsKmsKeyArn": far})
	if err != nil {
		t.Fatal(err)
	}
	if err := site.store.Create(t.Context(), site.state, "pipelines/"+id+".json", document); err != nil {
		t.Fatal(err)
	}
	req := job.Request{PipelineID: id, Inputs: []job.Input{{Key: name + ".mp4"}}, OutputKeyPrefix: name + "/"}
	for _, mode := range []string{job.ModeS3KMS, job.ModeGCM, job.ModeS3} {
		req.Outputs = append(req.Outputs, job.Output{Key: mode + ".mp4", PresetID: systemPreset + "000040", Encryption: &job.Encryption{Mode: mode}})
	}
	jobID := submit(t, req) // first, or the file becomes a job of the default pipeline too
	upload(t, name+".mp4", brief(t), nil)
	rec := ended(t, jobID)

	for n, want := range []struct{ status, says string }{
		{job.Error, ": Elastic Transcoder was unable to write the key=" + name + "/s3-aws-kms.mp4 to bucket=" + site.output + ", as the key is not in the same region"},
		{job.Error, ": Elastic Transcoder was unable to generate a data key using the KMS key ARN " + far + "; name its replica in the pipeline's region " + stack.Region},
		{job.Complete, ""},
	} {
		o := rec.Job.Outputs[n]
		if o.Status != want.status || !strings.Contains(o.StatusDetail, want.says) {
			t.Errorf("%s: %s %q", o.Key, o.Status, o.StatusDetail)
		}
	}
	if o := rec.Job.Outputs; !strings.HasPrefix(o[0].StatusDetail, "3006 ") || !strings.HasPrefix(o[1].StatusDetail, "4019 ") {
		t.Errorf("%+v", o)
	}
	if len(rec.Warnings) != 1 || !strings.HasPrefix(rec.Warnings[0], "6007: The AWS KMS key and ContentConfig bucket") {
		t.Errorf("warnings %q", rec.Warnings)
	}
	if got := keys(t, name+"/"); !slices.Equal(got, []string{name + "/s3.mp4"}) {
		t.Errorf("objects %q", got)
	}
	site.mu.Lock()
	defer site.mu.Unlock()
	for _, r := range site.calls {
		if r.Service == "kms" && strings.Contains(r.Resource, "mrk-") {
			t.Errorf("KMS was asked about the key: %+v", r)
		}
	}
}
