package template

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Alarm is an AWS::CloudWatch::Alarm or, with a Rule, an
// AWS::CloudWatch::CompositeAlarm.
type Alarm struct {
	ID, Name, ARN string
	Description   string
	Rule          string // of a composite alarm; then nothing between here and the actions is set

	Queries      []MetricQuery // one returns data
	Comparison   string        // such as GreaterThanThreshold
	Threshold    float64
	Periods      int    // EvaluationPeriods
	Datapoints   int    // DatapointsToAlarm
	TreatMissing string // breaching, notBreaching, ignore or missing

	Actions, OKActions, InsufficientActions []string // ARNs
}

// MetricQuery is a metric of an alarm, or an expression over others.
type MetricQuery struct {
	ID         string
	Expression string // empty for a metric
	Metric     MetricStat
	Returns    bool // it is what is compared
}

// MetricStat is a statistic of a metric.
type MetricStat struct {
	Namespace, Name string
	Dimensions      map[string]string
	Stat            string // Sum, Maximum, p90, ...
	Period          time.Duration
	Unit            string // empty for any
}

// Dashboard is an AWS::CloudWatch::Dashboard.
type Dashboard struct {
	ID, Name string
	Body     json.RawMessage
}

var comparisons = []string{"GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"}

func (r *resolver) readAlarm(d *reader, res *resource, name string, v *Value) Alarm {
	a := Alarm{ID: res.id, Name: name, ARN: r.attributeOf(res.kind, name, "Arn"), Description: d.text(v.Get("AlarmDescription"), "")}
	if d.boolean(v.Get("ActionsEnabled"), true) {
		a.Actions, a.OKActions = d.texts(v.Get("AlarmActions")), d.texts(v.Get("OKActions"))
		a.InsufficientActions = d.texts(v.Get("InsufficientDataActions"))
	}
	if res.kind == "AWS::CloudWatch::CompositeAlarm" {
		d.only(v, "AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions", "AlarmRule", "Tags")
		if a.Rule = d.text(v.Get("AlarmRule"), ""); a.Rule == "" {
			d.fault(v, "a composite alarm needs an AlarmRule")
		}
		return a
	}
	d.only(v, "AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions", "Tags",
		"Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic", "Period", "Unit", "Metrics",
		"ComparisonOperator", "Threshold", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData")
	a.Comparison = d.oneOf(v.Get("ComparisonOperator"), comparisons...)
	if v.Get("ComparisonOperator") == nil {
		d.fault(v, "an alarm needs a ComparisonOperator")
	}
	a.Threshold = d.number(v, "Threshold")
	a.Periods = d.integer(v.Get("EvaluationPeriods"), 0, 1, 1440)
	if a.Periods == 0 {
		d.fault(v, "an alarm needs EvaluationPeriods")
	}
	a.Datapoints = d.integer(v.Get("DatapointsToAlarm"), a.Periods, 1, max(a.Periods, 1))
	a.TreatMissing = d.oneOf(v.Get("TreatMissingData"), "missing", "breaching", "notBreaching", "ignore")
	a.Queries = d.queries(v)
	return a
}

// queries reads what an alarm looks at: Metrics, or one metric of its own.
func (d *reader) queries(v *Value) []MetricQuery {
	if v.Get("Metrics") == nil {
		stat := d.text(v.Get("Statistic"), d.text(v.Get("ExtendedStatistic"), ""))
		return []MetricQuery{{ID: "m", Metric: d.metricStat(v, stat, v.Get("Period"), v.Get("Unit")), Returns: true}}
	}
	var all []MetricQuery
	returned := 0
	for _, m := range d.list(v.Get("Metrics")) {
		d.only(m, "Id", "Label", "Expression", "MetricStat", "ReturnData")
		q := MetricQuery{ID: d.text(m.Get("Id"), ""), Expression: d.text(m.Get("Expression"), ""), Returns: d.boolean(m.Get("ReturnData"), true)}
		if stat := m.Get("MetricStat"); stat != nil {
			d.only(stat, "Metric", "Period", "Stat", "Unit")
			d.only(stat.Get("Metric"), "Namespace", "MetricName", "Dimensions")
			q.Metric = d.metricStat(stat.Get("Metric"), d.text(stat.Get("Stat"), ""), stat.Get("Period"), stat.Get("Unit"))
		}
		if q.ID == "" || (q.Expression == "") == (m.Get("MetricStat") == nil) {
			d.fault(m, "a metric of an alarm has an Id and either an Expression or a MetricStat")
		}
		if q.Returns {
			returned++
		}
		all = append(all, q)
	}
	if returned != 1 {
		d.fault(v.Get("Metrics"), "one of an alarm's Metrics returns data, not "+strconv.Itoa(returned))
	}
	return all
}

func (d *reader) metricStat(v *Value, stat string, period, unit *Value) MetricStat {
	m := MetricStat{Namespace: d.text(v.Get("Namespace"), ""), Name: d.text(v.Get("MetricName"), ""), Stat: stat,
		Period: time.Duration(d.integer(period, 0, 60, 86400)) * time.Second, Unit: d.text(unit, ""), Dimensions: map[string]string{}}
	for _, dimension := range d.list(v.Get("Dimensions")) {
		d.only(dimension, "Name", "Value")
		m.Dimensions[d.text(dimension.Get("Name"), "")] = d.text(dimension.Get("Value"), "")
	}
	if m.Namespace == "" || m.Name == "" || m.Stat == "" || m.Period == 0 || m.Period%time.Minute != 0 {
		d.fault(v, "a metric needs Namespace, MetricName, a statistic and a Period of whole minutes")
	}
	return m
}

// number returns a number that must be there.
func (d *reader) number(v *Value, name string) float64 {
	n, err := strconv.ParseFloat(v.Get(name).Text(), 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		d.fault(v, name+" must be a number, not "+strconv.Quote(v.Get(name).Text()))
	}
	return n
}

func readDashboard(d *reader, id, name string, v *Value) Dashboard {
	d.only(v, "DashboardName", "DashboardBody")
	body := d.text(v.Get("DashboardBody"), "")
	if !json.Valid([]byte(body)) {
		d.fault(v, "DashboardBody is no JSON")
	}
	return Dashboard{ID: id, Name: name, Body: json.RawMessage(body)}
}
