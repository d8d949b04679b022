package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/s3store"
)

// brief is a short clip with sound.
func brief(t *testing.T) string {
	t.Helper()
	return clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=5", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=5",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-shortest")
}

// sealedFile asks for one sealed file of a sealed input.
func sealedFile(input, prefix string, key *job.Encryption) job.Request {
	return job.Request{
		Inputs:          []job.Input{{Key: input, Encryption: key}},
		OutputKeyPrefix: prefix,
		Outputs:         []job.Output{{Key: "web.mp4", PresetID: systemPreset + "000040", Encryption: &job.Encryption{Mode: job.ModeSSEC}}},
	}
}

// version drops a file and returns the drop.
func version(t *testing.T, key string, body []byte, e *job.Encryption) ledger.Drop {
	t.Helper()
	target := s3store.UploadTarget{Bucket: site.ingest, Key: key}
	if e != nil {
		var err error
		if target.Material, err = keyring(t).Unwrap(t.Context(), *e); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := site.store.Upload(t.Context(), target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Drop{Bucket: site.ingest, Key: key, VersionID: stored.VersionID}
}

// TestDocumentAndMediaInEitherOrder drops a document and its sealed file. The
// file alone can't be opened, so nothing is made of it before the document is
// there.
func TestDocumentAndMediaInEitherOrder(t *testing.T) {
	file := brief(t)
	for _, order := range []string{"document first", "media first"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			name, key := unique(t), wrapped(t)
			req := sealedFile(name+".mp4", name+"/", key)
			var id string
			if order == "document first" {
				id = submit(t, req)
				eventually(t, time.Minute, "a job that waits", func() bool {
					rec, err := site.ledger.Job(t.Context(), id)
					return err == nil && rec.Waiting && rec.Job.Status == job.Submitted
				})
				upload(t, name+".mp4", file, key)
			} else {
				upload(t, name+".mp4", file, key)
				time.Sleep(time.Second) // the file's event is handled by now
				if jobs := jobsOf(t, name+".mp4"); len(jobs) > 0 {
					t.Errorf("the file alone became %v", jobs)
				}
				id = submit(t, req)
			}
			rec := completed(t, id)
			if rec.Waiting {
				t.Error("the job still waits")
			}
			if got := keys(t, name+"/"); !slices.Equal(got, []string{name + "/web.mp4"}) {
				t.Errorf("objects %q", got)
			}
			if jobs := jobsOf(t, name+".mp4"); !slices.Equal(jobs, []string{id}) {
				t.Errorf("jobs %q of the file, want %s alone", jobs, id)
			}
		})
	}
}

