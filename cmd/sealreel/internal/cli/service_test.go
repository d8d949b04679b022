package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/local/kms"
	"sealreel/local/s3"
	"sealreel/local/sqs"
	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/task"
	"sealreel/pkg/vault"
)

const (
	accessKey, secretKey = "AKTEST", "secret"
	region               = "us-east-1"
	pipelineID           = "1762992000000-sealrl"
)

// service stands for the functions: real S3 and KMS, jobs as the ledger has
// them, but what comes out of a job is its input, copied.
type service struct {
	t       *testing.T
	env     map[string]string
	ledger  *ledger.Ledger
	store   *s3store.Store
	vault   *vault.Vault
	keys    *kmskeys.Keys
	keyARN  string
	other   string // ARN of a key that nothing is wrapped with
	context map[string]string
}

// serve starts the one service of this process.
func serve(t *testing.T) *service {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	authority, err := s3.OpenAuthority(filepath.Join(dir, "tls"))
	must(err)
	objects, err := s3.Open(t.Context(), s3.Config{Dir: filepath.Join(dir, "s3"), Region: region, AccessKey: accessKey, SecretKey: secretKey, TLS: authority})
	must(err)
	t.Cleanup(func() { objects.Close() })
	keys, err := kms.Open(kms.Config{Dir: filepath.Join(dir, "kms"), Region: region, Account: "111122223333", Known: func(id string) bool { return id == accessKey }})
	must(err)
	server := httptest.NewServer(keys)
	t.Cleanup(server.Close)
	queues, err := sqs.Open(sqs.Config{Dir: filepath.Join(dir, "sqs"), Region: region, Account: "111122223333", Known: func(id string) bool { return id == accessKey }})
	must(err)
	t.Cleanup(func() { queues.Close() })
	must(queues.CreateQueue("chunks", nil))
	queue := httptest.NewServer(queues)
	t.Cleanup(queue.Close)

	s := &service{t: t, context: (&pipeline.Pipeline{}).Context()}
	s.keyARN, err = keys.EnsureKey("alias/media", "")
	must(err)
	s.other, err = keys.EnsureKey("alias/other", "")
	must(err)
	for _, name := range []string{"in", "out", "state", "work"} {
		must(objects.CreateBucket(name+"-bucket", s3.BucketOptions{Versioning: name == "in", AllowSSEC: true}))
	}
	s.env = map[string]string{
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_REGION": region,
		"AWS_ENDPOINT_URL_S3": objects.URL(), "AWS_ENDPOINT_URL_KMS": server.URL, "AWS_ENDPOINT_URL_CLOUDWATCH": watched(t), "AWS_CA_BUNDLE": authority.CAFile(),
		"AWS_ENDPOINT_URL_SQS": queue.URL, "SEALREEL_QUEUE_URL": queues.QueueURL(queue.URL, "chunks"),
		"SEALREEL_INGEST_BUCKET": "in-bucket", "SEALREEL_OUTPUT_BUCKET": "out-bucket", "SEALREEL_STATE_BUCKET": "state-bucket",
		"SEALREEL_KMS_KEY_ARN": s.keyARN, "SEALREEL_PIPELINE_ID": pipelineID,
	}
	s.connect()
	objects.OnEvent(func(e s3.Event) {
		if e.Bucket == "in-bucket" && strings.HasPrefix(e.Name, "ObjectCreated:") {
			go s.dropped(ledger.Drop{Bucket: e.Bucket, Key: e.Key, VersionID: e.VersionID}, e.Time)
		}
	})
	return s
}

// connect makes this process a user of what the variables say.
func (s *service) connect() {
	s.t.Helper()
	for name, value := range s.env {
		s.t.Setenv(name, value)
	}
	here, err := site.Connect(s.t.Context(), os.Getenv)
	if err != nil {
		s.t.Fatal(err)
	}
	s.store, s.ledger, s.vault = here.Store, here.Ledger, vault.New(here.Store, here.Keys, "work-bucket", nil)
	s.keys = here.Keys
}

// dropped does what the functions do with a drop.
func (s *service) dropped(d ledger.Drop, at time.Time) {
	ctx := context.Background()
	var err error
	if strings.HasSuffix(d.Key, ".job.json") {
		err = s.document(ctx, d, at)
	} else {
		err = s.media(ctx, d)
	}
	if err != nil {
		s.t.Errorf("the service failed over %s: %v", d.Key, err)
	}
}

// document makes a job that waits for its input, or one in Error.
func (s *service) document(ctx context.Context, d ledger.Drop, at time.Time) error {
	body, err := s.vault.Document(ctx, d.Bucket, d.Key, d.VersionID, job.MaxDocument)
	if err != nil {
		return err
	}
	req, problem := job.ParseRequest(body)
	rec := &ledger.Record{Job: job.New(job.NewID(at, d.Bucket, d.Key, d.VersionID), req, at), Drop: d, Waiting: problem == nil}
	for _, o := range req.Outputs {
		if problem == nil && strings.HasSuffix(o.PresetID, "999999") {
			problem = fmt.Errorf("there is no preset %s", o.PresetID)
		}
	}
	if problem != nil {
		rec.Job = job.FailJob(rec.Job, job.Fail(job.CodeValidation, "%v", problem), time.Now())
		rec.Warnings, rec.Waiting = []string{problem.Error()}, false
	} else if err := s.ledger.Await(ctx, d.Bucket, req.Inputs[0].Key, rec.Job.ID); err != nil {
		return err
	}
	if _, err := s.ledger.ClaimDrop(ctx, d, rec.Job.ID); err != nil {
		return err
	}
	_, _, err = s.ledger.CreateJob(ctx, rec)
	return err
}

