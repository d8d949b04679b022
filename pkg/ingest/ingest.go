// Package ingest makes jobs of what is dropped: a job document, or a media file
// that a pipeline takes. It validates, checks keys, pins the input's version,
// probes it, plans the chunks and queues the first tasks.
//
// It guarantees that one dropped object version becomes one job, however often,
// late or in whatever order its events arrive, and that whatever can be known
// to fail ends as an Error on the job with a text that says what to do. Every
// step may be done again: what is written first counts.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/logs"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/plan"
	"sealreel/pkg/source"
	"sealreel/pkg/task"
	"sealreel/pkg/usage"
)

// DocumentSuffix is how the key of a job document ends.
const DocumentSuffix = ".job.json"

// Documents reads the small objects that users drop.
type Documents interface {
	// Document reads a whole object version of at most limit bytes; a longer one
	// is cut after limit+1. Errors wrap those of package object.
	Document(ctx context.Context, bucket, key, versionID string, limit int64) ([]byte, error)
}

// Vault checks and makes keys, and opens inputs, for one job.
type Vault interface {
	// Pin finds the object, its current version when versionID is empty, and
	// checks that it can be read under the encryption. Errors wrap those of
	// package object, or are a *job.Failure about the key.
	Pin(ctx context.Context, bucket, key, versionID string, e *job.Encryption) (plan.Input, error)
	// Input opens a pinned input, of which so many are open at once.
	Input(ctx context.Context, in plan.Input, together int) (source.Media, error)
	// Verify checks the whole input where its mode has something to check.
	Verify(ctx context.Context, in plan.Input) error
	// Seal checks the key that an output names, or makes one where the mode
	// wants one and none is named.
	Seal(ctx context.Context, e *job.Encryption) (*job.Encryption, error)
	// Claim names an output's key and IV where the pair must never encrypt two
	// files; "" where it may.
	Claim(ctx context.Context, e *job.Encryption, segmented bool) (string, error)
	// Region is the region that a bucket is in.
	Region(ctx context.Context, bucket string) (string, error)
	// WorkKey makes the data key of the job's work files.
	WorkKey(ctx context.Context) (job.Encryption, error)
	// StoreWork seals and creates an object of the work bucket, under the key that
	// WorkKey made; size is that of the object.
	StoreWork(ctx context.Context, key string, r io.Reader) (size int64, err error)
	// Exists says whether an object of the name is there already.
	Exists(ctx context.Context, bucket, key string) (bool, error)
	Close()
}

// Queue takes messages for tasks.
type Queue interface {
	Send(ctx context.Context, messages ...task.Message) error
}

// Herald tells whoever listens what a job has come to; see package notify.
type Herald interface {
	Announce(ctx context.Context, rec *ledger.Record)
}

// Probed is what a probe found.
type Probed struct {
	Source   plan.Source
	Embedded Embedded
	Detected job.DetectedProperties
}

// Ingester makes jobs.
type Ingester struct {
	Ledger    *ledger.Ledger
	Documents Documents
	Queue     Queue
	Herald    Herald
	// Open begins a session of a job's vault; a *job.Failure when the pipeline's
	// role can't be assumed.
	Open            func(ctx context.Context, k plan.Keys) (Vault, error)
	Probe           func(ctx context.Context, in source.Media) (Probed, error)
	Captions        func(ctx context.Context, in source.Media, where Embedded) ([]caption.Track, error) // those within an input
	DefaultID       string                                                                              // of the pipeline that takes what no other does
	DefaultPipeline string                                                                              // its document, stored when it is first needed
	KeyARN          string                                                                              // the stack's own key, for work files of pipelines without one in the functions' region
	RoleARN         string                                                                              // the stack's own role: a pipeline with another has its jobs done under that
	Region          string                                                                              // of the functions
	Options         plan.Options
	Log             *slog.Logger
}

// Drop does what a dropped object version asks for. The time is the event's.
// A file that only a job document can open (SSE-C, and the pipeline names no
// key) is left alone, unless final says that no document will come any more. An
// error means that it should be tried again.
func (i *Ingester) Drop(ctx context.Context, d ledger.Drop, at time.Time, final bool) error {
	switch {
	case strings.HasSuffix(d.Key, DocumentSuffix):
		return i.document(ctx, d, at)
	case strings.HasSuffix(d.Key, "/"):
		i.Log.InfoContext(ctx, "a folder is no media", "key", d.Key) // consoles make such objects
		return nil
	}
	return i.media(ctx, d, at, final)
}

