package main

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sealreel/local/fault"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
)

// count is what became of everything.
type count struct {
	*runner
	violations []string

	byKind  map[string]map[string]int // statuses and codes
	told    int
	twice   int // messages of topics that came again
	objects int // in the output bucket
	uploads int // that were begun and not ended
	dead    int
	events  int // asynchronous events that failed every attempt
	faults  map[string]int
}

func (c *count) wrong(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

func (c *count) all(ctx context.Context) error {
	if err := c.site.SetFaults(fault.Plan{}); err != nil {
		return err
	}
	c.faults = map[string]int{}
	for _, f := range c.site.Faults() {
		c.faults[f.Rule]++
	}
	records, err := c.outcomes(ctx)
	if err != nil {
		return err
	}
	for _, check := range []func(context.Context, map[string]*ledger.Record) error{c.jobs, c.messagesTold, c.stored, c.unfinished, c.queues} {
		if err := check(ctx, records); err != nil {
			return err
		}
	}
	return c.temporary()
}

// outcomes are the jobs of all drops, by id; each has ended as it must.
func (c *count) outcomes(ctx context.Context) (map[string]*ledger.Record, error) {
	records := map[string]*ledger.Record{}
	c.byKind = map[string]map[string]int{}
	for _, d := range c.dropped {
		rec, err := c.user.Job(ctx, d.drop)
		if err != nil {
			return nil, err
		}
		if c.byKind[d.name] == nil {
			c.byKind[d.name] = map[string]int{}
		}
		if rec == nil {
			c.byKind[d.name]["lost"]++
			c.wrong("%s (%s) became no job", d.drop.Key, d.name)
			continue
		}
		if records[rec.Job.ID] != nil {
			c.wrong("job %s is that of two drops", rec.Job.ID)
		}
		records[rec.Job.ID] = rec
		outcome, want := outcomeOf(rec.Job), d.wanted()
		c.byKind[d.name][outcome]++
		if outcome != want {
			c.wrong("job %s (%s: %s, %s to %s) is %s, want %s: %s", rec.Job.ID, d.drop.Key, d.name, d.in, d.out, outcome, want, rec.Job.Outputs[0].StatusDetail)
		}
	}
	return records, nil
}

func outcomeOf(j job.Job) string {
	if j.Status != job.Error {
		return j.Status
	}
	code, _, _ := strings.Cut(j.Outputs[0].StatusDetail, " ")
	return j.Status + " " + code
}

// jobs: there are no others, and none is active.
func (c *count) jobs(ctx context.Context, records map[string]*ledger.Record) error {
	for id, err := range c.user.Ledger.Jobs(ctx) {
		if err != nil {
			return err
		}
		if records[id] == nil {
			rec, err := c.user.Ledger.Job(ctx, id)
			if err != nil {
				return err
			}
			c.wrong("job %s is of no drop of ours: %s", id, rec.Drop.Key)
		}
	}
	for id, err := range c.user.Ledger.Active(ctx) {
		if err != nil {
			return err
		}
		c.wrong("job %s is still active", id)
	}
	return nil
}

// messagesTold: the end of each job once, and its beginning once if it had one. A
// message may come again where a function died, or S3 failed, just behind its
// sending (docs/notifications.md); more than those are wrong.
func (c *count) messagesTold(ctx context.Context, records map[string]*ledger.Record) error {
	heard, err := c.ear.heard(ctx)
	if err != nil {
		return err
	}
	for id, rec := range records {
		c.toldOf(rec, heard[id])
		delete(heard, id)
	}
	for id := range heard {
		c.wrong("the topic told of job %s, which is of no drop of ours", id)
	}
	allowed := 0
	for _, f := range c.site.Faults() {
		if strings.Contains(f.Call.Resource, "/notified/") || f.Rule == "function killed" || f.Call.Service == "sns" {
			allowed++
		}
	}
	if c.twice > allowed {
		c.wrong("%d messages were told again, and only %d faults explain one", c.twice, allowed)
	}
	return nil
}

// toldOf counts the states that were told of a job.
func (c *count) toldOf(rec *ledger.Record, states map[string]int) {
	end := "ERROR"
	if rec.Job.Status == job.Complete {
		end = "COMPLETED"
	}
	for state, n := range states {
		c.told++
		c.twice += n - 1
		if !slices.Contains([]string{"PROGRESSING", "WARNING", end}, state) {
			c.wrong("job %s is %s and was told to be %s", rec.Job.ID, rec.Job.Status, state)
		}
	}
	if states[end] == 0 || rec.Job.Status == job.Complete && states["PROGRESSING"] == 0 {
		c.wrong("not all was told of job %s, which is %s: %v", rec.Job.ID, rec.Job.Status, states)
	}
}

// stored: each object of the output bucket belongs to one of the jobs, and each
// output that is complete has its main object.
func (c *count) stored(ctx context.Context, records map[string]*ledger.Record) error {
	bucket := c.site.Exports()["SEALREEL_OUTPUT_BUCKET"]
	there := map[string]bool{}
	for e, err := range c.user.Store.List(ctx, bucket, "", "") {
		if err != nil {
			return err
		}
		c.objects++
		there[e.Key] = true
	}
	prefixes := map[string]bool{}
	for _, rec := range records {
		if rec.Job.Status != job.Complete {
			continue
		}
		prefixes[rec.Job.OutputKeyPrefix] = true
		for _, o := range rec.Job.Outputs {
			key := rec.Job.OutputKeyPrefix + o.Key
			if !there[key] && !there[key+".m3u8"] {
				c.wrong("output %s of job %s is complete and not there", key, rec.Job.ID)
			}
		}
	}
	for key := range there {
		if prefix, _, _ := strings.Cut(key, "/"); !prefixes[prefix+"/"] {
			c.wrong("%s is of no complete job", key)
		}
	}
	return nil
}

// unfinished uploads are what a function leaves that is killed, or whose call to
// end them failed; the buckets' rules remove them.
func (c *count) unfinished(ctx context.Context, _ map[string]*ledger.Record) error {
	client := s3.NewFromConfig(c.user.AWS, func(o *s3.Options) { o.UsePathStyle = true })
	for _, name := range []string{"OUTPUT", "STATE", "INGEST"} {
		bucket := c.site.Exports()["SEALREEL_"+name+"_BUCKET"]
		out, err := client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil {
			return err
		}
		c.uploads += len(out.Uploads)
	}
	killed := c.faults["function killed"] + c.faults["S3 done and not said"]
	if c.uploads > killed {
		c.wrong("%d uploads were begun and not ended, by %d functions that were killed or not answered", c.uploads, killed)
	}
	return nil
}

func (c *count) queues(ctx context.Context, _ map[string]*ledger.Record) (err error) {
	waiting, err := c.messages(ctx, "ChunkQueue")
	if err != nil {
		return err
	}
	if waiting > 0 {
		c.wrong("%d messages are left in the queue", waiting)
	}
	if c.dead, err = c.messages(ctx, "ChunkDeadLetterQueue"); err != nil {
		return err
	}
	if c.dead > 0 {
		c.wrong("%d dead letters are left", c.dead)
	}
	c.events, err = c.messages(ctx, "FailureQueue")
	return err
}

// temporary: functions leave no files in their folders, which are among the
// stack's.
func (c *count) temporary() error {
	root := filepath.Join(c.dir, "stack")
	folder := string(filepath.Separator) + "tmp" + string(filepath.Separator)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(strings.TrimPrefix(path, root), folder) {
			c.wrong("a function left %s", path)
		}
		return nil // folders of functions come and go
	})
}

func (c *count) print(busy, whole time.Duration) {
	fmt.Printf("\n%d jobs on %d workers, seed %d: dropped and worked on in %v, settled after %v\n\n", c.settings.jobs, c.workers, c.seed, busy.Round(time.Second), whole.Round(time.Second))
	fmt.Printf("| Jobs | Outcomes |\n| --- | --- |\n")
	for _, k := range kinds {
		fmt.Printf("| %s | %s |\n", k.name, listed(c.byKind[k.name]))
	}
	fmt.Printf("\n| Faults | Times |\n| --- | ---: |\n")
	for _, name := range slices.Sorted(maps.Keys(c.faults)) {
		fmt.Printf("| %s | %d |\n", name, c.faults[name])
	}
	fmt.Printf("\n| Counted | |\n| --- | ---: |\n| states told | %d |\n| told again | %d |\n| objects stored | %d |\n| uploads left to lifecycle | %d |\n| dead letters | %d |\n| events that failed every attempt | %d |\n| rounds of reconcile | %d |\n| of them killed or failed | %d |\n",
		c.told, c.twice, c.objects, c.uploads, c.dead, c.events, c.rounds.Load(), c.failed.Load())
}

func listed(counts map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(all, ", ")
}
