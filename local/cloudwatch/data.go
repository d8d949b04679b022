package cloudwatch

import (
	"context"
	"encoding/json"
	"time"

	"sealreel/local/internal/awsjson"
)

// maxPoints is how many data one GetMetricData answers with.
const maxPoints = 100_800

type apiQuery struct {
	Id         string
	Label      string         `json:",omitempty"`
	Expression string         `json:",omitempty"`
	MetricStat *apiMetricStat `json:",omitempty"`
	ReturnData *bool          `json:",omitempty"`
	Period     int            `json:",omitempty"`
}

type apiMetricStat struct {
	Metric apiMetric
	Period int // seconds
	Stat   string
	Unit   string `json:",omitempty"`
}

// queryOf is a query as the API shows it.
func queryOf(q Query) apiQuery {
	shown := apiQuery{Id: q.ID, Expression: q.Expression, ReturnData: &q.Returns}
	if q.Expression == "" {
		shown.MetricStat = &apiMetricStat{Metric: apiMetric{q.Metric.Namespace, q.Metric.Name, dimensionsOf(q.Metric)},
			Period: int(q.Period / time.Second), Stat: q.Stat, Unit: q.Unit}
	}
	return shown
}

type dataInput struct {
	MetricDataQueries  []apiQuery
	StartTime, EndTime json.Number
	ScanBy             string
}

type dataResult struct {
	Id         string
	Label      string
	StatusCode string
	Timestamps []stamp
	Values     []float64
}

// getMetricData answers with the statistics of metrics, the newest first unless
// asked otherwise. The embedded CloudWatch takes no expressions here.
func (s *Server) getMetricData(_ context.Context, call *awsjson.Call, in dataInput) (any, error) {
	if err := s.admit(call, "*"); err != nil {
		return nil, err
	}
	from, err := seconds(in.StartTime)
	if err != nil {
		return nil, err
	}
	until, err := seconds(in.EndTime)
	if err != nil {
		return nil, err
	}
	out := struct{ MetricDataResults []dataResult }{[]dataResult{}}
	for _, q := range in.MetricDataQueries {
		result, err := s.dataOf(q, from, until, in.ScanBy == "TimestampAscending")
		if err != nil {
			return nil, err
		}
		if q.ReturnData == nil || *q.ReturnData {
			out.MetricDataResults = append(out.MetricDataResults, result)
		}
	}
	return out, nil
}

func (s *Server) dataOf(q apiQuery, from, until time.Time, ascending bool) (dataResult, error) {
	result := dataResult{Id: q.Id, Label: q.Label, StatusCode: "Complete", Timestamps: []stamp{}, Values: []float64{}}
	if q.MetricStat == nil {
		return result, invalid("the embedded CloudWatch takes queries with a MetricStat, and no expressions: " + q.Id)
	}
	stat := q.MetricStat
	if err := checkStat(stat.Stat); err != nil {
		return result, invalid(err.Error())
	}
	if stat.Period < 60 || stat.Period%60 != 0 {
		return result, invalid("Period must be of whole minutes")
	}
	if result.Label == "" {
		result.Label = stat.Metric.MetricName
	}
	m := Metric{stat.Metric.Namespace, stat.Metric.MetricName, map[string]string{}}
	for _, d := range stat.Metric.Dimensions {
		m.Dimensions[d.Name] = d.Value
	}
	period := minute(stat.Period / 60)
	first := minuteOf(from) / period * period // as on AWS, aligned to the period
	if (minuteOf(until)-first)/period > maxPoints {
		return result, invalid("that is more than 100,800 periods")
	}
	for at := first; at < minuteOf(until); at += period {
		v, ok := s.store.statistic(m, stat.Unit, stat.Stat, at, at+period)
		switch {
		case !ok:
		case ascending:
			result.Timestamps, result.Values = append(result.Timestamps, stamp(at.start())), append(result.Values, v)
		default:
			result.Timestamps, result.Values = append([]stamp{stamp(at.start())}, result.Timestamps...), append([]float64{v}, result.Values...)
		}
	}
	return result, nil
}
