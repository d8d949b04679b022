package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"sealreel/pkg/job"
)

// TestIngestMakesTheDefaultPipeline when it is needed before a round of reconcile
// has made it.
func TestIngestMakesTheDefaultPipeline(t *testing.T) {
	key := "pipelines/" + site.pipeline + ".json"
	if err := site.store.Delete(t.Context(), site.state, key); err != nil {
		t.Fatal(err)
	}
	name, file := unique(t), filepath.Join(t.TempDir(), "in.mp4")
	if err := os.WriteFile(file, []byte("no media"), 0o600); err != nil {
		t.Fatal(err)
	}
	upload(t, name+".mp4", file, nil)
	ended(t, submit(t, job.Request{Inputs: []job.Input{{Key: name + ".mp4"}}, OutputKeyPrefix: name + "/",
		Outputs: []job.Output{{Key: "web.mp4", PresetID: systemPreset + "000040"}}}))
	if p, err := site.ledger.Pipeline(t.Context(), site.pipeline); err != nil || p.ID != site.pipeline {
		t.Errorf("the pipeline is %+v, %v", p, err)
	}
}
