package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/ledger"
)

// drop adds an object that was stored so long ago; the keys are in order.
func (w *world) drop(age time.Duration) Dropped {
	d := Dropped{Drop: ledger.Drop{Bucket: "in", Key: fmt.Sprintf("k%07d", len(w.objects)), VersionID: "v"}, At: w.now.Add(-age)}
	w.objects = append(w.objects, d)
	return d
}

// rounds runs until a round says that it finished, with nothing pending.
func (w *world) rounds(t *testing.T, most int) int {
	t.Helper()
	for n := 1; n <= most; n++ {
		if sum := w.after(t, Usual.Lost+time.Second); len(sum.Unfinished) == 0 && sum.Pending == 0 {
			return n
		}
	}
	t.Fatalf("not finished after %d rounds", most)
	return 0
}

// unsettled are the keys of the drops that became no job.
func (w *world) unsettled(t *testing.T) []string {
	t.Helper()
	var left []string
	for _, d := range w.objects {
		if _, err := w.Ledger.Claimed(t.Context(), d.Drop); err != nil {
			left = append(left, d.Key)
		}
	}
	return left
}

// TestSweepGoesOnWhereItStopped: a bucket of more than fits into a round.
func TestSweepGoesOnWhereItStopped(t *testing.T) {
	w := newWorld()
	w.makes, w.perPage, w.Limits.Pages = true, 10, 3
	for range 100 {
		w.drop(time.Hour)
	}
	for n := 1; n <= 3; n++ {
		if sum := w.after(t, time.Second); sum.Listed != 30 || !slices.Equal(sum.Unfinished, []string{"drops"}) || sum.LostDrops != 30 {
			t.Fatalf("round %d: %+v", n, sum)
		}
	}
	if sum := w.after(t, time.Second); sum.Listed != 10 || len(sum.Unfinished) > 0 {
		t.Fatalf("last round: %+v", sum)
	}
	if left := w.unsettled(t); len(left) > 0 || len(w.dropped) != 100 {
		t.Errorf("left %q, dropped %d times", left, len(w.dropped))
	}
}

