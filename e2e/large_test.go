package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// snow is a film that no encoder makes small: its segments, and the file, take an
// upload in parts.
func snow(t *testing.T) string {
	t.Helper()
	return clip(t, "snow.mp4", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=9,noise=alls=100:allf=t+u", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-g", "50")
}

// largeJob asks for a file and for segments of more than a part of an upload.
func largeJob(t *testing.T, name string, in, out *job.Encryption) job.Request {
	t.Helper()
	mp4 := customPreset(t, preset.Preset{Container: "mp4", Video: lossless("25")})
	ts := customPreset(t, preset.Preset{Container: "ts", Video: lossless("25")})
	return job.Request{
		Inputs: []job.Input{{Key: name + ".mp4", Encryption: in}}, OutputKeyPrefix: name + "/",
		Outputs: []job.Output{{Key: "hls", PresetID: ts, SegmentDuration: "4", Encryption: out}, {Key: "web.mp4", PresetID: mp4, Encryption: out}},
	}
}

// underKMS uploads a file that S3 encrypts with the stack's KMS key.
func underKMS(t *testing.T, key, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mode, err := seal.ModeOf(job.ModeS3KMS)
	if err != nil {
		t.Fatal(err)
	}
	target := s3store.UploadTarget{Bucket: site.ingest, Key: key, Material: &seal.Material{Mode: mode}, KMSKeyARN: site.keyARN}
	if _, err := site.store.Upload(t.Context(), target, f); err != nil {
		t.Fatal(err)
	}
}

// TestLargeFilesUnderTheStacksKey reads and writes in parts what S3 encrypts with
// the stack's KMS key, for which KMS is asked in the functions' names.
func TestLargeFilesUnderTheStacksKey(t *testing.T) {
	name := unique(t)
	kms := &job.Encryption{Mode: job.ModeS3KMS}
	underKMS(t, name+".mp4", snow(t))
	rec := completed(t, submit(t, largeJob(t, name, kms, kms)))
	for n, key := range []string{name + "/hls00000.ts", name + "/web.mp4"} {
		body, _ := stored(t, key)
		if size := len(body); size <= s3store.DefaultPartSize {
			t.Errorf("%s has %d bytes only", key, size)
		}
		if rec.Job.Outputs[n].Encryption.Mode != job.ModeS3KMS {
			t.Errorf("%+v", rec.Job.Outputs[n].Encryption)
		}
	}
}

// TestNamesThatAreTakenMeanwhile: somebody stores objects of the names that a job
// is about to write. Neither is overwritten, and no part of an upload stays.
func TestNamesThatAreTakenMeanwhile(t *testing.T) {
	name := unique(t)
	upload(t, name+".mp4", snow(t), nil)
	id := submit(t, largeJob(t, name, nil, nil))
	eventually(t, time.Minute, "a plan", func() bool {
		_, err := site.ledger.Plan(t.Context(), id)
		return err == nil
	})
	theirs := []string{name + "/hls00001.ts", name + "/web.mp4"}
	for _, key := range theirs {
		if _, err := site.store.Upload(t.Context(), s3store.UploadTarget{Bucket: site.output, Key: key}, strings.NewReader("theirs")); err != nil {
			t.Fatal(err)
		}
	}
	rec := ended(t, id)
	for n, o := range rec.Job.Outputs {
		if !strings.HasPrefix(o.StatusDetail, "3002 ") {
			t.Errorf("output %d: %s, %s", n+1, o.Status, o.StatusDetail)
		}
	}
	for _, key := range theirs {
		if body, _ := stored(t, key); string(body) != "theirs" {
			t.Errorf("%s was overwritten with %d bytes", key, len(body))
		}
	}
	// Assemble is asked twice for each output, and the other attempt may go on.
	eventually(t, time.Minute, "every upload to be ended", func() bool { return len(uploadsUnderWay(t, name)) == 0 })
}

// TestInputThatIsDeletedMeanwhile: the version that a job has pinned goes away.
func TestInputThatIsDeletedMeanwhile(t *testing.T) {
	name := unique(t)
	upload(t, name+".mp4", snow(t), nil)
	id := submit(t, largeJob(t, name, nil, nil))
	eventually(t, time.Minute, "a plan", func() bool {
		_, err := site.ledger.Plan(t.Context(), id)
		return err == nil
	})
	in := planOf(t, id).Inputs[0]
	client := s3.NewFromConfig(site.aws, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &in.Bucket, Key: &in.Key, VersionId: &in.VersionID}); err != nil {
		t.Fatal(err)
	}
	rec := ended(t, id)
	for n, o := range rec.Job.Outputs {
		if !strings.HasPrefix(o.StatusDetail, "3001 ") {
			t.Errorf("output %d: %s, %s", n+1, o.Status, o.StatusDetail)
		}
	}
}
