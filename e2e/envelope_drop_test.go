package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/s3store"
	"sealreel/pkg/vault"
)

// envelopePipeline is a pipeline whose dropped files AWS's S3 Encryption Client
// encrypts, and whose outputs it can read. It takes files under prefix/in/.
func envelopePipeline(t *testing.T, id, prefix string) {
	t.Helper()
	mode := map[string]string{"Mode": job.ModeS3EC}
	document, err := json.Marshal(map[string]any{
		"Id": id, "Name": "the encryption client's", "InputBucket": site.ingest, "OutputBucket": site.output, "AwsKmsKeyArn": site.keyARN,
		"Sealreel": map[string]any{
			"InputEncryption": mode,
			"Drop": map[string]any{
				"Prefix": prefix + "/in/",
				"Template": map[string]any{"OutputKeyPrefix": prefix + "/out/{stem}/", "Outputs": []any{
					map[string]any{"Key": "hls", "PresetId": systemPreset + "200050", "SegmentDuration": "4", "Encryption": mode},
					map[string]any{"Key": "web.mp4", "PresetId": systemPreset + "000040", "Encryption": mode},
				}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := site.store.Create(t.Context(), site.state, "pipelines/"+id+".json", document); err != nil {
		t.Fatal(err)
	}
}

// dropEnveloped drops a file as it is, and returns the record of the job that it
// became, which has ended.
func dropEnveloped(t *testing.T, key string, sealed []byte, metadata map[string]string) *ledger.Record {
	t.Helper()
	uploadEnveloped(t, key, sealed, metadata)
	info, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.ingest, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ended(t, claimed(t, ledger.Drop{Bucket: site.ingest, Key: key, VersionID: info.VersionID}))
}

// TestEncryptionClientDrops drops files of AWS's client without a document where
// the pipeline says that they are, and one of our outputs under its own metadata,
// which is bound to another name.
func TestEncryptionClientDrops(t *testing.T) {
	const id = "1762992000000-client"
	name, plain := unique(t), read(t, brief(t))
	envelopePipeline(t, id, name)

	sealed, metadata := enveloped(t, plain)
	rec := dropEnveloped(t, name+"/in/clip.mp4", sealed, metadata)
	if rec.Job.Status != job.Complete || rec.Job.PipelineID != id || rec.Job.Inputs[0].Encryption.Mode != job.ModeS3EC {
		t.Fatalf("%+v", rec.Job)
	}
	var ts [][]byte
	for _, key := range keys(t, name+"/out/clip/") {
		if strings.HasSuffix(key, ".ts") {
			b, _ := opened(t, key)
			ts = append(ts, b)
		}
	}
	if n := len(frames(t, save(t, "all.ts", ts...))); n != 125 || len(ts) != 2 {
		t.Errorf("%d segments have %d frames, want 2 and 125", len(ts), n)
	}
	web, ours := opened(t, name+"/out/clip/web.mp4")
	if n := len(frames(t, save(t, "web.mp4", web))); n != 150 {
		t.Errorf("the file has %d frames, want 150", n)
	}

	output, _ := stored(t, name+"/out/clip/web.mp4")
	stripped := maps.Clone(ours)
	delete(stripped, vault.MetadataCommitment)
	for file, c := range map[string]struct {
		body     []byte
		metadata map[string]string
		want     string
	}{
		"copied":   {output, ours, "the object was not sealed under this name"},
		"stripped": {output, stripped, "the object was not sealed under this name"},
		"plain":    {plain, nil, "x-amz-key-v2"},
		"swapped":  {output, metadata, "check that the file is whole"}, // another file's envelope
	} {
		delete(c.metadata, "sealreel-writer")
		rec := dropEnveloped(t, name+"/in/"+file+".mp4", c.body, c.metadata)
		for _, o := range rec.Job.Outputs {
			if o.Status != job.Error || !strings.HasPrefix(o.StatusDetail, "4016 ") || !strings.Contains(o.StatusDetail, c.want) {
				t.Errorf("%s: output %s is %s: %s", file, o.ID, o.Status, o.StatusDetail)
			}
		}
		if got := keys(t, name+"/out/"+file+"/"); !slices.Equal(got, nil) {
			t.Errorf("%s: published %v", file, got)
		}
	}
}
