package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

// target is the service's name in requests.
const target = "GraniteServiceVersion20100801"

func (s *Server) handler() http.Handler {
	handler := &awsjson.Handler{Version: "1.0", Target: target, Query: true, MaxBody: 1 << 20, Known: s.config.Known,
		Actions: map[string]awsjson.Action{
			"DescribeAlarms": awsjson.Decoded(s.describeAlarms),
			"SetAlarmState":  awsjson.Decoded(s.setAlarmState),
			"ListMetrics":    awsjson.Decoded(s.listMetrics),
			"GetMetricData":  awsjson.Decoded(s.getMetricData),
		}}
	return orCBOR(handler)
}

// admit asks the gate whether the caller may do what it calls for.
func (s *Server) admit(call *awsjson.Call, resource string) error {
	call.Resource = resource
	if s.config.Gate == nil {
		return nil
	}
	err := call.Admit(s.config.Gate, gate.Attempt{Action: "cloudwatch:" + call.Action, Resource: resource, Kind: iam.AnyResource})
	var refusal *gate.Refusal
	if errors.As(err, &refusal) {
		return &awsjson.Error{Status: http.StatusForbidden, Type: "AccessDenied", QueryCode: "AccessDenied", Message: refusal.Error()}
	}
	return err
}

func invalid(message string) error {
	return &awsjson.Error{Type: "InvalidParameterValueException", QueryCode: "InvalidParameterValue", Message: message}
}

// stamp is a time as the JSON protocol has it: seconds since 1970.
type stamp time.Time

// MarshalJSON writes seconds.
func (t stamp) MarshalJSON() ([]byte, error) {
	return []byte(strconv.FormatFloat(float64(time.Time(t).UnixMilli())/1000, 'f', -1, 64)), nil
}

// apiDimension is a dimension as the API has it.
type apiDimension struct{ Name, Value string }

type describeInput struct {
	AlarmNames      []string
	AlarmNamePrefix string
	AlarmTypes      []string
	StateValue      State
	NextToken       string
	MaxRecords      int // all that there are come at once, as nobody has more than 100
}

// described has the members that both kinds of alarms have; the others are
// left out where they have no value.
type described struct {
	AlarmName               string
	AlarmArn                string
	AlarmDescription        string
	ActionsEnabled          bool
	AlarmActions            []string
	OKActions               []string
	InsufficientDataActions []string
	StateValue              State
	StateReason             string
	StateUpdatedTimestamp   stamp
	ConfigurationTime       stamp `json:"AlarmConfigurationUpdatedTimestamp"`

	AlarmRule          string         `json:",omitempty"`
	Namespace          string         `json:",omitempty"`
	MetricName         string         `json:",omitempty"`
	Dimensions         []apiDimension `json:",omitempty"`
	Statistic          string         `json:",omitempty"`
	ExtendedStatistic  string         `json:",omitempty"`
	Period             int            `json:",omitempty"`
	Metrics            []apiQuery     `json:",omitempty"`
	EvaluationPeriods  int            `json:",omitempty"`
	DatapointsToAlarm  int            `json:",omitempty"`
	ComparisonOperator string         `json:",omitempty"`
	Threshold          *float64       `json:",omitempty"`
	TreatMissingData   string         `json:",omitempty"`
}

type describeOutput struct {
	MetricAlarms    []described
	CompositeAlarms []described
}

