package ingest

import (
	"encoding/json"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
)

// thumbnailed makes a job whose outputs have the thumbnail patterns, under the mode,
// and returns its record and plan.
func thumbnailed(t *testing.T, w *world, mode string, patterns ...string) (*ledger.Record, *plan.Plan) {
	t.Helper()
	req := job.Request{PipelineID: defaultID, Inputs: []job.Input{{Key: "film.mp4"}}, OutputKeyPrefix: "x/"}
	for i, pattern := range patterns {
		req.Outputs = append(req.Outputs, job.Output{Key: string(rune('a' + i)), PresetID: "1351620000001-000010", Encryption: &job.Encryption{Mode: job.ModeSSEC},
			ThumbnailPattern: pattern, ThumbnailEncryption: &job.Encryption{Mode: mode}})
	}
	body, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	w.docs["d.job.json"], w.media["film.mp4"] = body, "v1"
	d, err := w.drop("d.job.json")
	if err != nil {
		t.Fatal(err)
	}
	rec := w.job(t, d)
	p, err := ledger.New(&w.state, "state").Plan(t.Context(), rec.Job.ID)
	if err != nil {
		t.Fatal(err)
	}
	return rec, p
}

// TestThumbnailsHaveKeysOfTheirOwn: made where none is named, and shown. An output
// without thumbnails needs none.
func TestThumbnailsHaveKeysOfTheirOwn(t *testing.T) {
	rec, p := thumbnailed(t, newWorld(), job.ModeGCM, "a{count}", "b{count}", "")
	seen := map[string]bool{"": true}
	for i, o := range rec.Job.Outputs[:2] {
		th := p.Outputs[i].Thumbnails
		if th == nil || o.ThumbnailEncryption == nil || *o.ThumbnailEncryption != *th.Encryption || th.Bucket != "out" {
			t.Fatalf("%+v, %+v", th, o.ThumbnailEncryption)
		}
		for _, e := range []*job.Encryption{o.Encryption, o.ThumbnailEncryption} {
			if seen[e.Key] {
				t.Errorf("key %q for two things", e.Key)
			}
			seen[e.Key] = true
		}
	}
	if e := rec.Job.Outputs[2].ThumbnailEncryption; p.Outputs[2].Thumbnails != nil || e.Key != "" {
		t.Errorf("%+v, %+v", p.Outputs[2].Thumbnails, e)
	}
}

// TestThumbnailNamesBelongToOneOutput, be the other one of the same job or its
// files in the bucket already.
func TestThumbnailNamesBelongToOneOutput(t *testing.T) {
	w := newWorld()
	w.taken["x/theirs00001.png"] = true
	_, p := thumbnailed(t, w, job.ModeSSEC, "t-{resolution}-{count}", "t-192x108-{count}", "theirs{count}", "u{count}")
	for i, taken := range []string{"", "x/t-192x108-00001.png", "x/theirs00001.png", ""} {
		o := p.Outputs[i]
		want := task3002(taken)
		if got := detail(o); got != want {
			t.Errorf("output %d: %q, want %q", i, got, want)
		}
	}
	owner, err := ledger.New(&w.state, "state").Owner(t.Context(), "out", "x/u{count}.png")
	if err != nil || owner.Output != "4" {
		t.Errorf("%+v, %v", owner, err)
	}
}

func detail(o plan.Output) string {
	if o.Failure == nil {
		return ""
	}
	return o.Failure.Detail
}

// task3002 is why an output fails whose name is taken.
func task3002(name string) string {
	if name == "" {
		return ""
	}
	return job.OutputExists("out", name).Detail
}

// TestThumbnailsApartFromTheirKey: S3 could not encrypt them (3006).
func TestThumbnailsApartFromTheirKey(t *testing.T) {
	w := newWorld()
	w.regions = map[string]string{"out": "us-west-2"}
	i := w.ingester()
	if err := i.Ledger.CreatePipeline(t.Context(), defaultID, []byte(`{"Id":"`+defaultID+`","Name":"d","InputBucket":"in","OutputBucket":"out","AwsKmsKeyArn":"`+nearKey+`"}`)); err != nil {
		t.Fatal(err)
	}
	_, p := thumbnailed(t, w, job.ModeS3KMS, "{count}", "")
	if f := p.Outputs[0].Failure; f == nil || f.Code != job.CodeKeyRegion {
		t.Errorf("%+v", f)
	}
	if f := p.Outputs[1].Failure; f != nil {
		t.Errorf("an output without thumbnails: %+v", f)
	}
}
