package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sealreel/local/fault"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// trial is one job of a scenario, in which a function may be killed.
type trial struct {
	scenario *scenario
	name     string
	id       string // of its job, when it is claimed
	request  job.Request
	input    *seal.Material
	document ledger.Drop
	cold     bool // its drops meet new environments

	mu      sync.Mutex
	calls   []call
	deaths  []*death
	told    map[string]bool // by work: a topic has answered a message that is not noted as sent
	doubled int             // deaths in that moment
	writes  map[string]int  // how often functions stored an object, by bucket and key
}

// death is a point at which a function of the trial dies, once.
type death struct {
	point
	done bool
}

// point is a place to kill a function at.
type point struct {
	call call         // with Work "": of whichever invocation makes it first
	when fault.Moment // before or after it is carried out
}

func (p point) String() string { return fmt.Sprintf("%s %s", p.when, p.call) }

func (p point) is(c call) bool { return p.call == c || p.call == c.anywhere() }

// begin makes a trial that nothing was dropped of.
func begin(t *testing.T, s *scenario) *trial {
	t.Helper()
	r := &trial{scenario: s, name: fmt.Sprintf("crash-%06d", names.Add(1)), told: map[string]bool{}, writes: map[string]int{}}
	site.recorder.know(r.name, r)
	r.request, r.input = s.request(t, r.name)
	if s.captions != "" {
		r.drop(t, r.name+"/said.srt", nil, []byte(s.captions))
	}
	return r
}

// arm has functions killed at the points, each once.
func (r *trial) arm(t *testing.T, points ...point) {
	t.Helper()
	for _, p := range points {
		d := &death{point: p}
		r.mu.Lock()
		r.deaths = append(r.deaths, d)
		r.mu.Unlock()
		remove, err := site.AddFaults(fault.Rule{Name: r.name + " " + p.String(), Then: fault.Then{Kill: p.when},
			When: fault.When{Service: p.call.Service, Times: 1, Match: func(c fault.Call) bool { return r.reached(d, c) }}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(remove)
	}
}

// reached says whether a call is the one of a death, which it then is.
func (r *trial) reached(d *death, c fault.Call) bool {
	o, ok := site.recorder.tell(c)
	if !ok || o.trial != r {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.done || !d.is(o.call) {
		return false
	}
	d.done = true
	if d.when == fault.After {
		r.did(o.call)
	}
	if r.told[o.Work] {
		r.doubled++
		r.told[o.Work] = false
	}
	return true
}

func isPublish(c call) bool { return c.Service == "sns" && c.Operation == "Publish" }

func isConfirmation(c call) bool {
	return c.Operation == "PutObject" && strings.HasPrefix(c.Resource, "state/notified/")
}

// note takes a call that the trial's functions make.
func (r *trial) note(c call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// carriedOut takes a call that AWS did.
func (r *trial) carriedOut(c call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.did(c)
}

func (r *trial) did(c call) {
	switch {
	case isPublish(c):
		r.told[c.Work] = true
	case isConfirmation(c):
		r.told[c.Work] = false
	}
}

// overwritten complains of each object of the output bucket that was written more
// than once.
func (r *trial) overwritten() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for key, n := range r.writes {
		if n > 1 {
			all = append(all, fmt.Sprintf("%s was written %d times", key, n))
		}
	}
	return all
}

// made are the calls so far.
func (r *trial) made() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// spared are the points at which no function died.
func (r *trial) spared() []point {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []point
	for _, d := range r.deaths {
		if !d.done {
			all = append(all, d.point)
		}
	}
	return all
}

// points are those at which functions died, or should have.
func (r *trial) points() []point {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []point
	for _, d := range r.deaths {
		all = append(all, d.point)
	}
	return all
}

// drop stores an object in the ingest bucket.
func (r *trial) drop(t *testing.T, key string, m *seal.Material, body []byte) ledger.Drop {
	t.Helper()
	if r.cold {
		if err := site.Cool("IngestFunction"); err != nil {
			t.Fatal(err)
		}
	}
	d := ledger.Drop{Bucket: site.ingest, Key: key, VersionID: put(t, site.ingest, key, m, body)}
	site.recorder.know(d.Hash(), r)
	return d
}

func (r *trial) dropMedia(t *testing.T) {
	t.Helper()
	r.drop(t, r.name+"/in.mp4", r.input, r.scenario.media)
}

func (r *trial) dropDocument(t *testing.T) ledger.Drop {
	t.Helper()
	document, err := json.Marshal(r.request)
	if err != nil {
		t.Fatal(err)
	}
	return r.drop(t, r.name+"/in.job.json", nil, document)
}

// submit drops the document and the media in the scenario's order, and waits for
// the job.
func (r *trial) submit(t *testing.T) {
	t.Helper()
	if !r.scenario.late {
		r.dropMedia(t)
	}
	r.await(t, r.dropDocument(t))
	if !r.scenario.late {
		return
	}
	eventually(t, r, "a job that waits", func() bool {
		rec, err := site.ledger.Job(t.Context(), r.id)
		return err == nil && rec.Waiting
	})
	r.dropMedia(t)
}

// await waits for the job that a drop becomes.
func (r *trial) await(t *testing.T, d ledger.Drop) {
	t.Helper()
	eventually(t, r, "a job", func() bool {
		claim, err := site.ledger.Claimed(t.Context(), d)
		if err == nil {
			r.id = claim.Job
			site.recorder.know(r.id, r)
		}
		return err == nil
	})
}

// end waits until the job has ended, and then a while for its mark to go: that
// may need a sweep.
func (r *trial) end(t *testing.T) {
	t.Helper()
	eventually(t, r, "the end", func() bool {
		rec, err := site.ledger.Job(t.Context(), r.id)
		return err == nil && job.Terminal(rec.Job.Status)
	})
	for range 20 {
		if !r.active(t) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// active says whether the job has its mark.
func (r *trial) active(t *testing.T) bool {
	t.Helper()
	_, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.state, Key: "active/" + r.id + ".json"}, nil)
	if err != nil && !errors.Is(err, object.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func eventually(t *testing.T, r *trial, what string, ok func() bool) {
	t.Helper()
	const limit = 90 * time.Second
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s, job %s: waited %v for %s in vain; its last calls:\n%skilled at\n%s", r.name, r.id, limit, what, lastOf(r.made()), r.deathList())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func lastOf(calls []call) string {
	var text strings.Builder
	for _, c := range calls[max(0, len(calls)-12):] {
		fmt.Fprintln(&text, " ", c)
	}
	return text.String()
}
