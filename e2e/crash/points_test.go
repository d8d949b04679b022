package crash

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sealreel/local/fault"
	"sealreel/pkg/job"
)

// undisturbed is how many jobs run before any is disturbed, at once: what all of
// them do can be relied on.
const undisturbed = atOnce

// full asks for all scenarios and not only the one of every change.
func full() bool { return os.Getenv("SEALREEL_CRASH") == "all" }

// points are the calls that each of the trials made, as places to die at. A call
// that is now one invocation's, now another's (the last chunk's, whichever that
// is) is one of any. rare are those that not every job has, such as the second
// attempt at a record that two functions changed at once.
func points(trials [][]call) (all []point, rare []call) {
	count, anywhere := map[call]int{}, map[call]int{}
	for _, calls := range trials {
		mine, any := map[call]bool{}, map[call]bool{}
		for _, c := range calls {
			mine[c], any[c.anywhere()] = true, true
		}
		for c := range mine {
			count[c]++
		}
		for c := range any {
			anywhere[c]++
		}
	}
	chosen, seldom := map[call]bool{}, map[call]bool{}
	for c, n := range count {
		switch {
		case n == len(trials):
			chosen[c] = true
		case anywhere[c.anywhere()] == len(trials):
			chosen[c.anywhere()] = true
		default:
			seldom[c] = true
		}
	}
	for _, c := range sorted(chosen) {
		all = append(all, point{c, fault.Before}, point{c, fault.After})
	}
	return all, sorted(seldom)
}

func sorted(set map[call]bool) []call {
	return slices.SortedFunc(maps.Keys(set), func(a, b call) int { return cmp.Compare(a.String(), b.String()) })
}

// together shares the points out among as few jobs as can be: in one job each
// invocation (the document's, each task's, each output's) dies once. What comes
// after has to do with a job that has recovered.
func together(all []point) [][]point {
	lanes := map[string][]point{}
	for _, p := range all {
		lane := p.call.Function + " " + p.call.Work
		lanes[lane] = append(lanes[lane], p)
	}
	var jobs [][]point
	for _, name := range slices.Sorted(maps.Keys(lanes)) {
		for i, p := range lanes[name] {
			if i == len(jobs) {
				jobs = append(jobs, nil)
			}
			jobs[i] = append(jobs[i], p)
		}
	}
	return jobs
}

// apart gives each point a job of its own.
func apart(all []point) [][]point { return slices.Collect(slices.Chunk(all, 1)) }

// everyPoint runs jobs of a scenario undisturbed, and then those whose functions
// die, once at each point.
func everyPoint(t *testing.T, s *scenario, share func([]point) [][]point) {
	s.made(t)
	swept(t) // the default pipeline is made once, whoever comes first
	baseline := make([]*trial, undisturbed)
	several(t, "undisturbed", len(baseline), func(t *testing.T, i int) {
		baseline[i] = begin(t, s)
		baseline[i].submit(t)
		baseline[i].end(t)
	})
	var calls [][]call
	for _, r := range baseline {
		calls = append(calls, r.made())
	}
	all, rare := points(calls)
	for _, c := range rare {
		t.Logf("only some jobs make the call %s", c)
	}
	jobs := share(all)
	trials := make([][]*trial, len(jobs))
	several(t, "killed", len(jobs), func(t *testing.T, i int) { trials[i] = killed(t, s, jobs[i]) })
	suspects := judge(t, s, baseline, slices.Concat(trials...), all)
	if len(suspects) == 0 || len(jobs) == len(all) {
		return
	}
	// Which of the deaths of a job was it?
	trials = make([][]*trial, len(suspects))
	several(t, "apart", len(suspects), func(t *testing.T, i int) { trials[i] = killed(t, s, suspects[i:i+1]) })
	judge(t, s, baseline, slices.Concat(trials...), suspects)
}

// several does something a number of times, a few at once.
func several(t *testing.T, what string, n int, do func(t *testing.T, i int)) {
	t.Helper()
	t.Run(what, func(t *testing.T) {
		for i := range n {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				do(t, i)
			})
		}
	})
}

// killed runs a job whose functions are killed at the points. A point that is not
// reached, since the other of two functions that race gets there first or since
// only a new environment makes the call, is tried again in cold jobs of its own.
func killed(t *testing.T, s *scenario, points []point) []*trial {
	t.Helper()
	const tries = 4
	all := []*trial{s.disturbed(t, false, points...)}
	for _, p := range all[0].spared() {
		for range tries {
			r := s.disturbed(t, true, p)
			all = append(all, r)
			if len(r.spared()) == 0 {
				break
			}
		}
	}
	return all
}

