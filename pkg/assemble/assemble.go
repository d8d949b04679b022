// Package assemble takes the last steps of an output once all of its tasks have
// a receipt: it writes the media playlist, or joins the parts into one file,
// and closes the job with its last output.
//
// It guarantees that what is assembled is exactly what receipts fixed, so that
// doing it again writes the same bytes, and that a playlist appears only when
// every segment it names is stored.
package assemble

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/logs"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
	"sealreel/pkg/trace"
	"sealreel/pkg/usage"
)

// Vault holds one job's media under the job's keys.
type Vault interface {
	// Store seals a file of an output and creates the object; see package vault.
	Store(ctx context.Context, o plan.Output, key, contentType string, r io.Reader) (task.Sealed, error)
	// StorePlain creates a playlist, which is never encrypted.
	StorePlain(ctx context.Context, o plan.Output, key, contentType, owner string, r io.Reader) (size int64, err error)
	// Warnings are what whoever reads the job should know of what was stored.
	Warnings() []string
	Work(ctx context.Context, key string, size int64) (io.ReadCloser, error)
	Close()
}

// Herald tells whoever listens what a job has come to; see package notify.
type Herald interface {
	Announce(ctx context.Context, rec *ledger.Record)
}

// Assembler assembles outputs.
type Assembler struct {
	Ledger *ledger.Ledger
	Herald Herald
	Open   func(ctx context.Context, k plan.Keys) (Vault, error)
	FFmpeg string // the program, for containers that it writes
	Log    *slog.Logger
}

// Handle takes S3's notification that outputs are ready.
func (a *Assembler) Handle(bucket string) func(context.Context, events.S3Event) error {
	return func(ctx context.Context, event events.S3Event) error {
		var errs []error
		for _, r := range event.Records {
			ready, ok := ledger.ParseReady(r.S3.Object.URLDecodedKey)
			if r.S3.Bucket.Name != bucket || !ok {
				a.Log.WarnContext(ctx, "event refused: it says of no output that it is ready", "bucket", r.S3.Bucket.Name, "key", r.S3.Object.Key)
				continue
			}
			work, end := trace.Work(ctx, ready.Job, "assemble", slog.String("sealreel.output", ready.Output))
			err := a.Assemble(work, ready.Job, ready.Output)
			end(err)
			if err != nil {
				errs = append(errs, fmt.Errorf("job %s, output %s: %w", ready.Job, ready.Output, err))
			}
		}
		return errors.Join(errs...)
	}
}

// Assemble assembles an output, and closes the job when it is the last. It may
// be called any number of times.
func (a *Assembler) Assemble(ctx context.Context, jobID, outputID string) error {
	ctx = logs.With(logs.With(ctx, logs.Job, jobID), logs.Output, outputID)
	rec, err := a.Ledger.Job(ctx, jobID)
	if errors.Is(err, object.ErrNotExist) {
		a.Log.WarnContext(ctx, "an output of a job that does not exist is said to be ready")
		return nil
	}
	if err != nil {
		return err
	}
	usage.From(ctx).For(jobID, outputID)
	if job.Terminal(rec.Job.Status) {
		a.Herald.Announce(ctx, rec) // whoever ended it may have died before
		return nil
	}
	p, err := a.Ledger.Plan(ctx, jobID)
	if err != nil {
		return err
	}
	_, err = a.Ledger.Result(ctx, jobID, outputID)
	if errors.Is(err, object.ErrNotExist) {
		err = a.output(ctx, p, outputID)
	}
	if err != nil {
		return err
	}
	return a.close(ctx, p, rec)
}

// errNotReady says that a task of the output has no receipt: whoever writes the
// last one asks again.
var errNotReady = errors.New("not every task of the output is done")

// output makes an output and records its result, which may be its failure.
func (a *Assembler) output(ctx context.Context, p *plan.Plan, outputID string) error {
	place := -1
	for i, o := range p.Outputs {
		if o.ID == outputID {
			place = i
		}
	}
	if place < 0 {
		return fmt.Errorf("the plan has no such output")
	}
	result, err := a.make(ctx, p, place)
	var failure *job.Failure
	if errors.As(err, &failure) {
		a.Log.WarnContext(ctx, "output failed", "err", err)
		result, err = &ledger.Result{Failure: task.Failed(failure)}, nil
	}
	if err != nil {
		return err
	}
	_, err = a.Ledger.CreateResult(ctx, p.Job, outputID, result)
	return err
}

