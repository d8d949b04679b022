package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/local/fault"
	"sealreel/pkg/metric"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// logged are the lines in the functions' logs, each with the function that wrote
// it. What is no JSON object has the member "text" only.
func logged(t *testing.T) []map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(site.dir, "logs", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		scan := bufio.NewScanner(file)
		scan.Buffer(nil, 4<<20)
		for scan.Scan() {
			members := map[string]any{}
			if json.Unmarshal(scan.Bytes(), &members) != nil {
				members["text"] = scan.Text()
			}
			members["log"] = strings.TrimSuffix(filepath.Base(name), ".log")
			lines = append(lines, members)
		}
		file.Close()
		if scan.Err() != nil {
			t.Fatal(scan.Err())
		}
	}
	return lines
}

// invocationsOf are the requests that worked for a job and for no other: the
// last line of each says for which.
func invocationsOf(lines []map[string]any, id string) map[any]bool {
	requests := map[any]bool{}
	for _, l := range lines {
		if jobs, ok := l["jobs"].([]any); ok && l["msg"] == "used" && len(jobs) == 1 && jobs[0] == id {
			requests[l["requestId"]] = true
		}
	}
	return requests
}

// totals are the sums of the metrics in the lines of some requests, and how many
// values each had, by name and label.
func totals(lines []map[string]any, requests map[any]bool) (sums map[string]float64, values map[string]int) {
	sums, values = map[string]float64{}, map[string]int{}
	for _, l := range lines {
		if l["_aws"] == nil || !requests[l["requestId"]] {
			continue
		}
		for _, m := range metric.All() {
			all, several := l[m.Name].([]any)
			if one, ok := l[m.Name]; ok && !several {
				all = []any{one}
			}
			name := m.Name
			switch m.Name {
			case metric.JobsEnded.Name:
				name += fmt.Sprint(" ", l[metric.Outcome])
			case metric.Retries.Name:
				name += fmt.Sprint(" ", l[metric.Cause])
			}
			for _, v := range all {
				sums[name] += v.(float64)
				values[name]++
			}
		}
	}
	return sums, values
}

// TestAJobIsSeen: what the functions print of a job is what happened, though
// its outputs are said twice to be ready, and every line of the work on it names
// it.
func TestAJobIsSeen(t *testing.T) {
	name, key := unique(t), wrapped(t)
	id := submit(t, everyKind(name, key))
	remove, err := site.AddFaults(fault.Rule{Name: "throttled " + id,
		When: fault.When{Service: "kms", Operation: "Decrypt", Caller: "TranscodeFunction", Event: "*" + id + "*", Times: 1},
		Then: fault.Then{Error: &fault.Answer{Status: 400, Code: "ThrottlingException"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	upload(t, name+".mp4", longer(t, 6), key)
	completed(t, id)
	quiet(t)
	p := planOf(t, id)
	receipts, err := site.ledger.Receipts(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	var requests map[any]bool
	eventually(t, time.Minute, "the second assembly of each output", func() bool {
		lines = logged(t)
		requests = invocationsOf(lines, id)
		assembled := 0
		for _, l := range lines {
			if l["log"] == "AssembleFunction" && l["msg"] == "used" && requests[l["requestId"]] {
				assembled++
			}
		}
		return assembled >= 2*len(p.Outputs)
	})
	sums, values := totals(lines, requests)
	chunks, media := chunksOf(p)
	for name, want := range map[string]float64{
		"JobsSubmitted": 1, "JobsEnded Complete": 1, "JobErrors": 0, "IngestFailures": 0, "Receipts": float64(len(receipts)),
		"MediaSeconds": media, "KMSDenials": 0, "Retries throttled": 1,
	} {
		if got := sums[name]; got < want-1e-6 || got > want+1e-6 || values[name] == 0 {
			t.Errorf("%s is %v in %d values, want %v", name, got, values[name], want)
		}
	}
	for name, want := range map[string]int{"JobsEnded Complete": 1, "JobErrors": 1, "ChunkSeconds": chunks, "RealTimeFactor": chunks,
		"QueueWait": chunks + 1, "TimeLeft": len(requests), "ColdStarts": len(requests), "BytesIn": len(requests)} {
		if values[name] != want {
			t.Errorf("%s has %d values, want %d", name, values[name], want)
		}
	}
	for _, name := range []string{"KMSCalls", "BytesIn", "BytesOut", "ChunkSeconds", "RealTimeFactor", "QueueWait", "TimeLeft"} {
		if sums[name] <= 0 {
			t.Errorf("%s is %v", name, sums[name])
		}
	}
	checkLines(t, lines, requests, id)
	checkEmitted(t)
}

// chunksOf are the number of a plan's chunks, all of which have pictures here,
// and what they cover in seconds.
func chunksOf(p *plan.Plan) (chunks int, seconds float64) {
	for _, g := range p.Groups {
		for _, c := range g.Chunks {
			chunks++
			seconds += float64(c.Frames()) / g.Rate.Float64()
		}
	}
	return chunks, seconds
}

// checkLines holds the lines of a job's invocations to their members.
func checkLines(t *testing.T, lines []map[string]any, requests map[any]bool, id string) {
	t.Helper()
	checked := map[string]int{}
	for _, l := range lines {
		if !requests[l["requestId"]] || l["_aws"] != nil || l["msg"] == "used" {
			continue
		}
		named, _ := l["task"].(string)
		_, _, chunk := task.ParseChunk(named)
		ok := l["level"] != nil && l["time"] != nil && l["function"] != nil && l["job"] == id
		switch l["log"] {
		case "TranscodeFunction":
			ok = ok && (chunk || named == task.Audio)
		case "AssembleFunction":
			ok = ok && l["output"] != nil
		}
		if !ok {
			t.Errorf("a line of the work on %s is %v", id, l)
		}
		checked[l["log"].(string)]++
	}
	if checked["TranscodeFunction"] < 3 {
		t.Errorf("checked lines: %v", checked)
	}
}

// checkEmitted: after a job and a round of reconcile the real functions have
// emitted each metric that package metric defines, under its dimensions and in
// its unit, and no other; and CloudWatch takes every line.
func checkEmitted(t *testing.T) {
	t.Helper()
	if _, err := site.Trigger("ReconcileFunction", "Sweep"); err != nil {
		t.Fatal(err)
	}
	wanted := map[string]string{}
	for _, m := range metric.All() {
		for _, set := range m.Sets {
			wanted[strings.Join(append([]string{m.Name, metric.Stack}, set...), " ")] = m.Unit
		}
	}
	seen := func() map[string]string {
		units := map[string]string{}
		for _, m := range site.CloudWatch().Metrics() {
			if m.Namespace == metric.Namespace {
				dimensions := slices.SortedFunc(maps.Keys(m.Dimensions), func(a, b string) int { // Stack goes first
					return strings.Compare(strings.TrimPrefix(a, metric.Stack), strings.TrimPrefix(b, metric.Stack))
				})
				units[m.Name+" "+strings.Join(dimensions, " ")] = strings.Join(m.Units, " ")
			}
		}
		return units
	}
	eventually(t, time.Minute, "a line of every metric", func() bool { return len(seen()) >= len(wanted) })
	if got := seen(); !maps.Equal(got, wanted) {
		t.Errorf("emitted %v,\ndefined %v", got, wanted)
	}
	for _, fault := range site.CloudWatch().Faults() {
		t.Error(fault)
	}
}
