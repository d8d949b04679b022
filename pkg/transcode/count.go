package transcode

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/metric"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// countChunk counts a chunk that took so long, unless nothing was made of it.
func countChunk(ctx context.Context, g plan.Group, c plan.Chunk, r *task.Receipt, took time.Duration) {
	made := false
	for _, m := range r.Outputs {
		made = made || m.Failure == nil
	}
	if !made {
		return
	}
	media := float64(c.Frames()) / g.Rate.Float64()
	metric.Add(ctx, metric.ChunkSeconds, took.Seconds())
	metric.Add(ctx, metric.MediaSeconds, media)
	if g.Picture {
		metric.Add(ctx, metric.RealTimeFactor, media/took.Seconds())
	}
}

// countDelivery counts how long a message waited, and whether it was delivered
// before: count is how often it was received. The clocks are the queue's and the
// function's, so that a wait may seem to be less than nothing.
func countDelivery(ctx context.Context, m events.SQSMessage, count int) {
	if sent, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
		metric.Add(ctx, metric.QueueWait, float64(max(0, time.Now().UnixMilli()-sent)))
	}
	if count > 1 {
		metric.AddBy(ctx, metric.Retries, "redelivered", 1)
	}
}
