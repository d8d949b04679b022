package ledger

import (
	"context"
	"slices"

	"sealreel/pkg/job"
	"sealreel/pkg/plan"
)

// ShowPlan puts on the job what its plan says, the wrapped keys that were made for
// its outputs above all, and what the probe found. A job that has ended, as one that
// was canceled meanwhile, is left as it is. Whoever queues tasks of a plan shows it
// first: what a job makes under a generated key can be opened only by what it shows.
func (l *Ledger) ShowPlan(ctx context.Context, p *plan.Plan) (*Record, error) {
	return l.UpdateJob(ctx, p.Job, func(r *Record) error {
		if job.Terminal(r.Job.Status) {
			return nil
		}
		r.Waiting = false
		if slices.ContainsFunc(p.Outputs, func(o plan.Output) bool { return o.Failure != nil }) {
			job.HideDigests(&r.Job) // it may be the key of captions that could not be unwrapped
		}
		inputs := append([]job.Input(nil), r.Job.Inputs...)
		for n, take := range p.Programmes[0] {
			inputs[n].DetectedProperties = &p.Inputs[take.Input].Detected
		}
		r.Job.Inputs = inputs
		outputs := append([]job.Output(nil), r.Job.Outputs...)
		for n := range outputs {
			outputs[n].Encryption = p.Outputs[n].Encryption
			if t := p.Outputs[n].Thumbnails; t != nil {
				outputs[n].ThumbnailEncryption = t.Encryption
			}
			outputs[n].Captions = captionKeys(outputs[n].Captions, p.Outputs[n].Captions)
		}
		r.Job.Outputs = outputs
		return nil
	})
}

// captionKeys puts the keys that captions are encrypted with on the job.
func captionKeys(c *job.Captions, planned *plan.Captions) *job.Captions {
	if c == nil || planned == nil {
		return c
	}
	shown := *c
	shown.CaptionFormats = slices.Clone(c.CaptionFormats)
	for n := range shown.CaptionFormats {
		shown.CaptionFormats[n].Encryption = planned.Formats[n].Encryption
	}
	return &shown
}
