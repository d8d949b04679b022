package template

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const alarmTemplate = `
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Deep:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/SQS
      MetricName: Depth
      Dimensions: [{Name: QueueName, Value: q}]
      ExtendedStatistic: p90
      Period: 120
      EvaluationPeriods: 3
      ComparisonOperator: GreaterThanThreshold
      Threshold: 2.5
      AlarmActions: [!Ref Topic]
  Rate:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: rate
      ActionsEnabled: false
      AlarmActions: [!Ref Topic]
      Metrics:
        - {Id: r, Expression: a / b}
        - {Id: a, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: A}, Period: 60, Stat: Sum, Unit: Count}}
        - {Id: b, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: B}, Period: 60, Stat: Sum}}
      EvaluationPeriods: 2
      DatapointsToAlarm: 1
      ComparisonOperator: LessThanThreshold
      Threshold: -1
      TreatMissingData: breaching
  Any:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties:
      AlarmRule: !Sub 'ALARM("${Deep}") OR ALARM(${Rate.Arn})'
      OKActions: [!Ref Topic]
  Board:
    Type: AWS::CloudWatch::Dashboard
    Properties: {DashboardBody: !Sub '{"widgets": [{"of": "${Any.Arn}"}]}'}
`

func TestAlarms(t *testing.T) {
	tmpl, err := Read([]byte(alarmTemplate), Options{})
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:"
	topic := []string{"arn:aws:sns:us-east-1:111122223333:sealreel-Topic"}
	stat := func(name, unit string) MetricStat {
		return MetricStat{Namespace: "N", Name: name, Dimensions: map[string]string{}, Stat: "Sum", Period: time.Minute, Unit: unit}
	}
	want := []Alarm{
		{ID: "Deep", Name: "sealreel-Deep", ARN: arn + "sealreel-Deep", Comparison: "GreaterThanThreshold", Threshold: 2.5, Periods: 3, Datapoints: 3,
			TreatMissing: "missing", Actions: topic, Queries: []MetricQuery{{ID: "m", Returns: true,
				Metric: MetricStat{"AWS/SQS", "Depth", map[string]string{"QueueName": "q"}, "p90", 2 * time.Minute, ""}}}},
		{ID: "Rate", Name: "rate", ARN: arn + "rate", Comparison: "LessThanThreshold", Threshold: -1, Periods: 2, Datapoints: 1, TreatMissing: "breaching",
			Queries: []MetricQuery{{ID: "r", Expression: "a / b", Returns: true}, {ID: "a", Metric: stat("A", "Count")}, {ID: "b", Metric: stat("B", "")}}},
		{ID: "Any", Name: "sealreel-Any", ARN: arn + "sealreel-Any", OKActions: topic, Rule: `ALARM("sealreel-Deep") OR ALARM(` + arn + `rate)`},
	}
	if got := fmt.Sprintf("%+v", tmpl.Alarms); got != fmt.Sprintf("%+v", want) {
		t.Errorf("alarms are\n%s, want\n%+v", got, want)
	}
	if b := tmpl.Dashboards; len(b) != 1 || b[0].Name != "sealreel-Board" || string(b[0].Body) != `{"widgets": [{"of": "`+arn+`sealreel-Any"}]}` {
		t.Errorf("dashboards are %+v", b)
	}
}

// TestAlarmsThatAreRefused, each with its place.
func TestAlarmsThatAreRefused(t *testing.T) {
	for _, change := range [][3]string{
		{"Period: 120", "Period: 90", "Deep"},
		{"Period: 120", "", "Deep"},
		{"EvaluationPeriods: 3", "", "Deep"},
		{"EvaluationPeriods: 3", "EvaluationPeriods: 3\n      DatapointsToAlarm: 4", "Deep"},
		{"GreaterThanThreshold", "GreaterThanUpperThreshold", "Deep"},
		{"      ComparisonOperator: GreaterThanThreshold\n", "", "Deep"},
		{"Threshold: 2.5", "Threshold: many", "Deep"},
		{"Threshold: 2.5", "ThresholdMetricId: x", "Deep"},
		{"ExtendedStatistic: p90", "", "Deep"},
		{"Value: q}", "Valeu: q}", "Deep"},
		{"Expression: a / b", "Expression: a / b, ReturnData: false", "Rate"},
		{"Id: a, ReturnData: false", "Id: a", "Rate"},
		{"Id: r, Expression: a / b", "Id: r", "Rate"},
		{"TreatMissingData: breaching", "TreatMissingData: Breaching", "Rate"},
		{"AlarmRule:", "Rule:", "Any"},
		{`"of": `, `"of" `, "Board"},
	} {
		changed := strings.Replace(alarmTemplate, change[0], change[1], 1)
		if _, err := Read([]byte(changed), Options{}); err == nil || !strings.Contains(err.Error(), "Resources."+change[2]) {
			t.Errorf("%s instead of %s: %v", change[1], change[0], err)
		}
	}
}