// jobsOf are the jobs that read a file of the ingest bucket.
func jobsOf(t *testing.T, key string) []string {
	t.Helper()
	var ids []string
	for id, err := range site.ledger.Jobs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rec, err := site.ledger.Job(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(rec.Job.Inputs) > 0 && rec.Job.Inputs[0].Key == key {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestPlainFileBecomesTheDropTemplatesJob drops files without a document, with
// every kind of character in their names.
func TestPlainFileBecomesTheDropTemplatesJob(t *testing.T) {
	body := read(t, brief(t))
	for _, name := range []string{"plain.mp4", "Interviews & Töne/Größe 100% +#1 (a+b=c).mp4", `it's "quoted" %2F <x>.mp4`, "e\u0301 日本 ~!$,;:@.tar.mp4"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := unique(t) + "/"
			d := version(t, folder+name, body, nil)
			rec := completed(t, claimed(t, d))
			stem := strings.TrimSuffix(name, ".mp4")
			if got, want := keys(t, folder), []string{folder + stem + "/720p.mp4"}; !slices.Equal(got, want) {
				t.Errorf("objects %q, want %q", got, want)
			}
			if rec.Job.PipelineID != site.pipeline || rec.Drop != d {
				t.Errorf("%+v", rec)
			}
			if out := fetch(t, rec, 0, folder+stem+"/720p.mp4"); !bytes.Contains(out[:64], []byte("ftyp")) {
				t.Error("the output is no MP4")
			}
		})
	}
}

// TestPipelineWithADropPrefixAndAKey drops a sealed file where a pipeline says
// how dropped files are encrypted.
func TestPipelineWithADropPrefixAndAKey(t *testing.T) {
	name, key := unique(t), wrapped(t)
	const id = "1762992000000-dropp1"
	document, err := json.Marshal(map[string]any{
		"Id": id, "Name": "sealed drops",
		"InputBucket": site.ingest, "OutputBucket": site.output, "AwsKmsKeyArn": site.keyARN,
		"Sealreel": map[string]any{
			"InputEncryption": key,
			"Drop": map[string]any{
				"Prefix": name + "/in/",
				"Template": map[string]any{"Outputs": []any{map[string]any{
					"Key": name + "/out/{name}.mp4", "PresetId": systemPreset + "000040", "Encryption": map[string]any{"Mode": "sse-c"}}}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := site.store.Create(t.Context(), site.state, "pipelines/"+id+".json", document); err != nil {
		t.Fatal(err)
	}
	rec := completed(t, claimed(t, version(t, name+"/in/a.mp4", read(t, brief(t)), key)))
	if rec.Job.PipelineID != id {
		t.Errorf("pipeline %s", rec.Job.PipelineID)
	}
	if out := fetch(t, rec, 0, name+"/out/a.mp4.mp4"); !bytes.Contains(out[:64], []byte("ftyp")) {
		t.Error("the output is no MP4")
	}
}

// TestDropsAreTakenOnce has every event of a document and its file delivered
// five times and out of order, by S3 and by hand (invariant 6).
func TestDropsAreTakenOnce(t *testing.T) {
	name := "often/" + unique(t)
	body, key := read(t, brief(t)), wrapped(t)
	media := version(t, name+".mp4", body, key)
	document, err := json.Marshal(withPipeline(sealedFile(name+".mp4", name+"/", key)))
	if err != nil {
		t.Fatal(err)
	}
	d := version(t, name+".job.json", document, nil)
	plain := version(t, name+"-plain.mp4", body, nil)
	at := time.Now()
	for range 3 {
		for _, again := range []ledger.Drop{d, media, plain} {
			invoke(t, "IngestFunction", dropEvent(again, at))
		}
	}
	id, other := claimed(t, d), claimed(t, plain)
	rec := completed(t, id)
	completed(t, other)
	before := snapshot(t, name)
	for _, again := range []ledger.Drop{plain, media, d} {
		invoke(t, "IngestFunction", dropEvent(again, at.Add(time.Hour)))
	}
	quiet(t)
	if after := snapshot(t, name); !slices.Equal(before, after) || len(after) != 2 {
		t.Errorf("objects %q, then %q", before, after)
	}
	for key, want := range map[string]string{name + ".mp4": id, name + "-plain.mp4": other} {
		if jobs := jobsOf(t, key); !slices.Equal(jobs, []string{want}) {
			t.Errorf("%s became %q, want %s alone", key, jobs, want)
		}
	}
	if again, err := site.ledger.Job(t.Context(), id); err != nil || again.Job.Timing != rec.Job.Timing {
		t.Errorf("a late event changed the job: %+v, %v", again, err)
	}
}

func withPipeline(req job.Request) job.Request {
	req.PipelineID = site.pipeline
	return req
}

// dropEvent is S3's notification of a drop.
func dropEvent(d ledger.Drop, at time.Time) []byte {
	event := map[string]any{"Records": []any{map[string]any{
		"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
		"eventTime": at.UTC().Format("2006-01-02T15:04:05.000Z"),
		"s3": map[string]any{
			"bucket": map[string]any{"name": d.Bucket},
			"object": map[string]any{"key": url.QueryEscape(d.Key), "versionId": d.VersionID},
		},
	}}}
	payload, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return payload
}

// invoke runs a function, which must not fail.
func invoke(t *testing.T, function string, payload []byte) {
	t.Helper()
	result, err := site.Invoke(context.Background(), function, payload)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		t.Error(err)
	}
}

// snapshot are the objects of the output bucket under a prefix, with their
// entity tags.
func snapshot(t *testing.T, prefix string) []string {
	t.Helper()
	var all []string
	for e, err := range site.store.List(t.Context(), site.output, prefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Key+" "+e.ETag+" "+e.LastModified.String())
	}
	return all
}
