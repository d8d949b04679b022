package wiring

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"sealreel/pkg/ledger"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/usage"
)

const (
	jobOne = "1382644766696-2di5iz"
	jobTwo = "1382644766696-2di5ix"
)

// function serves invocations as the function of that name, in memory.
func function(t *testing.T, name string, handler any) (*invocations, *ledger.Ledger, *objecttest.Memory) {
	t.Helper()
	state := &objecttest.Memory{}
	p := &Parts{Ledger: ledger.New(state, "state"), Log: slog.New(slog.DiscardHandler)}
	return &invocations{handler: lambda.NewHandler(handler), note: p.note(name)}, p.Ledger, state
}

func usageOf(t *testing.T, l *ledger.Ledger, job string) []usage.Record {
	t.Helper()
	all, err := l.Usage(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestInvocationsAreNotedForTheirJobs(t *testing.T) {
	f, l, _ := function(t, usage.Transcode, func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		usage.From(ctx).For(jobOne, "chunk-0-00001")
		usage.From(ctx).Attempt(3)
		usage.From(ctx).Add(usage.Counts{S3Reads: 4})
		usage.From(ctx).Fail()
		for begin := processorTime(); processorTime() < begin+30*time.Millisecond; {
			_ = strings.Repeat("x", 1<<16)
		}
		return events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{{ItemIdentifier: e.Records[0].MessageId}}}, nil
	})
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8a"})
	for range 2 {
		answer, err := f.Invoke(ctx, []byte(`{"Records":[{"messageId":"m"}]}`))
		if err != nil || !strings.Contains(string(answer), `{"batchItemFailures":[{"itemIdentifier":"m"}]}`) {
			t.Fatalf("%s, %v", answer, err)
		}
		time.Sleep(2 * time.Millisecond) // since the request id is the same
	}
	all := usageOf(t, l, jobOne)
	if len(all) != 2 {
		t.Fatalf("%d records", len(all))
	}
	r := all[0]
	if r.Function != "transcode" || r.Task != "chunk-0-00001" || r.Request != "8a" || r.Attempt != 3 || !r.Failed || r.S3Reads != 4 || r.S3Writes != 1 || r.CPUMilliseconds < 30 || r.Milliseconds < 30 {
		t.Errorf("%+v", r)
	}
	if r.InitMilliseconds == 0 || all[1].InitMilliseconds != 0 {
		t.Errorf("init of %d ms, then of %d", r.InitMilliseconds, all[1].InitMilliseconds)
	}
}

// What is still at work shortly before its deadline is noted there, and once.
func TestAnInvocationIsNotedBeforeItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, _ := function(t, usage.Assemble, func(ctx context.Context) error {
			usage.From(ctx).For(jobOne, "1")
			<-ctx.Done()
			return ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go f.Invoke(ctx, nil)
		time.Sleep(time.Minute - noteEarly + time.Millisecond)
		synctest.Wait()
		if all := usageOf(t, l, jobOne); len(all) != 1 || !all[0].Failed || all[0].Milliseconds != 57_000 {
			t.Errorf("%+v", all)
		}
		time.Sleep(noteEarly)
		synctest.Wait()
		if all := usageOf(t, l, jobOne); len(all) != 1 {
			t.Errorf("%d records", len(all))
		}
	})
}

func TestAnInvocationForTwoJobsIsShared(t *testing.T) {
	f, l, _ := function(t, usage.Ingest, func(ctx context.Context, _ events.S3Event) error {
		usage.From(ctx).For(jobOne, "")
		usage.From(ctx).For(jobTwo, "")
		return nil
	})
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{jobOne, jobTwo} {
		if all := usageOf(t, l, id); len(all) != 1 || all[0].Shared != 2 || all[0].S3Writes != 2 {
			t.Errorf("%s: %+v", id, all)
		}
	}
}

func TestWhatIsNotNoted(t *testing.T) {
	for name, handler := range map[string]func(ctx context.Context) error{
		usage.Ingest:    func(context.Context) error { return nil }, // worked for no job
		usage.Reconcile: func(ctx context.Context) error { usage.From(ctx).For(jobOne, ""); return nil },
	} {
		f, _, state := function(t, name, handler)
		if _, err := f.Invoke(t.Context(), nil); err != nil {
			t.Error(err)
		}
		for key, err := range state.Keys(t.Context(), "state", "") {
			t.Errorf("%s stored %s, %v", name, key, err)
		}
	}
}

// forbidden is storage that takes nothing.
type forbidden struct{ objecttest.Memory }

func (*forbidden) Create(context.Context, string, string, []byte) error { return errors.New("denied") }

// An invocation that can't note what it used ends as it would have.
func TestNotesAreNoCondition(t *testing.T) {
	boom := errors.New("boom")
	for _, want := range []error{nil, boom} {
		var log strings.Builder
		p := &Parts{Ledger: ledger.New(&forbidden{}, "state"), Log: slog.New(slog.NewTextHandler(&log, nil))}
		f := &invocations{note: p.note(usage.Ingest), handler: lambda.NewHandler(func(ctx context.Context) error {
			usage.From(ctx).For(jobOne, "")
			return want
		})}
		if _, err := f.Invoke(t.Context(), nil); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		if !strings.Contains(log.String(), "denied") {
			t.Errorf("logged %q", log.String())
		}
	}
}

func TestAllFunctionsOfJobsAreNamed(t *testing.T) {
	if slices.Contains(usage.Functions, usage.Reconcile) || len(usage.Functions) != 3 {
		t.Error(usage.Functions)
	}
}
