package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/source"
)

// TestJobWaitsForAllItsFiles drops a document and its files in any order: the
// job begins with the last of them, and no file becomes a job of its own that
// comes while the job is known.
func TestJobWaitsForAllItsFiles(t *testing.T) {
	for round := range 20 {
		w := newWorld()
		w.document("d.job.json", "a.mp4", "b.mp4", "c.mp4", "a.mp4")
		d, err := w.drop("d.job.json")
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range rand.New(rand.NewPCG(1, uint64(round))).Perm(3) {
			key := []string{"a.mp4", "b.mp4", "c.mp4"}[n]
			if len(w.sent) > 0 {
				t.Fatalf("the job began with %d of its files", i)
			}
			w.media[key] = "v1"
			if _, err := w.drop(key); err != nil {
				t.Fatal(err)
			}
		}
		for _, key := range []string{"b.mp4", "a.mp4", "c.mp4", "d.job.json"} { // once more
			if _, err := w.drop(key); err != nil {
				t.Fatal(err)
			}
		}
		w.checkStarted(t, d, "with its files")
		rec := w.job(t, d)
		p, err := ledger.New(&w.state, "state").Plan(t.Context(), rec.Job.ID)
		if err != nil {
			t.Fatal(err)
		}
		if takes := p.Programmes[0]; len(p.Inputs) != 3 || len(takes) != 4 || takes[3].Input != 0 {
			t.Errorf("inputs %+v, takes %+v", p.Inputs, takes)
		}
		for _, in := range rec.Job.Inputs {
			if in.DetectedProperties == nil {
				t.Errorf("nothing was detected of %s", in.Key)
			}
		}
		for key := range w.state.Keys(t.Context(), "state", "waiting/") {
			t.Errorf("%s is left", key)
		}
	}
}

// TestDeathAmongSeveralInputs kills the function at each call.
func TestDeathAmongSeveralInputs(t *testing.T) {
	for n := 1; ; n++ {
		w := newWorld()
		w.document("d.job.json", "a.mp4", "b.mp4")
		w.media["a.mp4"], w.media["b.mp4"] = "v1", "v1"
		w.dies = n
		d, err := w.drop("d.job.json")
		w.dies = 0
		if err != nil {
			if _, err := w.drop("d.job.json"); err != nil {
				t.Fatalf("killed at call %d: the second delivery: %v", n, err)
			}
		}
		calls := w.calls
		w.checkStarted(t, d, fmt.Sprintf("killed at call %d", n))
		if err == nil && calls < n {
			return
		}
	}
}

// TestDeathOfTheLastInputsEvent kills the function at each call that it makes on
// the event of the file that a job waits for. The next attempt goes on with the
// job, whatever the one before has done, and leaves no mark.
func TestDeathOfTheLastInputsEvent(t *testing.T) {
	for n := 1; ; n++ {
		w := newWorld()
		w.document("d.job.json", "a.mp4", "b.mp4")
		w.media["a.mp4"] = "v1"
		d, err := w.drop("d.job.json")
		if err != nil {
			t.Fatal(err)
		}
		w.media["b.mp4"] = "v1"
		w.calls, w.dies = 0, n
		_, err = w.drop("b.mp4")
		w.dies = 0
		if err != nil {
			if _, err := w.drop("b.mp4"); err != nil {
				t.Fatalf("killed at call %d: the second delivery: %v", n, err)
			}
		}
		calls := w.calls
		w.checkStarted(t, d, fmt.Sprintf("killed at call %d", n))
		for key := range w.state.Keys(t.Context(), "state", "waiting/") {
			t.Errorf("killed at call %d: %s is left", n, key)
		}
		if err == nil && calls < n {
			return
		}
	}
}

func TestInputsTogether(t *testing.T) {
	sized := func(size int64) func(*world, *Ingester) {
		return func(w *world, _ *Ingester) { w.sizes = map[string]int64{"0.mp4": size, "1.mp4": size} }
	}
	for _, c := range []struct {
		name   string
		inputs int
		change func(*world, *Ingester)
		says   string // "" for nothing
	}{
		{"one large input", 1, sized(mostBytes), ""},
		{"larger than is taken", 2, sized(mostBytes/2 + 1), "4022 "},
		{"longer than is taken", 9, func(_ *world, i *Ingester) {
			probe := i.Probe
			i.Probe = func(ctx context.Context, m source.Media) (Probed, error) {
				p, err := probe(ctx, m)
				p.Detected.DurationMillis = 3 * 3600 * 1000
				return p, err
			}
		}, "4022 "},
		{"one is no media", 3, func(_ *world, i *Ingester) {
			i.Probe = func(context.Context, source.Media) (Probed, error) { return Probed{}, job.BadMedia(nil) }
		}, "input #"},
		{"a clip after the end", 1, func(w *world, _ *Ingester) {
			w.docs["d.job.json"] = []byte(strings.Replace(string(w.docs["d.job.json"]), `"Key":"0.mp4"`, `"Key":"0.mp4","TimeSpan":{"StartTime":"00:00:10"}`, 1))
		}, "4014 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			var inputs []string
			for n := range c.inputs {
				inputs = append(inputs, fmt.Sprintf("%d.mp4", n))
				w.media[inputs[n]] = "v1"
			}
			w.document("d.job.json", inputs...)
			i := w.ingester()
			c.change(w, i)
			d := ledger.Drop{Bucket: "in", Key: "d.job.json", VersionID: "v1"}
			if err := i.Drop(t.Context(), d, at, false); err != nil {
				t.Fatal(err)
			}
			rec := w.job(t, d)
			if detail := rec.Job.Outputs[0].StatusDetail; c.says == "" && rec.Job.Status == job.Error || !strings.Contains(detail, c.says) {
				t.Errorf("the job is %s: %s", rec.Job.Status, detail)
			}
		})
	}
}
