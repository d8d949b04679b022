package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/probe"
	"sealreel/pkg/rational"
)

// What the inputs of a job may be together: as large as one object may be, and as
// long as one input may be.
const (
	mostBytes = 5 << 40
	longest   = probe.DefaultMaxDuration
)

// inputs are the files that a job reads, each object once. of says which of them
// each of the job's Inputs is, and number the first of the Inputs that each is.
type inputs struct {
	pinned []plan.Input
	of     []int
	number []int
}

// pinAll finds all of the job's inputs, or records which of them it waits for.
// One that is there is the job's from then on, and makes no other job by being
// there. The mark of the one that arrived stays: were this attempt to die, the next
// would not find the job by its event.
func (i *Ingester) pinAll(ctx context.Context, v Vault, p *pipeline.Pipeline, rec *ledger.Record, arrived string) (inputs, error) {
	type file struct {
		key string
		job.Encryption
	}
	found := map[file]int{} // one version for all that are taken of it
	var in inputs
	var waiting error
	for n, wanted := range rec.Job.Inputs {
		f := file{key: wanted.Key}
		if wanted.Encryption != nil {
			f.Encryption = *wanted.Encryption
		}
		if place, again := found[f]; again {
			in.of = append(in.of, place)
			continue
		}
		pinned, err := i.pin(ctx, v, p, rec, wanted)
		if errors.Is(err, errWaiting) {
			waiting = err
			continue
		}
		if err != nil {
			return inputs{}, in.failure(rec.Job, n, err)
		}
		if _, err := i.Ledger.ClaimDrop(ctx, ledger.Drop{Bucket: pinned.Bucket, Key: pinned.Key, VersionID: pinned.VersionID}, rec.Job.ID); err != nil {
			return inputs{}, err
		}
		found[f] = len(in.pinned)
		in.of = append(in.of, len(in.pinned))
		in.pinned, in.number = append(in.pinned, pinned), append(in.number, n)
	}
	if waiting != nil {
		return inputs{}, waiting
	}
	if rec.Waiting { // no other event needs to find the job any more
		for _, pinned := range in.pinned {
			if pinned.Key == arrived {
				continue
			}
			if err := i.Ledger.Arrived(ctx, pinned.Bucket, pinned.Key, rec.Job.ID); err != nil {
				return inputs{}, err
			}
		}
	}
	total := int64(0)
	for _, pinned := range in.pinned {
		if total += pinned.Size; total > mostBytes || total < 0 {
			return inputs{}, job.InputsTooLarge(p.InputBucket, len(rec.Job.Inputs), total, "5 TiB")
		}
	}
	return in, nil
}

// failure says which of several inputs failed, counted from 1.
func (in inputs) failure(j job.Job, n int, err error) error {
	var f *job.Failure
	if len(j.Inputs) == 1 || !errors.As(err, &f) {
		return err
	}
	return job.FailCause(err, f.Code, "input #%d: %s", n+1, f.Detail)
}

// probeAll verifies and probes the inputs, two at a time: one computes while the
// other waits for storage.
func (i *Ingester) probeAll(ctx context.Context, v Vault, j job.Job, in inputs) ([]Probed, error) {
	all := make([]Probed, len(in.pinned))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for n, pinned := range in.pinned {
		group.Go(func() (err error) {
			if all[n], err = i.probe(ctx, v, pinned); err != nil {
				return in.failure(j, in.number[n], err)
			}
			in.pinned[n].Detected = all[n].Detected
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var lasts time.Duration
	var size int64
	for n, p := range all {
		size += in.pinned[n].Size
		if lasts += time.Duration(p.Detected.DurationMillis) * time.Millisecond; lasts > longest {
			return nil, job.InputsTooLarge(in.pinned[0].Bucket, len(j.Inputs), size, fmt.Sprintf("%v of media", longest))
		}
	}
	return all, nil
}

// stitch plans what the wishes make of the inputs.
func (i *Ingester) stitch(j job.Job, in inputs, probed []Probed, wishes []plan.Wish) (*plan.Plan, error) {
	all, err := scenes(j, in, probed)
	if err != nil {
		return nil, err
	}
	for n := range wishes {
		if wishes[n].Clip, err = clipOf(j.Outputs[n]); err != nil {
			return nil, err
		}
	}
	return plan.Stitch(all, wishes, i.Options)
}

// scenes are what the job takes of its inputs.
func scenes(j job.Job, in inputs, probed []Probed) ([]plan.Scene, error) {
	all := make([]plan.Scene, len(j.Inputs))
	for n, wanted := range j.Inputs {
		span, err := plan.SpanOf(wanted.TimeSpan)
		if err != nil {
			return nil, job.FailCause(err, job.CodeValidation, "the TimeSpan of input #%d: %v", n+1, err)
		}
		src := probed[in.of[n]].Source
		if src.Picture, err = override(src.Picture, wanted); err != nil {
			return nil, err
		}
		all[n] = plan.Scene{Input: in.of[n], Source: src, Span: span}
	}
	return all, nil
}

// override puts what the job says of its input in place of what was found.
//
// A FrameRate is taken for the input's own, which is what a preset's auto goes by;
// when each frame is shown stays as the file says.
func override(found *plan.SourcePicture, in job.Input) (*plan.SourcePicture, error) {
	if found == nil {
		return nil, nil
	}
	p := *found
	if given(in.AspectRatio) {
		shape, err := rational.Parse(in.AspectRatio)
		if err != nil {
			return nil, job.FailCause(err, job.CodeValidation, "the input's AspectRatio %q is no ratio", in.AspectRatio)
		}
		p.SAR = shape.Mul(rational.New(int64(p.Height), int64(p.Width)))
	}
	if given(in.FrameRate) {
		p.Rate = preset.FrameRateFor(&preset.Video{FrameRate: in.FrameRate}, rational.Rational{})
	}
	switch in.Interlaced {
	case "true":
		p.Deinterlace, p.Fields = plan.All, cmp.Or(p.Fields, plan.TopFirst)
	case "false":
		p.Deinterlace, p.Fields = "", ""
	}
	return &p, nil
}

// given says whether a member overrides what is found.
func given(value string) bool {
	return value != "" && value != "auto"
}

// clipOf is the clip that an output has the older way, zero for none.
func clipOf(o job.Output) (plan.Span, error) {
	if len(o.Composition) == 0 {
		return plan.Span{}, nil
	}
	span, err := plan.SpanOf(o.Composition[0].TimeSpan)
	if err != nil {
		return plan.Span{}, job.FailCause(err, job.CodeValidation, "the Composition of output %s: %v", o.Key, err)
	}
	return span, nil
}