// TestNothingIsAskedTwice: what became a job costs no request in the sweeps after.
func TestNothingIsAskedTwice(t *testing.T) {
	w := newWorld()
	w.makes = true
	for n := range 50 {
		if d := w.drop(time.Hour); n%2 == 0 {
			if err := w.take(t.Context(), d.Drop, d.At); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.rounds(t, 3)
	w.rounds(t, 3)
	w.state.Before = func(call, key string) error {
		if strings.HasPrefix(key, "drops/") {
			t.Errorf("%s %s", call, key)
		}
		return nil
	}
	if sum := w.after(t, 5*time.Minute); sum.Listed != 50 {
		t.Errorf("%+v", sum)
	}
}

// TestOffForLong: however long no round ran, a drop of that time is found, and
// nothing of before is looked at anew.
func TestOffForLong(t *testing.T) {
	w := newWorld()
	w.makes = true
	for range 20 {
		w.drop(time.Hour)
	}
	w.rounds(t, 3)
	for _, off := range []time.Duration{49 * time.Hour, 40 * 24 * time.Hour, 400 * 24 * time.Hour} {
		w.now = w.now.Add(off)
		before := len(w.dropped)
		w.drop(off - time.Hour) // an hour after the last round
		w.drop(time.Hour)
		w.rounds(t, 3)
		if left := w.unsettled(t); len(left) > 0 || len(w.dropped) != before+2 {
			t.Errorf("off for %v: left %q, dropped %q", off, left, w.dropped[before:])
		}
	}
}

// TestUploadInParts: storage says of such an object when its upload began, which
// may be days before it was there. It has the time for its document that others
// have.
func TestUploadInParts(t *testing.T) {
	w := newWorld()
	w.drop(time.Hour)
	w.rounds(t, 9)
	w.now = w.now.Add(7 * 24 * time.Hour)
	w.rounds(t, 9)
	d := w.drop(6 * 24 * time.Hour)
	w.objects[1].InParts = true
	w.dropped = nil
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{time.Second, nil}, // it may have come in this moment
		{Usual.Lost, []string{d.Key}},
		{Usual.Keyless - Usual.Lost - time.Minute, []string{d.Key}},
		{2 * time.Minute, []string{d.Key, d.Key + " (final)"}},
		{24 * time.Hour, []string{d.Key, d.Key + " (final)"}},
	} {
		if w.after(t, step.after); !slices.Equal(w.dropped, step.want) {
			t.Errorf("%v later: dropped %q, want %q", step.after, w.dropped, step.want)
		}
	}
}

// TestReplacedFile: a file that was replaced before anything could open it is no
// reason for an error.
func TestReplacedFile(t *testing.T) {
	w := newWorld()
	d := w.drop(time.Hour)
	w.objects[0].Replaced = true
	w.after(t, 0)
	w.after(t, time.Hour)
	if !slices.Equal(w.dropped, []string{d.Key}) {
		t.Errorf("dropped %q", w.dropped)
	}
}

// TestBadDropsHoldUpNothing: more bad ones than a round takes up, before the good.
func TestBadDropsHoldUpNothing(t *testing.T) {
	w := newWorld()
	w.makes, w.Limits.Tasks = true, 10
	bad := map[string]bool{}
	for n := range 60 {
		bad[w.drop(time.Hour).Key] = n < 40
	}
	w.Ingester = choosy{w, bad}
	for round := 0; len(w.unsettled(t)) > 40; round++ {
		if round > 12 {
			t.Fatalf("left %d", len(w.unsettled(t)))
		}
		w.after(t, 5*time.Minute)
	}
	if len(w.refused) > 0 {
		t.Errorf("refused too early: %q", w.refused)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.rounds(t, 20)
	if len(w.refused) != 40 || !strings.HasSuffix(w.refused[0], "a bad drop") {
		t.Errorf("refused %d: %q", len(w.refused), w.refused)
	}
}

// choosy is a world that can't take some drops.
type choosy struct {
	*world
	bad map[string]bool
}

func (c choosy) Drop(ctx context.Context, d ledger.Drop, at time.Time, final bool) error {
	if c.bad[d.Key] {
		return errors.New("a bad drop")
	}
	return c.world.Drop(ctx, d, at, final)
}

// TestMoreLostThanCanBeNoted: a later sweep finds what there was no room for.
func TestMoreLostThanCanBeNoted(t *testing.T) {
	w := newWorld()
	w.makes, w.Limits.Pending = true, 5
	for range 32 {
		w.drop(time.Hour)
	}
	w.fails = errors.New("KMS is down")
	w.after(t, 0)
	w.after(t, 20*24*time.Hour) // all of it is far behind the horizon by now
	w.fails = nil
	for round := 0; len(w.unsettled(t)) > 0; round++ {
		if round > 12 {
			t.Fatalf("left %q", w.unsettled(t))
		}
		w.after(t, 2*time.Hour)
	}
}

// TestLargeSweepsAreRarer: the cost of the listing is bounded.
func TestLargeSweepsAreRarer(t *testing.T) {
	for _, c := range []struct{ objects, pages int }{{100, 12 * 10}, {1000, 2 * 100}, {2000, 200}} { // in pages of ten, in an hour less a second
		w := newWorld()
		w.perPage = 10
		for range c.objects {
			w.drop(30 * 24 * time.Hour)
		}
		w.makes, w.Limits.Tasks, w.Limits.Pending = true, 1e6, 1e6
		w.after(t, 0)
		w.pages = 0
		for range 12 {
			w.after(t, 5*time.Minute-time.Second/12)
		}
		if w.pages > c.pages {
			t.Errorf("%d objects: %d pages in an hour, want at most %d", c.objects, w.pages, c.pages)
		}
	}
}

// TestAPlaceThatIsThereNoMore: the listing goes on from it, and when that fails
// again, from the beginning.
func TestAPlaceThatIsThereNoMore(t *testing.T) {
	w := newWorld()
	w.makes, w.perPage, w.Limits.Pages = true, 10, 1
	for range 30 {
		w.drop(time.Hour)
	}
	w.after(t, 0)
	fails := errors.New("no such version")
	w.Drops = func(ctx context.Context, after ledger.Marker) ([]Dropped, ledger.Marker, error) {
		if after.Key == "k0000009" {
			return nil, ledger.Marker{}, fails
		}
		return w.drops(ctx, after)
	}
	for range 2 {
		if _, err := w.Run(t.Context()); !errors.Is(err, fails) {
			t.Errorf("error %v", err)
		}
	}
	if sum := w.after(t, 0); sum.Listed != 10 {
		t.Errorf("%+v", sum)
	}
}

func TestMemory(t *testing.T) {
	w := newWorld()
	record := &ledger.Seen{}
	for n := range 300 { // in several turns, over thirty days
		w.drop(time.Duration(n) * 24 * time.Hour / 10)
	}
	for turn := range 3 {
		m := openMemory(record, time.Time{})
		for n, d := range w.objects {
			if got := m.has(d); got != (n%3 < turn) {
				t.Fatalf("turn %d: %d is remembered: %v", turn, n, got)
			}
			if n%3 == turn {
				m.add(d)
			}
		}
		record = m.store()
	}
	m := openMemory(record, w.now)
	for n, d := range w.objects {
		if past := w.now.Add(-horizon).Sub(d.At); m.has(d) != (past <= 0) && (past <= 0 || past > 24*time.Hour) {
			t.Errorf("%d of %v: %v", n, d.At, m.has(d))
		}
	}
	if record = m.store(); record == nil || len(record.Days) != 9 {
		t.Errorf("%d days", len(record.Days))
	}
	if openMemory(record, w.now).store() != nil {
		t.Error("what has not changed is stored")
	}
	m.size = mostRemembered
	d := Dropped{Drop: ledger.Drop{Key: "one too many"}, At: w.now}
	if m.add(d); m.has(d) {
		t.Error("more is remembered than can be stored")
	}
}

// TestMarksOfJobsThatNeverWere go, once their drop must have ended.
func TestMarksOfJobsThatNeverWere(t *testing.T) {
	w := newWorld()
	if err := w.Ledger.Activate(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	active := func() (n int) {
		for range w.Ledger.Active(t.Context()) {
			n++
		}
		return n
	}
	if w.after(t, 47*time.Hour); active() != 1 {
		t.Error("gone too early")
	}
	w.state.Before = func(call, key string) error { // the job is made in the moment in which its mark goes
		if call == "Delete" {
			w.state.Before = nil
			return errors.Join(w.state.Create(t.Context(), "state", "jobs/"+id+".json", []byte(`{"version":1,"job":{"Id":"`+id+`","Status":"Submitted"}}`)))
		}
		return nil
	}
	if w.after(t, 2*time.Hour); active() != 1 {
		t.Error("a job that was made after all is lost sight of")
	}
	if err := w.state.Delete(t.Context(), "state", "jobs/"+id+".json"); err != nil {
		t.Fatal(err)
	}
	if w.after(t, 0); active() != 0 {
		t.Error("the mark stays")
	}
}
