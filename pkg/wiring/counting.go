package wiring

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"sealreel/pkg/logs"
	"sealreel/pkg/metric"
	"sealreel/pkg/usage"
)

// early is how long before its deadline an invocation that still runs has its
// metrics written, since Lambda may kill it there.
const early = time.Second

// counting serves the invocations of one environment, each of which counts what
// it does (lambda.Handler).
type counting struct {
	function, stack string
	handler         lambda.Handler
	out             io.Writer
	log             *slog.Logger
	warm            atomic.Bool
}

// Invoke does one invocation.
func (c *counting) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	run := &counted{counting: c, ctx: ctx, recorder: metric.NewRecorder(c.stack, c.function)}
	run.recorder.Add(metric.ColdStarts, "", number(!c.warm.Swap(true)))
	stop := run.writeEarly()
	failed := true // unless it comes to its end
	defer func() {
		if c.function == Ingest {
			run.recorder.Add(metric.IngestFailures, "", number(failed))
		}
		run.write(stop())
	}()
	answer, err := c.handler.Invoke(metric.NewContext(ctx, run.recorder), payload)
	if failed = err != nil; failed { // Lambda's own log does not say why
		c.log.ErrorContext(ctx, "the invocation failed", "jobs", usage.From(ctx).Jobs(), "err", err)
	}
	return answer, err
}

// counted is an invocation that is counted.
type counted struct {
	*counting
	ctx      context.Context
	recorder *metric.Recorder

	mu   sync.Mutex
	used usage.Counts // so much of it is written
}

// writeEarly writes the metrics shortly before the invocation's deadline. stop
// says whether it came before that.
func (c *counted) writeEarly() (stop func() bool) {
	deadline, ok := c.ctx.Deadline()
	if !ok {
		return func() bool { return true }
	}
	return time.AfterFunc(time.Until(deadline)-early, func() { c.write(true) }).Stop
}

// write writes what was counted, and the time that is left where that is wanted.
// That it can't must not fail what was done.
func (c *counted) write(timeLeft bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if deadline, ok := c.ctx.Deadline(); ok && timeLeft {
		c.recorder.Add(metric.TimeLeft, "", float64(max(0, time.Until(deadline).Milliseconds())))
	}
	c.addUsage()
	now := time.Now()
	properties := map[string]string{"time": now.UTC().Format(time.RFC3339Nano), "level": slog.LevelInfo.String(), "msg": "metrics", logs.Function: lambdacontext.FunctionName}
	if lc, ok := lambdacontext.FromContext(c.ctx); ok {
		properties[logs.Request] = lc.AwsRequestID
	}
	if err := c.recorder.Write(c.out, now, properties); err != nil {
		c.log.WarnContext(c.ctx, "metrics are lost", "err", err)
	}
}

// addUsage counts what the invocation asked of AWS since the last time.
func (c *counted) addUsage() {
	now, before := usage.From(c.ctx).Counts(), c.used
	c.used = now
	c.recorder.Add(metric.BytesIn, "", float64(now.S3In-before.S3In))
	c.recorder.Add(metric.BytesOut, "", float64(now.S3Out-before.S3Out))
	if now.KMS > before.KMS {
		c.recorder.Add(metric.KMSCalls, "", float64(now.KMS-before.KMS))
		c.recorder.Add(metric.KMSDenials, "", float64(now.KMSDenied-before.KMSDenied))
	}
	for cause, n := range now.Retries {
		if more := n - before.Retries[cause]; more > 0 {
			c.recorder.Add(metric.Retries, string(cause), float64(more))
		}
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
