package metric

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var at = time.UnixMilli(1762992000123)

// written are the lines that the recorder writes.
func written(t *testing.T, r *Recorder) []string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out, at, map[string]string{"requestId": "r-1", "Stack": "another"}); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for text := range strings.Lines(out.String()) {
		checkFormat(t, text)
		lines = append(lines, strings.TrimSuffix(text, "\n"))
	}
	return lines
}

// checkFormat holds a line to the embedded metric format's schema and limits.
func checkFormat(t *testing.T, text string) {
	t.Helper()
	if len(text) > 1<<20 || strings.Count(text, "\n") != 1 {
		t.Errorf("%d bytes with %d line ends", len(text), strings.Count(text, "\n"))
	}
	var meta struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	var members map[string]any
	for _, into := range []any{&meta, &members} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	if meta.AWS.Timestamp != at.UnixMilli() || len(meta.AWS.CloudWatchMetrics) == 0 {
		t.Errorf("metadata %+v", meta.AWS)
	}
	for _, d := range meta.AWS.CloudWatchMetrics {
		if d.Namespace != Namespace || len(d.Dimensions) == 0 || len(d.Metrics) == 0 || len(d.Metrics) > 100 {
			t.Errorf("directive %+v", d)
		}
		for _, set := range d.Dimensions {
			if len(set) > 30 {
				t.Errorf("%d dimensions", len(set))
			}
			for _, name := range set {
				if v, ok := members[name].(string); !ok || v == "" || len(v) > 1024 {
					t.Errorf("dimension %s is %v", name, members[name])
				}
			}
		}
		for _, m := range d.Metrics {
			switch v := members[m.Name].(type) {
			case float64:
			case []any:
				if len(v) > 100 || len(v) == 0 {
					t.Errorf("%s has %d values", m.Name, len(v))
				}
			default:
				t.Errorf("%s is %v", m.Name, v)
			}
		}
	}
}

func TestALine(t *testing.T) {
	r := NewRecorder("media", "transcode")
	r.Add(QueueWait, "", 812)
	r.Add(ChunkSeconds, "", 1.5)
	r.Add(ChunkSeconds, "", 2.25)
	r.Add(Receipts, "", 1)
	r.Add(Receipts, "", 1)
	r.Add(BytesIn, "", 1048576)
	r.Add(ColdStarts, "", 0)
	r.Add(Retries, "throttled", 3)
	r.Add(JobsEnded, "Complete", 1)
	want := `{"BytesIn":1048576,"Cause":"throttled","ChunkSeconds":[1.5,2.25],"ColdStarts":0,"Function":"transcode",` +
		`"JobsEnded":1,"Outcome":"Complete","QueueWait":812,"Receipts":2,"Retries":3,"Stack":"media",` +
		`"_aws":{"CloudWatchMetrics":[` +
		`{"Namespace":"Sealreel","Dimensions":[["Stack"],["Stack","Outcome"]],"Metrics":[{"Name":"JobsEnded","Unit":"Count"}]},` +
		`{"Namespace":"Sealreel","Dimensions":[["Stack"]],"Metrics":[{"Name":"ChunkSeconds","Unit":"Seconds"},{"Name":"QueueWait","Unit":"Milliseconds"},{"Name":"Receipts","Unit":"Count"}]},` +
		`{"Namespace":"Sealreel","Dimensions":[["Stack","Function"]],"Metrics":[{"Name":"BytesIn","Unit":"Bytes"},{"Name":"ColdStarts","Unit":"Count"}]},` +
		`{"Namespace":"Sealreel","Dimensions":[["Stack","Cause"]],"Metrics":[{"Name":"Retries","Unit":"Count"}]}` +
		`],"Timestamp":1762992000123},"requestId":"r-1"}`
	if got := written(t, r); len(got) != 1 || got[0] != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if again := written(t, r); len(again) != 0 {
		t.Errorf("written twice: %s", again)
	}
}

func TestFurtherLines(t *testing.T) {
	r := NewRecorder("media", "reconcile")
	for _, outcome := range []string{"Error", "Complete", "Error", "Canceled"} {
		r.Add(JobsEnded, outcome, 1)
	}
	r.Add(Retries, "server", 1)
	r.Add(Retries, "timeout", 1)
	for i := range 250 {
		r.Add(QueueWait, "", float64(i))
	}
	lines := written(t, r)
	if len(lines) != 3 {
		t.Fatalf("%d lines: %s", len(lines), strings.Join(lines, "\n"))
	}
	ended, waits, causes := map[string]float64{}, []float64{}, []string{}
	for _, text := range lines {
		var l struct {
			Outcome, Cause string
			JobsEnded      float64
			QueueWait      []float64
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		ended[l.Outcome] += l.JobsEnded
		waits = append(waits, l.QueueWait...)
		if l.Cause != "" {
			causes = append(causes, l.Cause)
		}
	}
	if ended["Error"] != 2 || ended["Complete"] != 1 || ended["Canceled"] != 1 {
		t.Errorf("ended %v", ended)
	}
	slices.Sort(waits)
	if len(waits) != 250 || waits[0] != 0 || waits[249] != 249 {
		t.Errorf("%d waits", len(waits))
	}
	if !slices.Equal(causes, []string{"server", "timeout"}) {
		t.Errorf("causes %v", causes)
	}
}

func TestWhatCannotBeCounted(t *testing.T) {
	r := NewRecorder("media", "ingest")
	r.Add(RealTimeFactor, "", math.NaN())
	r.Add(RealTimeFactor, "", math.Inf(1))
	r.Add(JobsEnded, "", 1)
	r.Add(Receipts, "job-7", 1)
	if got := written(t, r); len(got) != 0 {
		t.Errorf("written: %s", got)
	}
	r = NewRecorder("", "ingest")
	r.Add(Receipts, "", 1)
	if got := written(t, r); len(got) != 0 {
		t.Errorf("without a stack: %s", got)
	}
	Add(t.Context(), Receipts, 1) // no invocation: counted nowhere
}

func TestAContextCarriesTheRecorder(t *testing.T) {
	r := NewRecorder("media", "ingest")
	ctx := NewContext(t.Context(), r)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { Add(ctx, Receipts, 1); AddBy(ctx, Retries, "server", 1) })
	}
	all.Wait()
	if got := written(t, r); len(got) != 1 || !strings.Contains(got[0], `"Receipts":50`) || !strings.Contains(got[0], `"Retries":50`) {
		t.Errorf("written: %s", got)
	}
}

func TestTheDefinitions(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		if seen[m.Name] || m.Name == "" || len(m.Sets) == 0 {
			t.Errorf("metric %+v", m)
		}
		seen[m.Name] = true
		for _, set := range m.Sets {
			for _, name := range set {
				if name != Function && name != m.label() {
					t.Errorf("%s has the dimension %s, whose values nobody gives", m.Name, name)
				}
			}
		}
		if !slices.Contains([]string{Count, Seconds, Milliseconds, Bytes, None}, m.Unit) {
			t.Errorf("%s has the unit %q", m.Name, m.Unit)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestALineThatCannotBeWritten(t *testing.T) {
	r := NewRecorder("media", "ingest")
	r.Add(Receipts, "", 1)
	if err := r.Write(full{}, at, nil); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("error %v", err)
	}
}