func (a *Assembler) make(ctx context.Context, p *plan.Plan, place int) (*ledger.Result, error) {
	o := p.Outputs[place]
	if err := o.Failure.Err(); err != nil {
		return nil, err
	}
	made, err := a.made(ctx, p, place)
	if err != nil {
		return nil, err
	}
	vault, err := a.Open(ctx, p.Keys)
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	m := &making{plan: p, output: o, vault: vault, ledger: a.Ledger, ffmpeg: a.FFmpeg, made: made}
	if err := m.captions(ctx); err != nil {
		return nil, err
	}
	var result *ledger.Result
	if o.SegmentFrames > 0 {
		result, err = m.playlist(ctx)
	} else {
		result, err = m.file(ctx)
	}
	if err != nil {
		return nil, err
	}
	if o.Picture != nil {
		result.Result.Width, result.Result.Height = o.Picture.Geometry.Width(), o.Picture.Geometry.Height()
		result.Result.FrameRate = p.Groups[o.Group].Rate.Decimal()
	}
	result.Result.Warning = cmp.Or(o.Warning, m.noCaptions())
	result.Result.Conversion = o.Conversion
	result.Codecs, result.Thumbnails = m.codecs(), m.thumbnails()
	return result, a.Ledger.Warn(ctx, p.Job, vault.Warnings()...)
}

// made reads what each chunk made of the output.
func (a *Assembler) made(ctx context.Context, p *plan.Plan, place int) ([]task.Made, error) {
	var all []task.Made
	var missing error
	for _, name := range p.Tasks(p.Outputs[place].Group) {
		r, err := a.Ledger.Receipt(ctx, p.Job, name)
		if errors.Is(err, object.ErrNotExist) {
			missing = fmt.Errorf("%s: %w", name, errNotReady)
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := r.Outputs[place].Failure.Err(); err != nil {
			return nil, err // one failed chunk ends the output, whatever the others do
		}
		all = append(all, r.Outputs[place])
	}
	return all, missing
}

// making is one output that is being made.
type making struct {
	plan   *plan.Plan
	output plan.Output
	vault  Vault
	ledger *ledger.Ledger
	ffmpeg string
	made   []task.Made
}

// codecs are those of the first chunk that has them all.
func (m *making) codecs() []string {
	var most []string
	for _, made := range m.made {
		if len(made.Codecs) > len(most) {
			most = made.Codecs
		}
	}
	return most
}

func (m *making) thumbnails() []task.Thumbnail {
	var all []task.Thumbnail
	for _, made := range m.made {
		all = append(all, made.Thumbnails...)
	}
	return all
}

// close shows the job's results so far, and with the last of them the job ends.
// A master playlist is written as soon as its outputs have their results, before
// they are shown: with them it shows as complete.
func (a *Assembler) close(ctx context.Context, p *plan.Plan, rec *ledger.Record) error {
	results := make([]*ledger.Result, len(p.Outputs))
	for i, o := range p.Outputs {
		r, err := a.Ledger.Result(ctx, p.Job, o.ID)
		if errors.Is(err, object.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		results[i] = r
	}
	failed, err := a.masters(ctx, p, rec, results)
	if err != nil {
		return err
	}
	rec, err = a.Ledger.UpdateJob(ctx, p.Job, func(r *ledger.Record) error {
		j := r.Job
		for name, f := range failed {
			var err error
			if j, err = job.FailPlaylist(j, name, f, time.Now()); err != nil {
				return err
			}
		}
		for i, result := range results {
			if result == nil {
				continue
			}
			var err error
			if j, err = apply(j, p.Outputs[i].ID, result); err != nil {
				return err
			}
		}
		r.Job = j
		return nil
	})
	if err == nil && job.Terminal(rec.Job.Status) {
		a.Herald.Announce(ctx, rec)
	}
	return err
}

func apply(j job.Job, outputID string, r *ledger.Result) (job.Job, error) {
	if r.Failure == nil {
		return job.CompleteOutput(j, outputID, r.Result, time.Now())
	}
	return job.FailOutput(j, outputID, &job.Failure{Code: r.Failure.Code, Detail: r.Failure.Detail}, time.Now())
}
