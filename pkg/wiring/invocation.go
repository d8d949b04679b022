package wiring

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"sealreel/pkg/logs"
	"sealreel/pkg/usage"
)

// Ingest, Transcode, Assemble and Reconcile are the functions' names in metrics
// and in records of usage.
const (
	Ingest    = usage.Ingest
	Transcode = usage.Transcode
	Assemble  = usage.Assemble
	Reconcile = usage.Reconcile
)

// begun is when the process began, as near as it can know itself.
var begun = time.Now()

const (
	// noteTime bounds how long an invocation waits for the note of what it used.
	noteTime = 2 * time.Second
	// noteEarly is how long before its deadline an invocation that still runs is
	// noted, since Lambda may kill it there.
	noteEarly = 3 * time.Second
)

// Start serves the invocations of the function with a handler as lambda.Start
// takes it, and does not return. Each invocation carries a tally of what it uses
// (package usage), which is noted at its end for the jobs that it worked for, and
// counts what it does (package metric).
func (p *Parts) Start(function string, handler any) {
	served := lambda.NewHandler(handler)
	if p.Tracer != nil {
		served = &tracing{handler: served, tracer: p.Tracer, log: p.Log}
	}
	counted := &counting{function: function, stack: p.Config.Stack, handler: served, out: os.Stdout, log: p.Log}
	lambda.Start(&invocations{handler: counted, note: p.note(function)})
}

// note stores the record of an invocation of the function. A job is not worth
// failing for want of it.
func (p *Parts) note(function string) func(context.Context, *usage.Tally, usage.Invocation) {
	return func(ctx context.Context, tally *usage.Tally, of usage.Invocation) {
		jobs := tally.Jobs()
		p.Log.DebugContext(ctx, "used", "jobs", jobs, "counts", tally.Counts(), "done", !of.Failed)
		if len(jobs) == 0 || function == Reconcile { // a round is the cost of the stack, not of the jobs it looks at
			return
		}
		of.Function, of.MemoryMiB = function, lambdacontext.MemoryLimitInMB
		tally.Add(usage.Counts{S3Writes: int64(len(jobs))}) // for what is about to be stored
		record := tally.Record(of)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
		defer cancel()
		for _, id := range jobs {
			if err := p.Ledger.NoteUsage(ctx, id, record); err != nil {
				p.Log.WarnContext(ctx, "what the invocation cost is not noted", "job", id, "err", err)
				return
			}
		}
	}
}

// invocations are those of a function, as Lambda's runtime hands them over
// (lambda.Handler).
type invocations struct {
	handler lambda.Handler
	note    func(context.Context, *usage.Tally, usage.Invocation)
	first   sync.Once
}

// Invoke does one invocation.
func (i *invocations) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	of := usage.Invocation{Start: time.Now()}
	i.first.Do(func() { of.Init = of.Start.Sub(begun) })
	if known, ok := lambdacontext.FromContext(ctx); ok {
		of.Request = known.AwsRequestID
	}
	cpu := processorTime()
	ctx, tally := usage.With(named(ctx))
	var once sync.Once
	note := func(failed bool) {
		once.Do(func() {
			of.Duration, of.CPU, of.Failed = time.Since(of.Start), processorTime()-cpu, failed
			i.note(ctx, tally, of)
		})
	}
	if deadline, ok := ctx.Deadline(); ok {
		defer time.AfterFunc(time.Until(deadline)-noteEarly, func() { note(true) }).Stop()
	}
	answer, err := i.handler.Invoke(ctx, event)
	note(err != nil || tally.Failed())
	return answer, err
}

// processorTime is that of the process and of the programs it ran, which have
// ended.
func processorTime() time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		if err := syscall.Getrusage(who, &used); err == nil { // it fails for no valid argument
			sum += time.Duration(used.Utime.Nano() + used.Stime.Nano())
		}
	}
	return sum
}

// named is the context of an invocation whose log lines name its request.
func named(ctx context.Context) context.Context {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return logs.With(ctx, logs.Request, lc.AwsRequestID)
	}
	return ctx
}
