package transcode

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/job"
	"sealreel/pkg/metric"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
	"sealreel/pkg/task"
)

// counted is what do counts, by metric.
func counted(t *testing.T, do func(ctx context.Context)) map[string]any {
	t.Helper()
	r := metric.NewRecorder("media", "transcode")
	do(metric.NewContext(t.Context(), r))
	var line bytes.Buffer
	if err := r.Write(&line, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	if line.Len() > 0 {
		if err := json.Unmarshal(line.Bytes(), &members); err != nil {
			t.Fatal(err)
		}
	}
	return members
}

func TestChunksAreCounted(t *testing.T) {
	failed := task.Made{Failure: &task.Failure{Code: job.CodeBadInput}}
	pictures := plan.Group{Picture: true, Rate: rational.Int(25)}
	for name, c := range map[string]struct {
		group   plan.Group
		made    map[int]task.Made
		seconds any
		factor  any
	}{
		"pictures":       {pictures, map[int]task.Made{0: {}}, 9.6, 2.4},
		"one of two":     {pictures, map[int]task.Made{0: failed, 1: {}}, 9.6, 2.4},
		"none":           {pictures, map[int]task.Made{0: failed}, nil, nil},
		"sound has none": {plan.Group{Rate: rational.Int(30)}, map[int]task.Made{0: {}}, 8.0, nil},
	} {
		got := counted(t, func(ctx context.Context) {
			countChunk(ctx, c.group, plan.Chunk{First: 240, End: 480}, &task.Receipt{Outputs: c.made}, 4*time.Second)
		})
		if got["MediaSeconds"] != c.seconds || got["RealTimeFactor"] != c.factor || (got["ChunkSeconds"] == nil) != (c.seconds == nil) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestDeliveriesAreCounted(t *testing.T) {
	sent := func(before time.Duration) map[string]string {
		return map[string]string{"SentTimestamp": fmt.Sprint(time.Now().Add(-before).UnixMilli())}
	}
	got := counted(t, func(ctx context.Context) { countDelivery(ctx, events.SQSMessage{Attributes: sent(time.Minute)}, 1) })
	if wait, _ := got["QueueWait"].(float64); wait < 60000 || wait > 70000 || got["Retries"] != nil {
		t.Errorf("the first delivery: %v", got)
	}
	got = counted(t, func(ctx context.Context) { countDelivery(ctx, events.SQSMessage{Attributes: sent(-time.Minute)}, 3) })
	if got["QueueWait"] != 0.0 || got["Retries"] != 1.0 || got["Cause"] != "redelivered" {
		t.Errorf("the third delivery, by a fast clock: %v", got)
	}
	if got := counted(t, func(ctx context.Context) { countDelivery(ctx, events.SQSMessage{}, 0) }); len(got) != 0 {
		t.Errorf("without attributes: %v", got)
	}
}
