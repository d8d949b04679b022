package cloudwatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Limits of the embedded metric format (AWS: Specification: Embedded metric
// format; CloudWatch Logs quotas).
const (
	maxEMFLine       = 1 << 20 // bytes
	maxEMFMetrics    = 100     // of a directive
	maxEMFDimensions = 30      // of a set
	maxEMFValues     = 100     // of a metric
	maxEMFText       = 1024    // characters of a namespace, a name or a dimension's value
	emfPast          = 14 * 24 * time.Hour
	emfFuture        = 2 * time.Hour
)

// units are those that CloudWatch knows (API reference, MetricDatum).
var units = []string{"Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes",
	"Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second",
	"Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second",
	"Gigabits/Second", "Terabits/Second", "Count/Second", "None"}

// emfMetadata is the member _aws of a line.
type emfMetadata struct {
	Timestamp         *int64         `json:"Timestamp"` // milliseconds since 1970
	CloudWatchMetrics []emfDirective `json:"CloudWatchMetrics"`
}

type emfDirective struct {
	Namespace  *string     `json:"Namespace"`
	Dimensions *[][]string `json:"Dimensions"`
	Metrics    []emfMetric `json:"Metrics"`
}

type emfMetric struct {
	Name              string `json:"Name"`
	Unit              string `json:"Unit"`
	StorageResolution *int   `json:"StorageResolution"`
}

// ParseEMF takes the metrics out of a log line of the embedded metric format.
// A line without the root member _aws has none. CloudWatch drops in silence what
// it does not understand; here that is an error that says what is wrong. The
// time at which the line came bounds its own.
func ParseEMF(line []byte, now time.Time) ([]Datum, error) {
	if !bytes.Contains(line, []byte(`"_aws"`)) {
		return nil, nil
	}
	var root map[string]json.RawMessage
	if err := json.Unmarshal(line, &root); err != nil {
		if line[0] != '{' {
			return nil, errors.New("cloudwatch: embedded metrics: there is text before the JSON object")
		}
		return nil, fmt.Errorf("cloudwatch: embedded metrics: the line is no JSON object: %w", err)
	}
	raw, ok := root["_aws"]
	if !ok {
		return nil, nil
	}
	data, err := readEMF(root, raw, len(line), now)
	if err != nil {
		return nil, fmt.Errorf("cloudwatch: embedded metrics: %w", err)
	}
	return data, nil
}

func readEMF(root map[string]json.RawMessage, raw json.RawMessage, size int, now time.Time) ([]Datum, error) {
	if size > maxEMFLine {
		return nil, fmt.Errorf("the line has %d bytes, at most %d are taken", size, maxEMFLine)
	}
	var meta emfMetadata
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&meta); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("_aws: %w", err)
	}
	if meta.Timestamp == nil || len(meta.CloudWatchMetrics) == 0 {
		return nil, errors.New("_aws needs Timestamp and CloudWatchMetrics")
	}
	at := time.UnixMilli(*meta.Timestamp)
	if at.Before(now.Add(-emfPast)) || at.After(now.Add(emfFuture)) {
		return nil, fmt.Errorf("_aws.Timestamp %d is %s: it counts milliseconds, and is no more than 14 days old or 2 hours ahead", *meta.Timestamp, at.UTC().Format(time.RFC3339))
	}
	var data []Datum
	for i, d := range meta.CloudWatchMetrics {
		some, err := d.data(root, at)
		if err != nil {
			return nil, fmt.Errorf("_aws.CloudWatchMetrics[%d]: %w", i, err)
		}
		data = append(data, some...)
	}
	return data, nil
}

func (d emfDirective) data(root map[string]json.RawMessage, at time.Time) ([]Datum, error) {
	if d.Namespace == nil || len(*d.Namespace) < 1 || len(*d.Namespace) > maxEMFText {
		return nil, errors.New("the Namespace must be a text of 1 to 1024 characters")
	}
	if d.Dimensions == nil || len(*d.Dimensions) == 0 {
		return nil, errors.New("the Dimensions must hold one set at least, which may be empty")
	}
	if len(d.Metrics) == 0 || len(d.Metrics) > maxEMFMetrics {
		return nil, fmt.Errorf("there are %d Metrics, 1 to %d are taken", len(d.Metrics), maxEMFMetrics)
	}
	var sets []map[string]string
	for _, names := range *d.Dimensions {
		set, err := dimensionSet(root, names)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	var data []Datum
	seen := map[string]bool{}
	for _, m := range d.Metrics {
		if seen[m.Name] {
			return nil, fmt.Errorf("metric %q is there twice", m.Name)
		}
		seen[m.Name] = true
		values, err := m.values(root)
		if err != nil {
			return nil, err
		}
		for _, set := range sets {
			data = append(data, Datum{Metric: Metric{*d.Namespace, m.Name, set}, Unit: m.Unit, Time: at, Values: values})
		}
	}
	return data, nil
}

func dimensionSet(root map[string]json.RawMessage, names []string) (map[string]string, error) {
	if len(names) > maxEMFDimensions {
		return nil, fmt.Errorf("a set has %d dimensions, at most %d are taken", len(names), maxEMFDimensions)
	}
	set := map[string]string{}
	for _, name := range names {
		var value string
		if err := json.Unmarshal(root[name], &value); err != nil || value == "" || len(value) > maxEMFText {
			return nil, fmt.Errorf("dimension %q must be a root member that is a text of 1 to 1024 characters", name)
		}
		if _, twice := set[name]; twice {
			return nil, fmt.Errorf("dimension %q is twice in a set", name)
		}
		set[name] = value
	}
	return set, nil
}

func (m emfMetric) values(root map[string]json.RawMessage) ([]float64, error) {
	if len(m.Name) < 1 || len(m.Name) > maxEMFText {
		return nil, errors.New("a metric's Name has 1 to 1024 characters")
	}
	if m.Unit != "" && !slices.Contains(units, m.Unit) {
		return nil, fmt.Errorf("metric %q: there is no unit %q", m.Name, m.Unit)
	}
	if r := m.StorageResolution; r != nil && *r != 1 && *r != 60 {
		return nil, fmt.Errorf("metric %q: StorageResolution is 1 or 60, not %d", m.Name, *r)
	}
	raw := root[m.Name]
	var one *float64
	if err := json.Unmarshal(raw, &one); err == nil && one != nil {
		return []float64{*one}, nil
	}
	var many []*float64
	if err := json.Unmarshal(raw, &many); err != nil || len(many) == 0 || len(many) > maxEMFValues || slices.Contains(many, nil) {
		return nil, fmt.Errorf("metric %q must be a root member that is a number or a list of 1 to %d numbers", m.Name, maxEMFValues)
	}
	values := make([]float64, len(many))
	for i, v := range many {
		values[i] = *v
	}
	return values, nil
}
