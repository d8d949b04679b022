package job

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// at is a moment some seconds after the job was submitted.
func at(seconds int) time.Time { return time.UnixMilli(1_700_000_000_000 + int64(seconds)*1000) }

// ladderJob has outputs "1" and "2", a playlist over both and one over "1".
func ladderJob() Job {
	return New("1700000000000-abc123", &Request{
		PipelineID: pipelineID,
		Inputs:     []Input{{Key: "in.mp4"}},
		Outputs:    []Output{{Key: "a", PresetID: hls2M}, {Key: "b", PresetID: hls2M}},
		Playlists: []Playlist{
			{Name: "both", Format: "HLSv3", OutputKeys: []string{"a", "b"}},
			{Name: "one", Format: "HLSv3", OutputKeys: []string{"a"}},
		},
	}, at(0))
}

// An event is one call that advances a job.
type event func(Job, time.Time) (Job, error)

func start(id string) event {
	return func(j Job, t time.Time) (Job, error) { return StartOutput(j, id, t) }
}

func complete(id string) event {
	return func(j Job, t time.Time) (Job, error) {
		return CompleteOutput(j, id, Result{DurationMillis: 59_500, Width: 640, Height: 360, FrameRate: "25", FileSize: 1000}, t)
	}
}

func fail(id string) event {
	return func(j Job, t time.Time) (Job, error) { return FailOutput(j, id, OutputExists("out", "k"), t) }
}

func failPlaylist(name string) event {
	return func(j Job, t time.Time) (Job, error) { return FailPlaylist(j, name, OutputExists("out", "k"), t) }
}

func failJob(j Job, t time.Time) (Job, error) {
	return FailJob(j, InputMissing("in", "in.mp4"), t), nil
}

// states writes a job's statuses: job, outputs, playlists, by first letter.
func states(j Job) string {
	s := j.Status[:1] + " "
	for _, o := range j.Outputs {
		s += o.Status[:1]
	}
	s += " "
	for _, p := range j.Playlists {
		s += p.Status[:1]
	}
	return s
}

