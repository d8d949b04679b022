package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
)

// TestRefuse: a drop that can't be taken ends as a job in Error of which somebody
// hears, once.
func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		key   string
		cause error
		want  string
	}{
		{"d.job.json", fmt.Errorf("reading: %w", object.ErrAccess), "3003 "},
		{"film.mp4", fmt.Errorf("reading: %w", object.ErrAccess), "3003 "},
		{"film.mp4", job.BucketMissing("in"), "3005 "},
		{"d.job.json", errors.New("KMS is down: a secret of the cause"), "9999 "},
	} {
		w := newWorld()
		d := ledger.Drop{Bucket: "in", Key: c.key, VersionID: "v1"}
		for range 2 {
			if err := w.ingester().Refuse(t.Context(), d, at, c.cause); err != nil {
				t.Fatal(err)
			}
		}
		claim, err := w.ingester().Ledger.Claimed(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := w.ingester().Ledger.Job(t.Context(), claim.Job)
		if err != nil || rec.Job.Status != job.Error || rec.Job.PipelineID != defaultID || rec.Drop != d {
			t.Errorf("%s, %v: %+v, %v", c.key, c.cause, rec, err)
		}
		if detail := rec.Job.StatusDetail; !strings.HasPrefix(detail, c.want) || strings.Contains(detail, "secret") || len(rec.Warnings) > 0 {
			t.Errorf("%s, %v: %q, warnings %q", c.key, c.cause, detail, rec.Warnings)
		}
		if !slices.Equal(w.told, []string{job.Error}) {
			t.Errorf("%s, %v: told of %q", c.key, c.cause, w.told)
		}
	}
}

// TestSomebodyHearsOfBrokenDocuments: the pipeline that they name, or the default
// one.
func TestSomebodyHearsOfBrokenDocuments(t *testing.T) {
	const other = "1762992000000-other0"
	for document, want := range map[string]string{
		`no JSON`:  defaultID,
		`{"x": 1}`: defaultID,
		`{"PipelineId": "` + other + `", "Outputs": 7}`: other,
	} {
		w := newWorld()
		w.docs["d.job.json"] = []byte(document)
		d, err := w.drop("d.job.json")
		if err != nil {
			t.Fatal(err)
		}
		claim, err := w.ingester().Ledger.Claimed(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := w.ingester().Ledger.Job(t.Context(), claim.Job)
		if err != nil || rec.Job.Status != job.Error || rec.Job.PipelineID != want || !slices.Equal(w.told, []string{job.Error}) {
			t.Errorf("%s: %+v, %v, told of %q", document, rec, err, w.told)
		}
	}
}
