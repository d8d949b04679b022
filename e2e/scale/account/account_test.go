package account

import (
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"sealreel/e2e/scale/cost"
	"sealreel/local/template"
)

// costs are made up, so that what is expected can be reckoned by hand: a chunk
// takes ten seconds of the 1.7 processors of a worker.
func costs() *cost.Costs {
	return &cost.Costs{ChunkSeconds: 30, Titles: []cost.Title{{
		Name: "ladder", Count: 1,
		Ingest: cost.Step{Fixed: cost.Work{CPU: 1}}, Audio: cost.Step{PerSecond: cost.Work{CPU: 0.01}},
		Chunk:    cost.Step{Fixed: cost.Work{CPU: 17, Requests: map[string]float64{"s3 put output": 12, "kms": 5}}},
		Assemble: cost.Step{Fixed: cost.Work{CPU: 1}},
	}}}
}

func simulate(t *testing.T, sc Scenario) Result {
	t.Helper()
	sc.Kind = "ladder"
	if sc.Longest == 0 {
		sc.Longest = 60 * day
	}
	if sc.Quotas == (Quotas{}) {
		sc.Quotas = Published
	}
	r, err := Run(costs(), sc, 1)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWorkersBoundTheTime(t *testing.T) {
	for _, workers := range []int{10, 20, 40} {
		r := simulate(t, Scenario{Batches: titles(50), Rules: Template().at(workers)})
		want := 50 * 120 * 10 / float64(workers) // seconds
		if r.Complete != 50 || r.Took < want || r.Took > 1.3*want+20*minute {
			t.Errorf("%d workers: %d complete in %.0f s, want 50 in somewhat more than %.0f", workers, r.Complete, r.Took, want)
		}
	}
}

func TestTheSameSeedGivesTheSame(t *testing.T) {
	sc := Scenario{Batches: titles(30), Rules: Template()}
	if a, b := simulate(t, sc), simulate(t, sc); !reflect.DeepEqual(a, b) {
		t.Errorf("%+v, then %+v", a, b)
	}
}

// TestABacklogOfDays: under the old rules jobs fail and are asked for again and
// again; under those of the template none is touched.
func TestABacklogOfDays(t *testing.T) {
	before := simulate(t, Scenario{Batches: titles(1200), Rules: Before().at(2)})
	if before.Failed == 0 || before.Restarted == 0 || before.Repeated == 0 {
		t.Errorf("the old rules do well: %+v", before)
	}
	now := simulate(t, Scenario{Batches: titles(1200), Rules: Template().at(6)})
	if now.Took < 2*day || now.Complete != 1200 || now.Restarted+now.Repeated+now.Expired+now.WorkExpired > 0 {
		t.Errorf("%+v", now)
	}
}

func TestWorkFilesExpire(t *testing.T) {
	rules := Template().at(2)
	rules.WorkExpiry = hour
	if r := simulate(t, Scenario{Batches: titles(20), Rules: rules}); r.WorkExpired == 0 || r.Failed != r.WorkExpired {
		t.Errorf("%d failed, %d since their work files had expired", r.Failed, r.WorkExpired)
	}
}

func TestMessagesExpire(t *testing.T) {
	rules := Template().at(2)
	rules.Retention, rules.Window = hour, false
	if r := simulate(t, Scenario{Batches: titles(20), Rules: rules}); r.Expired == 0 || r.Restarted == 0 || r.Complete+r.Failed != 20 {
		t.Errorf("%d messages expired, %d restarts, %d jobs ended", r.Expired, r.Restarted, r.Complete+r.Failed)
	}
}

// TestTheWindowKeepsShortJobsShort: a long job that was there first, and whose
// sound was done before.
func TestTheWindowKeepsShortJobsShort(t *testing.T) {
	var slowest [4]float64
	for i, sc := range Mixed() {
		r := simulate(t, sc)
		slowest[i] = r.Turns[len(r.Turns)-1].Longest
	}
	if slowest[1] < 5*slowest[2] || slowest[2] > 5*slowest[3] {
		t.Errorf("without groups %.0f s, with groups %.0f s, with a window %.0f s, alone %.0f s", slowest[0], slowest[1], slowest[2], slowest[3])
	}
}

// TestQuotas: more requests than a service serves prolong the work, and the
// quota is named as what holds it up.
func TestQuotas(t *testing.T) {
	q := Published
	q.KMS = 20 // 4 tasks a second at most; the workers could do 10
	r := simulate(t, Scenario{Batches: titles(20), Rules: Template().at(100), Quotas: q})
	if r.Bottleneck != "kms a second" || r.Complete != 20 {
		t.Errorf("held up by %s, %d complete", r.Bottleneck, r.Complete)
	}
}

func TestIngestThatIsTooLong(t *testing.T) {
	batch := []Batch{{Titles: 1, Seconds: hour, Mbps: 200}} // 90 GB, at 78 MB/s
	rules := Template()
	rules.Reconcile.Lost = 30 * day
	if r := simulate(t, Scenario{Batches: batch, Rules: rules, Longest: day}); r.TimedOut != 3 || r.Complete != 0 || r.Unended != 1 {
		t.Errorf("%d timed out, %+v", r.TimedOut, r)
	}
}

// TestNoRoomInTheAccount: messages that Lambda has no room for end in the dead
// letters, which a MaximumConcurrency below the account's keeps from happening.
func TestNoRoomInTheAccount(t *testing.T) {
	rules := Template().at(100)
	rules.Visibility = 30
	crowded := Scenario{Batches: titles(40), Rules: rules, Quotas: granted(10)}
	if r := simulate(t, crowded); r.DeadLetters == 0 {
		t.Errorf("no dead letters: %+v", r)
	}
	crowded.Rules.MaximumConcurrency = 8
	if r := simulate(t, crowded); r.DeadLetters != 0 || r.Complete != 40 {
		t.Errorf("%d dead letters, %d complete", r.DeadLetters, r.Complete)
	}
}

// TestTheGuideHasTheseFigures holds what is quick of docs/scale.md against what
// the program says now; make scale writes all of it.
func TestTheGuideHasTheseFigures(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	measured, err := cost.Measured()
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := runAll(measured, Mixed(), Seed)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	writeCosts(&text, measured)
	for _, table := range []string{text.String(), mixedTable(mixed)} {
		if !strings.Contains(string(guide), table) {
			t.Errorf("docs/scale.md has not this: run make scale\n%s", table)
		}
	}
}

// TestRulesAreTheTemplates holds the simulation's rules against template.yaml.
func TestRulesAreTheTemplates(t *testing.T) {
	tmpl, err := template.ReadFile("../../../template.yaml", template.Options{StackName: "sealreel", Region: "us-east-1", Account: "111122223333",
		QueueURL: func(name string) string { return "https://sqs/" + name }, KeyID: func(id string) (string, error) { return id, nil }})
	if err != nil {
		t.Fatal(err)
	}
	rules := Template()
	queue := tmpl.Queue("ChunkQueue").Attributes()
	for name, want := range map[string]float64{"MessageRetentionPeriod": rules.Retention, "VisibilityTimeout": rules.Visibility} {
		if got, err := strconv.ParseFloat(queue[name], 64); err != nil || got != want {
			t.Errorf("%s is %s, simulated with %g", name, queue[name], want)
		}
	}
	if got := tmpl.Function("IngestFunction").Timeout.Seconds(); got != rules.IngestTimeout {
		t.Errorf("ingest has %g s, simulated with %g", got, rules.IngestTimeout)
	}
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := "ExpirationInDays: " + strconv.Itoa(int(rules.WorkExpiry/day)); !strings.Contains(string(text), want) {
		t.Errorf("template.yaml has no %q", want)
	}
	if rules.WorkExpiry <= rules.Retention {
		t.Error("work files expire while messages wait that need them")
	}
}