// document makes a job of a job document.
func (i *Ingester) document(ctx context.Context, d ledger.Drop, at time.Time) error {
	rec, err := i.claimed(ctx, d)
	if err != nil {
		return err
	}
	if rec == nil {
		body, err := i.Documents.Document(ctx, d.Bucket, d.Key, d.VersionID, job.MaxDocument)
		req := &job.Request{}
		var problem error
		switch {
		case errors.Is(err, object.ErrNotExist):
			i.Log.WarnContext(ctx, "the job document is gone", "key", d.Key, "version", d.VersionID)
			return nil
		case errors.Is(err, object.ErrNeedsKey):
			problem = errors.New("a job document must not be encrypted with a customer key: it holds no plaintext key, only wrapped ones")
		case err != nil:
			return err
		default:
			req, problem = job.ParseRequest(body)
			if problem != nil { // of what is wrong nothing is shown but whom to tell
				req = &job.Request{PipelineID: pipelineOf(req)}
			}
		}
		if rec, err = i.create(ctx, d, at, req, problem); err != nil {
			return err
		}
	}
	return i.Resume(ctx, rec)
}

// pipelineOf is the pipeline that a document names, "" where that can't be read.
func pipelineOf(req *job.Request) string {
	if req == nil {
		return ""
	}
	return req.PipelineID
}

// claimed reads the job that a drop became already, nil when there is none.
func (i *Ingester) claimed(ctx context.Context, d ledger.Drop) (*ledger.Record, error) {
	claim, err := i.Ledger.Claimed(ctx, d)
	if err == nil {
		var rec *ledger.Record
		if rec, err = i.Ledger.Job(ctx, claim.Job); err == nil {
			usage.From(ctx).For(rec.Job.ID, "")
			return rec, nil
		}
	}
	if errors.Is(err, object.ErrNotExist) {
		return nil, nil
	}
	return nil, err
}

// create claims the drop and stores the job, in Error when it has a problem.
func (i *Ingester) create(ctx context.Context, d ledger.Drop, at time.Time, req *job.Request, problem error) (*ledger.Record, error) {
	claim, err := i.Ledger.ClaimDrop(ctx, d, job.NewID(at, d.Bucket, d.Key, d.VersionID))
	if err != nil {
		return nil, err
	}
	ctx = logs.With(ctx, logs.Job, claim.Job)
	if problem == nil {
		problem = job.Unsupported(req)
	}
	if req.PipelineID == "" { // somebody must hear of it
		req.PipelineID = i.DefaultID
	}
	rec := &ledger.Record{Job: job.New(claim.Job, req, at), Drop: d}
	if problem != nil {
		i.Log.WarnContext(ctx, "job refused", "key", d.Key, "err", problem)
		failure := job.Fail(job.CodeValidation, "%v", problem)
		if !errors.As(problem, &failure) {
			rec.Warnings = problems(problem)
		}
		rec.Job = job.FailJob(rec.Job, failure, time.Now())
	}
	rec, _, err = i.Ledger.CreateJob(ctx, rec)
	if err == nil && problem != nil {
		i.tellRefused(ctx, rec)
	}
	return rec, err
}

// tellRefused tells that a job failed as it was dropped, which may be the first
// thing that the default pipeline hears of.
func (i *Ingester) tellRefused(ctx context.Context, rec *ledger.Record) {
	if rec.Job.PipelineID == i.DefaultID {
		if err := i.EnsureDefault(ctx); err != nil {
			i.Log.WarnContext(ctx, "the default pipeline is not there to tell of a job", "err", err)
			return
		}
	}
	i.Herald.Announce(ctx, rec)
}

// problems are the single problems of a document, in full, for whoever reads
// the job: the status detail has room for 255 characters only.
func problems(err error) []string {
	var v *job.ValidationError
	if !errors.As(err, &v) {
		return []string{err.Error()}
	}
	var all []string
	for _, p := range v.Problems {
		all = append(all, p.String())
	}
	return all
}

// media goes on with the jobs that wait for the file, or makes the job that its
// pipeline has for dropped files.
func (i *Ingester) media(ctx context.Context, d ledger.Drop, at time.Time, final bool) error {
	waiting, err := i.Ledger.Awaiting(ctx, d.Bucket, d.Key)
	if err != nil {
		return err
	}
	wanted := false
	for _, id := range waiting {
		rec, err := i.Ledger.Job(ctx, id)
		if err != nil {
			return err
		}
		usage.From(ctx).For(id, "")
		wanted = wanted || !job.Terminal(rec.Job.Status)
		if err := i.arrived(ctx, rec, d.Key); err != nil {
			return err
		}
		if err := i.Ledger.Arrived(ctx, d.Bucket, d.Key, id); err != nil {
			return err
		}
	}
	if wanted {
		return nil
	}
	return i.take(ctx, d, at, final)
}

