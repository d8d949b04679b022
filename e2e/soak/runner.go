package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"sealreel/e2e/user"
	"sealreel/local/stack"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
)

// runner is one soak.
type runner struct {
	settings
	site  *stack.Stack
	user  *user.User
	ear   *ear
	media media

	mu      sync.Mutex
	dropped []dropped
	rounds  atomic.Int64 // of reconcile
	failed  atomic.Int64 // of them
}

// dropped is a job document that was dropped, and what must come of it.
type dropped struct {
	choice
	drop ledger.Drop
}

// clients is how many users drop jobs, each one after the other, so that the
// load stays the same from beginning to end.
const clients = 12

// patience is how long a client waits for a job before it drops the next; one
// whose event was lost takes longer, and is counted at the end.
const patience = 30 * time.Second

// run drops all jobs, waits until nothing is left to do, and counts.
func (r *runner) run(ctx context.Context) ([]string, error) {
	start := time.Now()
	reconciling, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { r.reconcile(reconciling) })
	w := watch(reconciling, &beside)
	err := r.dropAll(ctx)
	busy := time.Since(start)
	w.pause()
	if err == nil {
		err = r.settle(ctx)
	}
	stop()
	beside.Wait()
	if err != nil {
		return nil, err
	}
	c := &count{runner: r}
	if err := c.all(ctx); err != nil {
		return nil, err
	}
	c.violations = append(c.violations, w.violations()...)
	c.print(busy, time.Since(start))
	w.print()
	return c.violations, nil
}

// leaveFilesAlone takes from the default pipeline what it does with files that no
// document names: a file may be there before its document, or the event of that
// be lost, and would become a job of its own.
func (r *runner) leaveFilesAlone(ctx context.Context) error {
	var p map[string]any
	if err := json.Unmarshal([]byte(r.site.Template().Function("IngestFunction").Environment["SEALREEL_PIPELINE"]), &p); err != nil {
		return fmt.Errorf("the template's pipeline: %w", err)
	}
	if ours, ok := p["Sealreel"].(map[string]any); ok {
		delete(ours, "Drop")
	}
	doc, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return r.user.Ledger.CreatePipeline(ctx, r.user.Pipeline, doc)
}

func (r *runner) dropAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(clients)
	random := rand.New(rand.NewPCG(r.seed, 1))
	for n := range r.jobs {
		c := choose(random)
		group.Go(func() error { return r.client(ctx, n, c) })
	}
	return group.Wait()
}

// client drops one job and its file and waits for its end for a while.
func (r *runner) client(ctx context.Context, n int, c choice) error {
	name := fmt.Sprintf("soak-%05d", n)
	file := name + ".media"
	sealed, err := r.user.Seal(ctx, c.in)
	if err != nil {
		return err
	}
	upload := func() error { return r.user.Put(ctx, file, sealed, bytes.NewReader(c.file(r.media))) }
	if c.fileFirst {
		if err := upload(); err != nil {
			return err
		}
	}
	drop, err := r.user.Drop(ctx, name+".job.json", job.Request{PipelineID: r.user.Pipeline,
		Inputs: []job.Input{{Key: file, Encryption: sealed}}, OutputKeyPrefix: name + "/", Outputs: c.outputs(c.out)})
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.dropped = append(r.dropped, dropped{c, drop})
	if len(r.dropped)%50 == 0 {
		fmt.Printf("%d dropped\n", len(r.dropped))
	}
	r.mu.Unlock()
	if !c.fileFirst {
		if err := upload(); err != nil {
			return err
		}
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := r.user.Await(waiting, drop); err != nil && !errors.Is(waiting.Err(), context.DeadlineExceeded) {
		return err
	}
	return ctx.Err()
}

// reconcile has the scheduled function run, more often than a deployment does.
func (r *runner) reconcile(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Second):
		}
		result, err := r.site.Invoke(ctx, "ReconcileFunction", []byte(`{}`))
		if ctx.Err() != nil {
			return
		}
		r.rounds.Add(1)
		if err != nil || result.FunctionError != "" {
			r.failed.Add(1) // such as killed, by the plan
		}
	}
}

// settle waits until no job is active and no queue holds anything, with no more
// faults.
func (r *runner) settle(ctx context.Context) error {
	fmt.Println("all dropped; waiting for the rest")
	for {
		active := 0
		for _, err := range r.user.Ledger.Active(ctx) {
			if err != nil {
				return err
			}
			active++
		}
		waiting, err := r.messages(ctx, "ChunkQueue")
		if err != nil {
			return err
		}
		if active == 0 && waiting == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			fmt.Printf("%d jobs are still active and %d messages wait\n", active, waiting)
			return nil // the count says what is wrong
		case <-time.After(2 * time.Second):
		}
	}
}

// messages are how many a queue of the template holds, in flight ones too.
func (r *runner) messages(ctx context.Context, id string) (n int, err error) {
	client := sqs.NewFromConfig(r.user.AWS)
	for _, q := range r.site.Template().Queues {
		if q.ID != id {
			continue
		}
		out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
		if err != nil {
			return 0, err
		}
		for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
			var one int
			if _, err := fmt.Sscan(out.Attributes[name], &one); err != nil {
				return 0, fmt.Errorf("%s of %s: %w", name, id, err)
			}
			n += one
		}
		return n, nil
	}
	return 0, fmt.Errorf("template.yaml has no queue %s", id)
}
