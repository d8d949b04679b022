package cli

import (
	"context"
	"errors"

	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
)

var readCommand = command{
	name: "read", args: "JOB",
	summary: "print a job as JSON",
	text: `
Prints the job as Elastic Transcoder's ReadJob answered it, and beside it, in the
member Sealreel, what that had no word for: the Progress in steps and as a fraction,
whether the job is Waiting for its input, the StatusDetail of a job that failed as a
whole, all its Warnings, the Drop it came from, and the Objects of its complete
outputs and playlists with the Mode in which each is encrypted.`,
	run: read,
}

// additions are what a job shows beyond Elastic Transcoder's.
type additions struct {
	Progress     steps
	Waiting      bool
	StatusDetail string `json:",omitempty"`
	Warnings     []string
	Drop         dropped
	Objects      []stored
}

// steps are chunks, pieces of sound and outputs. The Fraction is from 0 to 1.
type steps struct {
	Done, Total int
	Fraction    float64
}

type dropped struct {
	Bucket    string
	Key       string
	VersionID string `json:"VersionId"`
}

// stored is an object of the job. Its Output is the id of the output whose
// Encryption, ThumbnailEncryption or CaptionFormat has its wrapped key; a master
// playlist has none.
type stored struct {
	Key    string
	Bucket string `json:",omitempty"`
	Output string `json:",omitempty"`
	Mode   string `json:",omitempty"`
}

func read(ctx context.Context, t *terminal, args []string) error {
	positional, err := newFlags().parse(args, "JOB")
	if err != nil {
		return err
	}
	s, err := site.Connect(ctx, t.getenv)
	if err != nil {
		return err
	}
	doc, err := readJob(ctx, s.Ledger, positional[0])
	if err != nil {
		return explainJob(err, positional[0])
	}
	return showJSON(t.stdout, doc)
}

// records are what read needs of the ledger.
type records interface {
	progress.Ledger
	Result(ctx context.Context, job, output string) (*ledger.Result, error)
}

// readJob is the job with the id as JSON.
func readJob(ctx context.Context, l records, id string) ([]byte, error) {
	s, err := progress.Of(l, id).Look(ctx)
	if err != nil {
		return nil, err
	}
	r := s.Record
	more := additions{
		Progress: steps{s.Done, s.Total, thousandth(s.Fraction())}, Waiting: r.Waiting, StatusDetail: r.Job.StatusDetail, Warnings: append([]string{}, r.Warnings...),
		Drop: dropped{r.Drop.Bucket, r.Drop.Key, r.Drop.VersionID},
	}
	if more.Objects, err = objects(ctx, l, r.Job); err != nil {
		return nil, err
	}
	return job.MarshalWire(r.Job, more)
}

// objects are those of the outputs and playlists that are complete.
func objects(ctx context.Context, l records, j job.Job) ([]stored, error) {
	all := []stored{}
	p, err := l.Plan(ctx, j.ID)
	if errors.Is(err, object.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	for _, o := range p.Outputs {
		r, err := l.Result(ctx, j.ID, o.ID)
		if errors.Is(err, object.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if r.Failure == nil {
			all = append(all, objectsOf(o, r)...)
		}
	}
	for _, list := range j.Playlists {
		if list.Status == job.Complete {
			all = append(all, stored{Key: job.MasterName(j.OutputKeyPrefix, list), Bucket: p.Outputs[0].Bucket})
		}
	}
	return all, nil
}

// objectsOf are the objects of an output: its file, or its playlist, which is
// never encrypted, and its segments; its thumbnails and captions.
func objectsOf(o plan.Output, r *ledger.Result) []stored {
	names, mode := o.Names(), modeOf(o.Encryption)
	all := []stored{{names.Single, o.Bucket, o.ID, mode}}
	if names.Segmented() {
		all[0] = stored{names.Playlist, o.Bucket, o.ID, ""}
	}
	for _, s := range r.Segments {
		all = append(all, stored{s.Key, o.Bucket, o.ID, mode})
	}
	for _, t := range r.Thumbnails {
		all = append(all, stored{t.Key, o.Thumbnails.Bucket, o.ID, modeOf(o.Thumbnails.Encryption)})
	}
	for _, c := range o.CaptionFiles() {
		count := 1
		if c.Series() {
			count = len(r.Segments)
		}
		for n := range count {
			all = append(all, stored{c.Key(n), o.Bucket, o.ID, modeOf(c.Format.Encryption)})
		}
	}
	return all
}

func modeOf(e *job.Encryption) string {
	if e == nil {
		return ""
	}
	return e.Mode
}
