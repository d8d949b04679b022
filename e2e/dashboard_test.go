package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/local/cloudwatch"
	"sealreel/pkg/metric"
)

// TestDashboard: each metric that the dashboard shows is one that functions have
// under these dimensions, or that the embedded services, called as AWS's, told.
func TestDashboard(t *testing.T) {
	round(t)
	name := unique(t)
	upload(t, name+".mp4", brief(t), nil)
	completed(t, submit(t, sealedFile(name+".mp4", name+"/", nil)))
	var board struct {
		Widgets []struct{ Properties struct{ Metrics [][]any } }
	}
	if err := json.Unmarshal(site.Template().Dashboards[0].Body, &board); err != nil {
		t.Fatal(err)
	}
	var lines [][]any
	for _, w := range board.Widgets {
		lines = append(lines, w.Properties.Metrics...)
	}
	if len(lines) < 60 {
		t.Errorf("the dashboard shows %d metrics", len(lines))
	}
	var missing []string
	for range 50 { // functions that have done their work end a moment later
		site.CloudWatch().Advance(time.Minute)
		if missing = untold(lines); len(missing) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("the dashboard shows what nobody tells: %q", missing)
}

// untold are the metrics of a dashboard's lines that nobody tells.
func untold(lines [][]any) []string {
	there := map[string]bool{}
	for _, m := range site.CloudWatch().Metrics() {
		there[m.String()] = true
	}
	for _, m := range metric.All() {
		for _, set := range m.Sets {
			there[metric.Namespace+" "+m.Name+" "+strings.Join(append(slices.Clone(set), metric.Stack), " ")] = true
		}
	}
	var missing []string
	for _, line := range lines {
		m, names := cloudwatch.Metric{Namespace: line[0].(string), Name: line[1].(string), Dimensions: map[string]string{}}, []string{}
		for i := 2; i+1 < len(line); i += 2 {
			names = append(names, line[i].(string))
			m.Dimensions[line[i].(string)] = line[i+1].(string)
		}
		slices.Sort(names)
		kind := m.String()
		if m.Namespace == metric.Namespace { // not every cause of a retry is there today
			kind = m.Namespace + " " + m.Name + " " + strings.Join(names, " ")
		}
		if !there[kind] {
			missing = append(missing, m.String())
		}
	}
	return missing
}