// disturbed runs a job whose functions are killed at the points.
func (s *scenario) disturbed(t *testing.T, cold bool, points ...point) *trial {
	t.Helper()
	r := begin(t, s)
	r.cold = cold
	r.arm(t, points...)
	r.submit(t)
	r.end(t)
	return r
}

// judge holds what is left of the trials against what undisturbed jobs leave,
// when reconcile has done what is left to do. It returns the points of the trials
// that it complains of.
func judge(t *testing.T, s *scenario, baseline, trials []*trial, all []point) (suspects []point) {
	t.Helper()
	trials = slices.DeleteFunc(trials, func(r *trial) bool { return r == nil })
	settle(t, slices.Concat(baseline, trials))
	site.topic.hear(t)
	for _, id := range []string{"ChunkDeadLetterQueue", "FailureQueue"} {
		if n := holds(t, id); n != "" {
			t.Errorf("%s: %s", id, n)
		}
	}
	records := survey(t)
	want := baseline[0].left(t, records[baseline[0]])
	if len(want.outputs) == 0 && want.status == job.Complete {
		t.Fatal("undisturbed jobs leave nothing")
	}
	for _, r := range baseline[1:] {
		for _, d := range r.left(t, records[r]).differences(want) {
			t.Errorf("%s, undisturbed: %s", r.name, d)
		}
	}
	passed, doubled := map[point]bool{}, 0
	for _, r := range trials {
		complaints := r.complaints(t, records[r], want)
		for _, c := range complaints {
			t.Errorf("%s, job %s: %s; killed at\n%s", r.name, r.id, c, r.deathList())
			suspects = append(suspects, r.points()...)
		}
		for _, d := range r.deaths {
			if d.done && len(complaints) == 0 {
				passed[d.point] = true
			}
		}
		doubled += r.doubled
	}
	for _, p := range all {
		if !passed[p] && !slices.Contains(suspects, p) {
			t.Errorf("no function was killed %s", p)
		}
	}
	unfinishedUploads(t)
	tell("%s: %d crash points, %d passed, in %d jobs\n%s", s.name, len(all), len(passed), len(trials), tally(all))
	if doubled > 0 {
		tell("%s: at %d of them a topic may hear of a state twice, since the function died between its answer and the note of it", s.name, doubled)
	}
	return suspects
}

// tell prints what is to be seen of tests that pass, too.
func tell(format string, values ...any) { fmt.Printf(format+"\n", values...) }

// settle has reconcile do what is left to do for the trials.
func settle(t *testing.T, trials []*trial) {
	t.Helper()
	const rounds = 3
	quiet(t)
	for range rounds {
		open := slices.DeleteFunc(slices.Clone(trials), func(r *trial) bool { return r.id == "" || !r.active(t) })
		if len(open) == 0 {
			return
		}
		for _, r := range open {
			r.backdate(t)
		}
		swept(t)
		quiet(t)
	}
}

// complaints are what is wrong with a trial.
func (r *trial) complaints(t *testing.T, records []string, want remains) []string {
	t.Helper()
	if r.id == "" {
		return []string{"the drop became no job"}
	}
	var all []string
	if r.active(t) {
		all = append(all, "the job still has its mark")
	}
	all = append(all, r.left(t, records).differences(want)...)
	for state, messages := range site.topic.of(r.id) {
		distinct := slices.Compact(slices.Sorted(slices.Values(messages)))
		if len(distinct) > 1 || len(messages) > 1+r.doubled {
			all = append(all, fmt.Sprintf("the topic was told %d times, in %d ways, that it is %s", len(messages), len(distinct), state))
		}
	}
	return append(all, r.overwritten()...)
}

// deathList tells what happened to the trial.
func (r *trial) deathList() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text strings.Builder
	for _, d := range r.deaths {
		fmt.Fprintf(&text, "  %s (reached: %v)\n", d.point, d.done)
	}
	return text.String()
}

// tally counts the points of each kind of work.
func tally(all []point) string {
	count := map[string]int{}
	for _, p := range all {
		count[strings.TrimSuffix(p.call.Function, "Function")+" "+cmp.Or(p.call.Work, "(any)")]++
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(&text, "%4d %s\n", count[name], name)
	}
	return text.String()
}
