package reconcile

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/task"
)

// Prices of S3 requests in dollars (S3 Standard, us-east-1, as published in 2025):
// listing and writing cost the same, deleting nothing.
const (
	priceWrite = 0.005 / 1000
	priceRead  = 0.0004 / 1000
)

// asked counts what rounds ask of S3.
type asked struct{ lists, reads, writes int }

func (a asked) dollars() float64 {
	return float64(a.lists+a.writes)*priceWrite + float64(a.reads)*priceRead
}

// count counts the requests of a world, but not those of its Ingester.
func (w *world) count() *asked {
	a := &asked{}
	var mu sync.Mutex
	w.state.Before = func(call, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		switch call {
		case "Get":
			a.reads++
		case "Keys":
			a.lists++
		case "Create", "Replace":
			a.writes++
		}
		return nil
	}
	return a
}

// drops are those of an ingest bucket of a million objects.
var drops = sync.OnceValue(func() []ledger.Drop {
	all := make([]ledger.Drop, million)
	for n := range all {
		all[n] = ledger.Drop{Bucket: "in", Key: fmt.Sprintf("%07d", n), VersionID: "v"}
	}
	return all
})

// bucket is an ingest bucket of a million objects, of which at says how new each
// is.
func (w *world) bucket(at func(n int) time.Time) func(n int) Dropped {
	all := drops()
	object := func(n int) Dropped { return Dropped{Drop: all[n], At: at(n)} }
	w.Drops = func(_ context.Context, after ledger.Marker) ([]Dropped, ledger.Marker, error) {
		w.pages++
		first := 0
		if after.Key != "" {
			first, _ = strconv.Atoi(after.Key)
		}
		page := make([]Dropped, 0, 1000)
		for n := first; n < first+1000; n++ {
			page = append(page, object(n))
		}
		if first+1000 == million {
			return page, ledger.Marker{}, nil
		}
		return page, ledger.Marker{Key: all[first+1000].Key}, nil
	}
	return object
}

const million = 1_000_000

// swept is a world of a million objects, all of them settled.
func swept(t *testing.T) (*world, func(n int) Dropped, *int) {
	t.Helper()
	w := newWorld()
	recent := 0 // of the objects
	long, just := w.now.Add(-300*24*time.Hour), w.now
	object := w.bucket(func(n int) time.Time {
		if n >= million-recent {
			return just
		}
		return long
	})
	if err := w.Ledger.SetRound(t.Context(), &ledger.Round{Sweep: ledger.Sweep{Done: w.now.Add(-time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	return w, object, &recent
}

// scenario is a row of the table in docs/reconcile.md.
type scenario struct {
	name   string
	rounds int // that are counted
	make   func(t *testing.T) *world
	most   asked // what it may cost
}

// scenarios are what is measured.
var scenarios = []scenario{
	{"nothing to do, one round", 1, func(*testing.T) *world { return newWorld() }, asked{lists: 2, reads: 4, writes: 2}},
	{"a million objects, nothing new, one sweep", 1, func(t *testing.T) *world {
		w, _, _ := swept(t)
		return w
	}, asked{lists: 1001, reads: 4, writes: 2}},
	{"a million objects, nothing new, an hour", 12, func(t *testing.T) *world {
		w, _, _ := swept(t)
		return w
	}, asked{lists: 1012, reads: 26, writes: 13}},
	{"a million objects, 10,000 of them new and with jobs, the first sweep", 1, burst, asked{lists: 1001, reads: 20_004, writes: 3}},
	{"the same, the sweep after", 1, func(t *testing.T) *world {
		w := burst(t)
		w.after(t, 5*time.Minute)
		w.now = w.now.Add(2 * time.Hour)
		return w
	}, asked{lists: 1001, reads: 4, writes: 3}},
	{"1,000 jobs that move, one round", 1, func(t *testing.T) *world {
		w := newWorld()
		for _, id := range w.submitMany(t, manyJobs) {
			if _, err := w.Ledger.CreateReceipt(t.Context(), id, task.Chunk(0, 0), &task.Receipt{}); err != nil {
				t.Fatal(err)
			}
		}
		return w
	}, asked{lists: 1003, reads: 2004, writes: 1002}},
	{"1,000 jobs that wait in the queue, one round", 1, func(t *testing.T) *world {
		w := newWorld()
		for _, id := range w.submitMany(t, manyJobs) {
			if err := w.Ledger.SetWatch(t.Context(), id, ledger.Watch{Since: w.now, Told: job.Submitted}); err != nil {
				t.Fatal(err)
			}
		}
		return w
	}, asked{lists: 1003, reads: 2004, writes: 2}},
}

// burst is a bucket of a million objects with 10,000 new ones, whose jobs ended.
func burst(t *testing.T) *world {
	t.Helper()
	w, object, recent := swept(t)
	*recent = 10_000
	for n := million - *recent; n < million; n++ {
		d := object(n)
		if err := w.take(t.Context(), d.Drop, d.At); err != nil {
			t.Fatal(err)
		}
		if err := w.Ledger.Retire(t.Context(), job.NewID(d.At, d.Bucket, d.Key, d.VersionID)); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// TestCost measures what rounds ask of S3, and holds docs/reconcile.md to it.
func TestCost(t *testing.T) {
	doc, err := os.ReadFile("../../docs/reconcile.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios {
		w := s.make(t)
		w.pages = 0
		got := w.count()
		w.now = w.now.Add(time.Minute)
		for range s.rounds {
			if sum := w.after(t, 5*time.Minute); len(sum.Unfinished) > 0 || sum.Failed > 0 {
				t.Errorf("%s: %+v", s.name, sum)
			}
		}
		got.lists += w.pages
		if got.lists > s.most.lists || got.reads > s.most.reads || got.writes > s.most.writes {
			t.Errorf("%s: %d listings, %d reads, %d writes, want at most %d, %d, %d",
				s.name, got.lists, got.reads, got.writes, s.most.lists, s.most.reads, s.most.writes)
		}
		row := fmt.Sprintf("| %s | %d | %d | %d | %.5f |", s.name, got.lists, got.reads, got.writes, got.dollars())
		if t.Log(row); !strings.Contains(string(doc), row) {
			t.Errorf("docs/reconcile.md has not the row\n%s", row)
		}
	}
}