// TestProjectAlarms holds the project's own alarms to what docs/operations.md
// says of them: each has a section, and tells the topic unless the one that
// stands for all does.
func TestProjectAlarms(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	const own = "arn:aws:sns:us-east-1:111122223333:sealreel-alarms"
	for _, c := range []struct {
		parameters map[string]string
		each, one  string // topic
		topics     int
	}{
		{nil, own, "", 1},
		{map[string]string{"AlarmMessages": "one"}, "", own, 1},
		{map[string]string{"AlarmTopicArn": "arn:aws:sns:us-east-1:444455556666:night"}, "arn:aws:sns:us-east-1:444455556666:night", "", 0},
	} {
		tmpl, err := ReadFile("../../template.yaml", Options{Parameters: c.parameters})
		if err != nil {
			t.Fatal(err)
		}
		if len(tmpl.Topics) != c.topics {
			t.Errorf("%v: topics %+v", c.parameters, tmpl.Topics)
		}
		all := tmpl.Alarms[len(tmpl.Alarms)-1]
		for _, a := range tmpl.Alarms {
			topic := c.each
			if a.ID == all.ID {
				topic = c.one
			} else if !strings.Contains(all.Rule, `ALARM("`+a.Name+`")`) {
				t.Errorf("%s is not in the rule of %s", a.Name, all.Name)
			}
			if strings.Join(a.Actions, " ") != topic || strings.Join(a.OKActions, " ") != topic {
				t.Errorf("%v: %s tells %v and %v, want %q", c.parameters, a.ID, a.Actions, a.OKActions, topic)
			}
			_, anchor, ok := strings.Cut(a.Description, "See docs/operations.md#")
			heading := "\n### " + strings.ReplaceAll(anchor, "-", " ") + "\n"
			if !ok || !strings.Contains(strings.ToLower(string(guide)), heading) {
				t.Errorf("%s refers to %q, which is no section of docs/operations.md", a.ID, anchor)
			}
			short := strings.TrimPrefix(a.Name, "sealreel-")
			if section := sectionOf(string(guide), heading); !strings.Contains(section, "`"+short+"`") {
				t.Errorf("the section of %s doesn't name it", short)
			}
		}
	}
	tmpl, err := ReadFile("../../template.yaml", Options{Parameters: map[string]string{"Alarms": "no"}})
	if err != nil || len(tmpl.Alarms) > 0 || len(tmpl.Topics) > 0 || len(tmpl.Dashboards) > 0 {
		t.Errorf("without alarms: %+v, %+v, %v", tmpl.Alarms, tmpl.Topics, err)
	}
}

// sectionOf is what stands under a heading, up to the next.
func sectionOf(text, heading string) string {
	i := strings.Index(strings.ToLower(text), heading)
	if i < 0 {
		return ""
	}
	section, _, _ := strings.Cut(text[i+len(heading):], "\n### ")
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// TestProjectDashboard: it shows every alarm, and each widget is one that
// CloudWatch takes.
func TestProjectDashboard(t *testing.T) {
	tmpl, err := ReadFile("../../template.yaml", Options{})
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Widgets []struct {
			Type                string
			X, Y, Width, Height int
			Properties          struct {
				Title, Region, Stat string
				Period              int
				Alarms              []string
				Metrics             [][]any
			}
		}
	}
	if err := json.Unmarshal(tmpl.Dashboards[0].Body, &board); err != nil {
		t.Fatal(err)
	}
	shown := strings.Join(board.Widgets[0].Properties.Alarms, " ") + " "
	for _, a := range tmpl.Alarms {
		if !strings.Contains(shown, a.ARN+" ") {
			t.Errorf("%s is not on the dashboard", a.Name)
		}
	}
	for _, w := range board.Widgets[1:] {
		p := w.Properties
		if w.Type != "metric" || w.X+w.Width > 24 || p.Title == "" || p.Region != "us-east-1" || p.Stat == "" || p.Period != 300 || len(p.Metrics) == 0 {
			t.Errorf("%+v", w)
		}
	}
}
