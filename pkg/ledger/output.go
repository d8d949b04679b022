package ledger

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/task"
	"sealreel/pkg/trace"
)

// Ready asks for the assembly of an output: the object whose creation starts
// the assemble function.
type Ready struct {
	Job    string `json:"job"`
	Output string `json:"output"`
}

func readyKey(job, output string) string { return "ready/" + job + "/" + output + ".json" }

// ParseReady reads the key of an object that MarkReady made.
func ParseReady(key string) (Ready, bool) {
	name, found := strings.CutSuffix(key, ".json")
	parts := strings.Split(name, "/")
	if !found || len(parts) != 3 || parts[0] != "ready" || !job.ValidID(parts[1]) || parts[2] == "" {
		return Ready{}, false
	}
	return Ready{Job: parts[1], Output: parts[2]}, true
}

// MarkReady asks once for the assembly of an output.
func (l *Ledger) MarkReady(ctx context.Context, job, output string) error {
	_, err := l.create(ctx, readyKey(job, output), Ready{Job: job, Output: output})
	return err
}

// AskAgain asks anew for an assembly that was asked for and did not happen.
func (l *Ledger) AskAgain(ctx context.Context, job, output string) error {
	if err := l.objects.Delete(ctx, l.bucket, readyKey(job, output)); err != nil {
		return err
	}
	return l.MarkReady(ctx, job, output)
}

// Result is the last act of assemble for an output: what the job shows of it,
// and what a master playlist and a reader of the output need to know.
type Result struct {
	Version  int            `json:"version"`
	Result   job.Result     `json:"result"`
	Segments []task.Segment `json:"segments,omitempty"` // of a segmented output, in order
	Codecs   []string       `json:"codecs,omitempty"`
	// Thumbnails are those of the output, in order.
	Thumbnails []task.Thumbnail `json:"thumbnails,omitempty"`
	Failure    *task.Failure    `json:"failure,omitempty"`
}

// CreateResult stores the result of an output, or reads the one that was there
// first.
func (l *Ledger) CreateResult(ctx context.Context, job, output string, r *Result) (*Result, error) {
	r.Version = Version
	ctx, end := trace.Start(ctx, "receipt", slog.String("sealreel.receipt", "output "+output))
	first, _, err := createOrRead(ctx, l, "outputs/"+job+"/"+output+".json", r)
	end(err)
	return first, err
}

// Result reads the result of an output.
func (l *Ledger) Result(ctx context.Context, job, output string) (*Result, error) {
	r, _, err := read[Result](ctx, l, "outputs/"+job+"/"+output+".json")
	return r, err
}

// Results are the ids of a job's outputs that have a result.
func (l *Ledger) Results(ctx context.Context, job string) (map[string]bool, error) {
	return l.nameSet(ctx, "outputs/"+job+"/")
}

// Entry says which output of which job an object in an output bucket belongs
// to.
type Entry struct {
	Job    string `json:"job"`
	Output string `json:"output"`
}

// Catalog records the owner of an output key in a bucket. When it has one, that
// stays the owner unless replace, given it, says otherwise; the owner is returned.
func (l *Ledger) Catalog(ctx context.Context, bucket, outputKey string, e Entry, replace func(Entry) (bool, error)) (Entry, error) {
	key := catalogKey(bucket, outputKey)
	first, created, err := createOrRead(ctx, l, key, &e)
	if err != nil || created || *first == e {
		return e, err
	}
	owner, err := update(ctx, l, key, func(now *Entry) error {
		ok, err := replace(*now)
		if err == nil && !ok {
			err = errUnchanged
		}
		if err == nil {
			*now = e
		}
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	return *owner, nil
}

func catalogKey(bucket, outputKey string) string {
	return "catalog/" + bucket + "/" + outputKey + ".json"
}

// ClaimPair claims a pair of key and IV for an output, or reads the output that
// claimed it first. The claim is for ever.
func (l *Ledger) ClaimPair(ctx context.Context, pair string, e Entry) (Entry, error) {
	first, _, err := createOrRead(ctx, l, "pairs/"+pair+".json", &e)
	if err != nil {
		return Entry{}, err
	}
	return *first, nil
}

// Owner reads the owner of an output key in a bucket; an object.ErrNotExist for
// one that no job wrote. The entries of jobs that were planned before there was a
// bucket in them are read as those of any bucket.
func (l *Ledger) Owner(ctx context.Context, bucket, outputKey string) (Entry, error) {
	e, _, err := read[Entry](ctx, l, catalogKey(bucket, outputKey))
	if errors.Is(err, object.ErrNotExist) {
		e, _, err = read[Entry](ctx, l, "catalog/"+outputKey+".json")
	}
	if err != nil {
		return Entry{}, err
	}
	return *e, nil
}
