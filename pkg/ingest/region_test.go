package ingest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
)

const (
	stackKey = "arn:aws:kms:eu-west-1:111122223333:key/stack"
	farKey   = "arn:aws:kms:us-west-2:111122223333:key/far"
	nearKey  = "arn:aws:kms:eu-west-1:111122223333:key/near"
)

// ofRegions makes a job with an output in s3-aws-kms and one in s3, in a world
// whose buckets are in the regions, twice, and returns its record and plan.
func ofRegions(t *testing.T, keyARN string, regions map[string]string) (*ledger.Record, *plan.Plan) {
	t.Helper()
	w := newWorld()
	w.regions = regions
	w.media["film.mp4"] = "v1"
	body, err := json.Marshal(job.Request{
		PipelineID: defaultID, Inputs: []job.Input{{Key: "film.mp4"}}, OutputKeyPrefix: "x/",
		Outputs: []job.Output{
			{Key: "kms.mp4", PresetID: "1351620000001-000010", Encryption: &job.Encryption{Mode: job.ModeS3KMS}},
			{Key: "s3.mp4", PresetID: "1351620000001-000040", Encryption: &job.Encryption{Mode: job.ModeS3}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.docs["d.job.json"] = body
	i := w.ingester()
	i.KeyARN = stackKey
	i.DefaultPipeline = strings.Replace(i.DefaultPipeline, "arn:k", keyARN, 1)
	d := ledger.Drop{Bucket: "in", Key: "d.job.json", VersionID: "v1"}
	for range 2 {
		if err := i.Drop(t.Context(), d, at, false); err != nil {
			t.Fatal(err)
		}
	}
	rec := w.job(t, d)
	p, err := i.Ledger.Plan(t.Context(), rec.Job.ID)
	if err != nil {
		t.Fatal(err)
	}
	return rec, p
}

// What is in another region is warned of, once; an output that S3 could not
// encrypt fails alone; work files are sealed with a key that is here.
func TestRegions(t *testing.T) {
	for _, c := range []struct {
		name    string
		keyARN  string
		regions map[string]string
		codes   []string
		refused bool
		workKey string
	}{
		{"all here", nearKey, nil, nil, false, nearKey},
		{"no key", "", nil, nil, false, stackKey},
		{"the input apart", nearKey, map[string]string{"in": "us-west-2"}, []string{"6000"}, false, nearKey},
		{"the output apart", nearKey, map[string]string{"out": "us-west-2"}, []string{"6001", "6007"}, true, nearKey},
		{"the key apart", farKey, nil, []string{"6007"}, true, stackKey},
		{"key and output together", farKey, map[string]string{"out": "us-west-2"}, []string{"6001"}, false, stackKey},
		{"the output apart, and no key", "", map[string]string{"out": "us-west-2"}, []string{"6001"}, false, stackKey},
		{"buckets that don't tell", farKey, map[string]string{"in": "", "out": ""}, nil, false, stackKey},
	} {
		rec, p := ofRegions(t, c.keyARN, c.regions)
		var codes []string
		for _, w := range rec.Warnings {
			code, text, _ := strings.Cut(w, ": The ")
			if codes = append(codes, code); !strings.Contains(text, "are in different regions, which ") {
				t.Errorf("%s: %q", c.name, w)
			}
		}
		if !slices.Equal(codes, c.codes) {
			t.Errorf("%s: warnings %q", c.name, rec.Warnings)
		}
		f := p.Outputs[0].Failure
		if (f != nil) != c.refused || c.refused && (f.Code != job.CodeKeyRegion || !strings.Contains(f.Detail, "the key=x/kms.mp4 to bucket=out,")) {
			t.Errorf("%s: the output in s3-aws-kms: %+v", c.name, f)
		}
		if p.Outputs[1].Failure != nil || p.Keys.WorkKeyARN != c.workKey || p.Keys.KeyARN != c.keyARN {
			t.Errorf("%s: the output in s3: %+v, keys %+v", c.name, p.Outputs[1].Failure, p.Keys)
		}
	}
}