func TestLife(t *testing.T) {
	for name, c := range map[string]struct {
		events []event
		want   string
	}{
		"nothing yet":                       {nil, "S SS SS"},
		"first output begins":               {[]event{start("1")}, "P PS PP"},
		"other output begins":               {[]event{start("2")}, "P SP PS"},
		"one complete":                      {[]event{start("1"), complete("1")}, "P CS PC"},
		"all complete":                      {[]event{start("1"), start("2"), complete("1"), complete("2")}, "C CC CC"},
		"complete without a start":          {[]event{complete("2"), complete("1")}, "C CC CC"},
		"start comes late":                  {[]event{complete("1"), start("1"), complete("2"), start("2")}, "C CC CC"},
		"one fails, the other goes on":      {[]event{start("1"), start("2"), fail("2")}, "P PE EP"},
		"one failed, the other complete":    {[]event{start("1"), fail("2"), complete("1")}, "E CE EC"},
		"fails before it began":             {[]event{fail("1")}, "P ES EE"},
		"all fail":                          {[]event{fail("1"), fail("2")}, "E EE EE"},
		"completion after failure":          {[]event{fail("1"), complete("1"), complete("2")}, "E EC EE"},
		"failure after completion":          {[]event{complete("1"), fail("1"), complete("2")}, "C CC CC"},
		"whole job fails at once":           {[]event{failJob}, "E EE EE"},
		"whole job fails, one complete":     {[]event{complete("1"), failJob}, "E CE EC"},
		"nothing changes an ended job":      {[]event{complete("1"), complete("2"), failJob, fail("1"), start("1")}, "C CC CC"},
		"playlist fails of itself":          {[]event{start("1"), start("2"), failPlaylist("both")}, "P PP EP"},
		"playlist failed, outputs complete": {[]event{failPlaylist("both"), complete("1"), complete("2")}, "E CC EC"},
		"playlist fails too late":           {[]event{complete("1"), complete("2"), failPlaylist("both")}, "C CC CC"},
	} {
		once, twice := ladderJob(), ladderJob()
		for i, e := range c.events {
			before, _ := json.Marshal(once)
			next, err := e(once, at(10*(i+1)))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if after, _ := json.Marshal(once); string(before) != string(after) {
				t.Errorf("%s: event %d changed the job given to it", name, i)
			}
			once = next
			// The same event again, later, must change nothing.
			for _, delay := range []int{0, 3} {
				if twice, err = e(twice, at(10*(i+1)+delay)); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		if got := states(once); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if !reflect.DeepEqual(once, twice) {
			t.Errorf("%s: with every event twice\n%+v\nonce\n%+v", name, twice, once)
		}
	}
}

// TestLifeInAnyOrder: the end does not depend on the order in which the events
// of different outputs arrive.
func TestLifeInAnyOrder(t *testing.T) {
	events := []event{start("1"), complete("1"), start("2"), fail("2")}
	ends := map[string]bool{}
	permute(len(events), func(order []int) {
		j := ladderJob()
		for _, i := range order {
			var err error
			if j, err = events[i](j, at(5)); err != nil {
				t.Fatal(err)
			}
		}
		ends[states(j)+j.Outputs[1].StatusDetail] = true
	})
	if len(ends) != 1 {
		t.Errorf("the order matters: %v", ends)
	}
}

func permute(n int, visit func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var step func(k int)
	step = func(k int) {
		if k == n {
			visit(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			step(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	step(0)
}

func TestLifeDetails(t *testing.T) {
	j := ladderJob()
	j, _ = StartOutput(j, "1", at(2))
	j, _ = StartOutput(j, "2", at(3))
	j, _ = CompleteOutput(j, "1", Result{DurationMillis: 59_500, Width: 640, Height: 360, FrameRate: "25", FileSize: 7, Warning: "short"}, at(4))
	if o := j.Outputs[0]; o.Duration != 60 || o.DurationMillis != 59_500 || o.Width != 640 || o.FileSize != 7 || o.StatusDetail != "short" || o.FrameRate != "25" {
		t.Errorf("output %+v", o)
	}
	if early, _ := StartOutput(ladderJob(), "1", at(-5)); early.Timing.StartTimeMillis != at(0).UnixMilli() {
		t.Errorf("it started %+v, before it was submitted", early.Timing)
	}
	if j.Timing != (Timing{SubmitTimeMillis: at(0).UnixMilli(), StartTimeMillis: at(2).UnixMilli()}) {
		t.Errorf("timing %+v", j.Timing)
	}
	j, _ = FailOutput(j, "2", OutputExists("out", "b.m3u8"), at(1)) // a clock that is behind
	if j.Timing.FinishTimeMillis != at(2).UnixMilli() {
		t.Errorf("finished %+v, before it started", j.Timing)
	}
	detail := regexp.MustCompile(`^3002 [0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}: The specified object could not be saved .* bucket=out, key=b\.m3u8\.$`)
	if !detail.MatchString(j.Outputs[1].StatusDetail) {
		t.Errorf("detail %q", j.Outputs[1].StatusDetail)
	}
	if d := j.Playlists[0].StatusDetail; !strings.HasPrefix(d, "1001 ") || !strings.HasSuffix(d, "the playlists dependencies.") {
		t.Errorf("playlist detail %q", d)
	}
	long := StatusDetail("j", "1", Fail(CodeBadInput, "%s", strings.Repeat("ä", 400)))
	if utf8.RuneCountInString(long) != 255 || !strings.HasSuffix(long, "ä...") || !utf8.ValidString(long) {
		t.Errorf("a long detail has %d characters", utf8.RuneCountInString(long))
	}
	if StatusDetail("j", "1", Fail(CodeBadInput, "")) == StatusDetail("j", "2", Fail(CodeBadInput, "")) {
		t.Error("two outputs share a UUID")
	}
	if StatusDetail("j", "playlist 1", Fail(CodeBadInput, "")) == StatusDetail("j", "1", Fail(CodeBadInput, "")) {
		t.Error("an output and a playlist share a UUID")
	}
}

func TestUnknownParts(t *testing.T) {
	for name, e := range map[string]event{"start": start("3"), "complete": complete(""), "fail": fail("x"), "playlist": failPlaylist("x")} {
		if j, err := e(ladderJob(), at(1)); err == nil || !reflect.DeepEqual(j, ladderJob()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCancel(t *testing.T) {
	j, err := Cancel(ladderJob(), at(1))
	if err != nil || states(j) != "C CC CC" || j.Status != Canceled || j.Outputs[0].Status != Canceled || j.Timing.FinishTimeMillis == 0 {
		t.Fatalf("%v, %+v", err, j)
	}
	for name, e := range map[string]event{"start": start("1"), "complete": complete("1"), "fail": fail("1"), "job": failJob, "playlist": failPlaylist("one"), "cancel": Cancel} {
		if again, err := e(j, at(9)); err != nil || !reflect.DeepEqual(again, j) {
			t.Errorf("%s after Cancel: %v, %s", name, err, states(again))
		}
	}
	for _, e := range []event{start("1"), fail("1"), failJob} {
		j, _ := e(ladderJob(), at(1))
		if same, err := Cancel(j, at(2)); !errors.Is(err, ErrNotCancelable) || !reflect.DeepEqual(same, j) {
			t.Errorf("canceled from %s: %v", j.Status, err)
		}
	}
}

// TestFailWithoutOutputs: a document of which no output could be read.
func TestFailWithoutOutputs(t *testing.T) {
	j := FailJob(New("1700000000000-abc123", &Request{}, at(0)), Fail(CodeValidation, "x"), at(1))
	if j.Status != Error || j.Timing.FinishTimeMillis != at(1).UnixMilli() {
		t.Errorf("%+v", j)
	}
	if !strings.HasPrefix(j.StatusDetail, "1000 ") || !strings.HasSuffix(j.StatusDetail, ": x") {
		t.Errorf("detail %q", j.StatusDetail)
	}
	if again := FailJob(j, Fail(CodeInternal, "y"), at(2)); !reflect.DeepEqual(again, j) {
		t.Errorf("again %+v", again)
	}
}

func TestNewKeepsTheRequest(t *testing.T) {
	req := &Request{Outputs: []Output{{Key: "a"}}, Playlists: []Playlist{{Name: "p", OutputKeys: []string{"a"}}}, UserMetadata: map[string]string{"k": "v"}}
	j := New("1700000000000-abc123", req, at(0))
	j.Outputs[0].Key, j.Playlists[0].OutputKeys[0], j.UserMetadata["k"] = "changed", "changed", "changed"
	if req.Outputs[0].Key != "a" || req.Playlists[0].OutputKeys[0] != "a" || req.UserMetadata["k"] != "v" || req.Outputs[0].Status != "" {
		t.Errorf("the job shares memory with its request: %+v", req)
	}
	if j.Outputs[0].ID != "1" || states(j) != "S S S" {
		t.Errorf("%+v", j)
	}
}