// describeAlarms shows metric alarms, and composite ones where AlarmTypes asks
// for them, as AWS does.
func (s *Server) describeAlarms(_ context.Context, call *awsjson.Call, in describeInput) (any, error) {
	if err := s.admit(call, s.ARN("*")); err != nil {
		return nil, err
	}
	if len(in.AlarmTypes) == 0 {
		in.AlarmTypes = []string{"MetricAlarm"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := describeOutput{[]described{}, []described{}}
	for _, a := range s.alarms {
		switch {
		case len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.Name), !strings.HasPrefix(a.Name, in.AlarmNamePrefix),
			in.StateValue != "" && in.StateValue != a.state:
		case a.rule != nil && slices.Contains(in.AlarmTypes, "CompositeAlarm"):
			out.CompositeAlarms = append(out.CompositeAlarms, s.describe(a))
		case a.rule == nil && slices.Contains(in.AlarmTypes, "MetricAlarm"):
			out.MetricAlarms = append(out.MetricAlarms, s.describe(a))
		}
	}
	return out, nil
}

func (s *Server) describe(a *alarm) described {
	d := described{AlarmName: a.Name, AlarmArn: s.ARN(a.Name), AlarmDescription: a.Description, ActionsEnabled: true,
		AlarmActions: list(a.Actions), OKActions: list(a.OKActions), InsufficientDataActions: list(a.InsufficientActions),
		StateValue: a.state, StateReason: a.reason, StateUpdatedTimestamp: stamp(a.changed), ConfigurationTime: stamp(a.made), AlarmRule: a.Rule}
	if a.rule != nil {
		return d
	}
	d.EvaluationPeriods, d.DatapointsToAlarm, d.ComparisonOperator = a.Periods, a.Datapoints, a.Comparison
	d.Threshold, d.TreatMissingData = &a.Threshold, a.TreatMissing
	if a.math != nil {
		for _, q := range a.Queries {
			d.Metrics = append(d.Metrics, queryOf(q))
		}
		return d
	}
	q := a.returned
	d.Namespace, d.MetricName, d.Dimensions = q.Metric.Namespace, q.Metric.Name, dimensionsOf(q.Metric)
	d.Period = int(q.Period / time.Second)
	if _, ok := percentile(q.Stat); ok {
		d.ExtendedStatistic = q.Stat
	} else {
		d.Statistic = q.Stat
	}
	return d
}

func dimensionsOf(m Metric) []apiDimension {
	all := []apiDimension{}
	for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
		all = append(all, apiDimension{name, m.Dimensions[name]})
	}
	return all
}

type setStateInput struct {
	AlarmName   string
	StateValue  State
	StateReason string
}

// setAlarmState lasts until the alarm is evaluated again, which shows whether
// those who should hear of it do.
func (s *Server) setAlarmState(_ context.Context, call *awsjson.Call, in setStateInput) (any, error) {
	if err := s.admit(call, s.ARN(in.AlarmName)); err != nil {
		return nil, err
	}
	if !slices.Contains([]State{OK, Alarming, InsufficientData}, in.StateValue) || in.StateReason == "" {
		return nil, invalid("StateValue must be OK, ALARM or INSUFFICIENT_DATA, with a StateReason")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.find(in.AlarmName)
	if a == nil {
		return nil, &awsjson.Error{Status: http.StatusNotFound, Type: "ResourceNotFound", QueryCode: "ResourceNotFound", Message: "there is no alarm " + in.AlarmName}
	}
	s.change(a, in.StateValue, in.StateReason, s.now())
	return struct{}{}, nil
}

type listInput struct {
	Namespace, MetricName, NextToken string
	Dimensions                       []apiDimension
}

type apiMetric struct {
	Namespace, MetricName string
	Dimensions            []apiDimension
}

func (s *Server) listMetrics(_ context.Context, call *awsjson.Call, in listInput) (any, error) {
	if err := s.admit(call, "*"); err != nil {
		return nil, err
	}
	out := struct{ Metrics []apiMetric }{[]apiMetric{}}
	for _, m := range s.store.all() {
		if in.Namespace != "" && m.Namespace != in.Namespace || in.MetricName != "" && m.Name != in.MetricName || !hasAll(m.Metric, in.Dimensions) {
			continue
		}
		out.Metrics = append(out.Metrics, apiMetric{m.Namespace, m.Name, dimensionsOf(m.Metric)})
	}
	return out, nil
}

// hasAll says whether a metric has dimensions, with their values where these
// are given.
func hasAll(m Metric, wanted []apiDimension) bool {
	for _, d := range wanted {
		if value, ok := m.Dimensions[d.Name]; !ok || d.Value != "" && d.Value != value {
			return false
		}
	}
	return true
}

// seconds reads a time of the JSON protocol.
func seconds(n json.Number) (time.Time, error) {
	v, err := n.Float64()
	if err != nil {
		return time.Time{}, invalid("StartTime and EndTime must be seconds since 1970")
	}
	return time.UnixMilli(int64(v * 1000)), nil
}