// media finishes the job that waits for the file.
func (s *service) media(ctx context.Context, d ledger.Drop) error {
	ids, err := s.ledger.Awaiting(ctx, d.Bucket, d.Key)
	if err != nil || len(ids) != 1 {
		return fmt.Errorf("the jobs %v wait for it: %w", ids, err)
	}
	rec, err := s.ledger.Job(ctx, ids[0])
	if err != nil {
		return err
	}
	v, err := s.vault.Open(ctx, plan.Keys{KeyARN: s.keyARN, Context: s.context})
	if err != nil {
		return err
	}
	defer v.Close()
	in, err := v.Pin(ctx, d.Bucket, d.Key, d.VersionID, rec.Job.Inputs[0].Encryption)
	if err != nil {
		return err
	}
	if err := s.described(ctx, in); err != nil {
		return err
	}
	src, err := v.Input(ctx, in, 1)
	if err != nil {
		return err
	}
	defer src.Close()
	content, err := io.ReadAll(io.NewSectionReader(src, 0, src.Size()))
	if err != nil {
		return err
	}
	return s.finish(ctx, v, rec, content)
}

// described checks what an input that was encrypted by the command says of
// itself.
func (s *service) described(ctx context.Context, in plan.Input) error {
	if in.Encryption == nil || !slices.Contains(crypt.Modes, in.Encryption.Mode) {
		return nil
	}
	ring := seal.NewKeyring(s.keys, s.keyARN, s.context)
	defer ring.Close()
	m, err := ring.Unwrap(ctx, *in.Encryption)
	if err != nil {
		return err
	}
	if m.Key.Bits() != crypt.KeyBits {
		return fmt.Errorf("the key of %s has %d bits", in.Key, m.Key.Bits())
	}
	info, err := s.store.Head(ctx, s3store.Object{Bucket: in.Bucket, Key: in.Key}, nil)
	if err != nil {
		return err
	}
	_, err = vault.Described(info.Metadata, *in.Encryption, m, in.Bucket, in.Key)
	return err
}

// finish stores the content as each output of a job, as two segments where it
// has any, and ends it. Content that begins with "fail" makes it fail.
func (s *service) finish(ctx context.Context, v *vault.Session, rec *ledger.Record, content []byte) error {
	p := &plan.Plan{Job: rec.Job.ID, Keys: plan.Keys{KeyARN: s.keyARN, Context: s.context}, Groups: []plan.Group{{Chunks: make([]plan.Chunk, 1)}}}
	for i, o := range rec.Job.Outputs {
		made := plan.Output{Job: rec.Job.ID, ID: o.ID, Bucket: "out-bucket", Key: rec.Job.OutputKeyPrefix + o.Key, Container: "mp4", Sound: -1}
		if o.SegmentDuration != "" {
			made.Container, made.SegmentFrames = "ts", 100
		}
		if o.Encryption != nil {
			e, err := v.Seal(ctx, o.Encryption)
			if err != nil {
				return err
			}
			made.Encryption = e
		}
		p.Groups[0].Outputs = append(p.Groups[0].Outputs, i)
		p.Outputs = append(p.Outputs, made)
	}
	if _, err := s.ledger.CreatePlan(ctx, p); err != nil {
		return err
	}
	for _, o := range p.Outputs {
		if err := s.output(ctx, v, o, content); err != nil {
			return err
		}
	}
	if err := s.used(ctx, p); err != nil {
		return err
	}
	_, err := s.ledger.UpdateJob(ctx, rec.Job.ID, func(r *ledger.Record) error {
		r.Waiting = false
		if bytes.HasPrefix(content, []byte("fail")) {
			r.Job = job.FailJob(r.Job, job.Fail(job.CodeBadInput, "the clip is bad: bring another"), time.Now())
			return nil
		}
		for _, o := range p.Outputs {
			j, err := job.CompleteOutput(r.Job, o.ID, job.Result{DurationMillis: 1000, FileSize: int64(len(content))}, time.Now())
			if err != nil {
				return err
			}
			r.Job = j
		}
		return nil
	})
	return err
}

func (s *service) output(ctx context.Context, v *vault.Session, o plan.Output, content []byte) error {
	if _, err := s.ledger.Catalog(ctx, o.Bucket, o.Key, ledger.Entry{Job: o.Job, Output: o.ID}, nil); err != nil {
		return err
	}
	result := &ledger.Result{}
	names := o.Names()
	if !names.Segmented() {
		if _, err := v.Store(ctx, o, o.Key, "video/mp4", bytes.NewReader(content)); err != nil {
			return err
		}
	} else {
		half := len(content) / 2
		for i, part := range [][]byte{content[:half], content[half:]} {
			if _, err := v.Store(ctx, o, names.Segment(i), "video/mp2t", bytes.NewReader(part)); err != nil {
				return err
			}
			result.Segments = append(result.Segments, task.Segment{Key: names.Segment(i), Bytes: int64(len(part)), Ticks: 90000})
		}
		if _, err := v.StorePlain(ctx, o, names.Playlist, "application/vnd.apple.mpegurl", o.Job, strings.NewReader("#EXTM3U\n")); err != nil {
			return err
		}
	}
	_, err := s.ledger.CreateResult(ctx, o.Job, o.ID, result)
	return err
}