// arrived goes on with a job that waits for the file, or whose start another
// attempt at the event did not see to its end: the mark that the job waits stays
// until then. A job that does not wait and has no plan is one whose own event is
// just making the mark, and looks for the file once more.
func (i *Ingester) arrived(ctx context.Context, rec *ledger.Record, key string) error {
	if !rec.Waiting {
		_, err := i.Ledger.Plan(ctx, rec.Job.ID)
		if errors.Is(err, object.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return i.resume(ctx, rec, key)
}

// take makes the job of a dropped media file.
func (i *Ingester) take(ctx context.Context, d ledger.Drop, at time.Time, final bool) error {
	rec, err := i.claimed(ctx, d)
	if err != nil {
		return err
	}
	if rec != nil && rec.Drop != d {
		return nil // the input of a document's job, which has its own event
	}
	if rec != nil {
		return i.Resume(ctx, rec)
	}
	p, err := i.dropPipeline(ctx, d)
	if err != nil || p == nil {
		return err
	}
	if !final && p.Sealreel.InputEncryption == nil {
		waits, err := i.needsKey(ctx, p, d)
		if err != nil {
			return err
		}
		if waits {
			i.Log.InfoContext(ctx, "the file is encrypted with a customer key that the pipeline does not name: waiting for a job document", "key", d.Key)
			return nil
		}
	}
	req, problem := p.DropRequest(d.Key)
	if problem != nil {
		req = &job.Request{PipelineID: p.ID}
	}
	if rec, err = i.create(ctx, d, at, req, problem); err != nil {
		return err
	}
	return i.Resume(ctx, rec)
}

// needsKey says whether a file can't be opened with what its pipeline says. What
// else is wrong with it, its job will show.
func (i *Ingester) needsKey(ctx context.Context, p *pipeline.Pipeline, d ledger.Drop) (bool, error) {
	v, err := i.Open(ctx, i.keysOf(p, job.Job{Inputs: []job.Input{{Key: d.Key}}}))
	var failure *job.Failure
	if errors.As(err, &failure) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer v.Close()
	_, err = v.Pin(ctx, d.Bucket, d.Key, d.VersionID, nil)
	return errors.Is(err, object.ErrNeedsKey), nil
}

// dropPipeline is the pipeline that takes a dropped file, nil when none does.
func (i *Ingester) dropPipeline(ctx context.Context, d ledger.Drop) (*pipeline.Pipeline, error) {
	switch {
	case job.PictureKey(d.Key):
		i.Log.InfoContext(ctx, "a picture is no media: jobs name it as a watermark or an artwork", "key", d.Key)
		return nil, nil
	case caption.FileKey(d.Key):
		i.Log.InfoContext(ctx, "captions are no media: jobs name them as those of an input", "key", d.Key)
		return nil, nil
	}
	if err := i.EnsureDefault(ctx); err != nil {
		return nil, err
	}
	all, err := i.Ledger.Pipelines(ctx)
	if err != nil {
		return nil, err
	}
	p := pipeline.ForDrop(all, i.DefaultID, d.Key)
	switch {
	case p == nil || p.Sealreel == nil || p.Sealreel.Drop == nil:
		i.Log.WarnContext(ctx, "no pipeline takes the dropped file: give one a Drop, or drop a job document", "key", d.Key)
		return nil, nil
	case p.InputBucket != d.Bucket:
		i.Log.WarnContext(ctx, "the pipeline reads another bucket", "key", d.Key, "bucket", d.Bucket, "pipeline", p.ID, "inputBucket", p.InputBucket)
		return nil, nil
	}
	return p, nil
}

// EnsureDefault stores the default pipeline of the stack unless it is there.
func (i *Ingester) EnsureDefault(ctx context.Context) error {
	if i.DefaultPipeline == "" {
		return nil
	}
	_, err := i.Ledger.Pipeline(ctx, i.DefaultID)
	if !errors.Is(err, object.ErrNotExist) {
		return err
	}
	if _, err := pipeline.Parse([]byte(i.DefaultPipeline)); err != nil {
		return fmt.Errorf("the default pipeline (SEALREEL_PIPELINE): %w", err)
	}
	return i.Ledger.CreatePipeline(ctx, i.DefaultID, []byte(i.DefaultPipeline))
}
