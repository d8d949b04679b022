package cloudwatch

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// notice is the message about a change of state, with the members that AWS's
// has.
type notice struct {
	AlarmName               string
	AlarmDescription        string
	AWSAccountId            string
	AlarmConfigurationTime  string   `json:"AlarmConfigurationUpdatedTimestamp"`
	NewStateValue           State    `json:"NewStateValue"`
	NewStateReason          string   `json:"NewStateReason"`
	StateChangeTime         string   `json:"StateChangeTime"`
	Region                  string   `json:"Region"`
	AlarmArn                string   `json:"AlarmArn"`
	OldStateValue           State    `json:"OldStateValue"`
	OKActions               []string `json:"OKActions"`
	AlarmActions            []string `json:"AlarmActions"`
	InsufficientDataActions []string `json:"InsufficientDataActions"`
	Trigger                 *trigger `json:"Trigger,omitempty"`
	AlarmRule               string   `json:"AlarmRule,omitempty"`
}

type trigger struct {
	MetricName         string          `json:"MetricName,omitempty"`
	Namespace          string          `json:"Namespace,omitempty"`
	Statistic          string          `json:"Statistic,omitempty"`
	Dimensions         []wireDimension `json:"Dimensions,omitempty"`
	Period             int             `json:"Period"`
	EvaluationPeriods  int             `json:"EvaluationPeriods"`
	DatapointsToAlarm  int             `json:"DatapointsToAlarm"`
	ComparisonOperator string          `json:"ComparisonOperator"`
	Threshold          float64         `json:"Threshold"`
	TreatMissingData   string          `json:"TreatMissingData"`
	Expression         string          `json:"Expression,omitempty"`
}

// wireDimension is a dimension as messages have it.
type wireDimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const noticeTime = "2006-01-02T15:04:05.000+0000"

// subject is that of the message, at most 100 characters.
func (s *Server) subject(c Change) string {
	text := string(c.To) + `: "` + c.Alarm.Name + `" in ` + s.config.Region
	return text[:min(len(text), 100)]
}

func (s *Server) message(c Change, a *alarm) string {
	n := notice{AlarmName: c.Alarm.Name, AlarmDescription: c.Alarm.Description, AWSAccountId: s.config.Account,
		AlarmConfigurationTime: a.made.UTC().Format(noticeTime), NewStateValue: c.To, NewStateReason: c.Reason,
		StateChangeTime: c.Time.UTC().Format(noticeTime), Region: s.config.Region, AlarmArn: s.ARN(c.Alarm.Name), OldStateValue: c.From,
		OKActions: list(c.Alarm.OKActions), AlarmActions: list(c.Alarm.Actions), InsufficientDataActions: list(c.Alarm.InsufficientActions),
		AlarmRule: c.Alarm.Rule}
	if a.rule == nil {
		n.Trigger = &trigger{Period: a.period * int(time.Minute/time.Second), EvaluationPeriods: a.Periods, DatapointsToAlarm: a.Datapoints,
			ComparisonOperator: a.Comparison, Threshold: a.Threshold, TreatMissingData: a.TreatMissing, Expression: a.returned.Expression}
		if q := a.returned; q.Expression == "" {
			n.Trigger.MetricName, n.Trigger.Namespace, n.Trigger.Statistic = q.Metric.Name, q.Metric.Namespace, q.Stat
			for _, name := range slices.Sorted(maps.Keys(q.Metric.Dimensions)) {
				n.Trigger.Dimensions = append(n.Trigger.Dimensions, wireDimension{name, q.Metric.Dimensions[name]})
			}
		}
	}
	text, err := json.Marshal(n)
	if err != nil {
		panic("cloudwatch: a message that is no JSON: " + err.Error())
	}
	return string(text)
}

// list is never null in JSON.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
