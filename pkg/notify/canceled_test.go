package notify

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/metric"
	"sealreel/pkg/trace"
	"sealreel/pkg/trace/tracetest"
)

// The command cancels jobs and counts nothing: reconcile does, as it retires them.
func TestACanceledJobIsCountedWhenItIsRetired(t *testing.T) {
	for _, c := range []struct {
		status, want string
		spans        int
	}{
		{job.Canceled, `"JobErrors":0,"JobsEnded":1,"Outcome":"Canceled"`, 1},
		{job.Complete, ``, 0}, // counted by the write that ended it
	} {
		w := newWorld(t, "")
		rec := complete()
		w.create(t, rec)
		rec.Job.Status, rec.Job.PipelineID = c.status, ""
		counted, tracer := metric.NewRecorder("media", "reconcile"), &tracetest.Tracer{}
		if _, err := w.notifier().Settle(trace.With(metric.NewContext(t.Context(), counted), tracer), rec); err != nil {
			t.Fatal(err)
		}
		var line bytes.Buffer
		if err := counted.Write(&line, time.Now(), nil); err != nil {
			t.Fatal(err)
		}
		if got := line.String(); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: counted %s", c.status, got)
		}
		if got := tracer.Spans(); len(got) != c.spans {
			t.Errorf("%s: spans %v", c.status, got)
		}
	}
}
