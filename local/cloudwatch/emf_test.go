package cloudwatch

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

func emfLine(now time.Time, directive, members string) string {
	return fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[%s]},%s}`, now.UnixMilli(), directive, members)
}

func TestEMF(t *testing.T) {
	now := time.UnixMilli(1_790_000_000_123)
	line := emfLine(now, `{"Namespace":"Sealreel","Dimensions":[["Stack"],["Stack","Outcome"],[]],"Metrics":[{"Name":"JobsEnded","Unit":"Count"},{"Name":"Wait","Unit":"Milliseconds","StorageResolution":60}]}`,
		`"Stack":"s","Outcome":"Error","JobsEnded":1,"Wait":[1,2.5,2.5],"job":"anything"`)
	data, err := ParseEMF([]byte(line), now.Add(time.Minute))
	if err != nil || len(data) != 6 {
		t.Fatalf("%v, %v", data, err)
	}
	want := []Datum{
		{Metric{"Sealreel", "JobsEnded", map[string]string{"Stack": "s"}}, "Count", now, []float64{1}},
		{Metric{"Sealreel", "JobsEnded", map[string]string{"Stack": "s", "Outcome": "Error"}}, "Count", now, []float64{1}},
		{Metric{"Sealreel", "JobsEnded", map[string]string{}}, "Count", now, []float64{1}},
		{Metric{"Sealreel", "Wait", map[string]string{"Stack": "s"}}, "Milliseconds", now, []float64{1, 2.5, 2.5}},
	}
	for i, w := range want {
		if d := data[i]; d.Name != w.Name || !maps.Equal(d.Dimensions, w.Dimensions) || d.Unit != w.Unit || !d.Time.Equal(w.Time) || fmt.Sprint(d.Values) != fmt.Sprint(w.Values) {
			t.Errorf("%+v, want %+v", d, w)
		}
	}
	for _, line := range []string{"", "START RequestId: 1", `{"level":"INFO","msg":"x"}`, `{"msg":"\"_aws\""}`, `{"inner":{"_aws":{}}}`} {
		if data, err := ParseEMF([]byte(line), now); err != nil || len(data) > 0 {
			t.Errorf("%s: %v, %v", line, data, err)
		}
	}
}

// TestEMFThatIsDropped is what CloudWatch would drop in silence.
func TestEMFThatIsDropped(t *testing.T) {
	now := time.UnixMilli(1_790_000_000_123)
	good := `{"Namespace":"N","Dimensions":[["S"]],"Metrics":[{"Name":"M"}]}`
	if _, err := ParseEMF([]byte(emfLine(now, good, `"S":"s","M":1`)), now); err != nil {
		t.Fatal(err)
	}
	many := strings.Repeat(`{"Name":"M"},`, 101)
	for what, line := range map[string]string{
		"has text before the JSON":  "INFO " + emfLine(now, good, `"S":"s","M":1`),
		"is cut off":                emfLine(now, good, `"S":"s","M":1`)[:80],
		"has no time":               `{"_aws":{"CloudWatchMetrics":[` + good + `]},"S":"s","M":1}`,
		"has a time in seconds":     emfLine(time.UnixMilli(now.Unix()), good, `"S":"s","M":1`),
		"is of tomorrow":            emfLine(now.Add(3*time.Hour), good, `"S":"s","M":1`),
		"has no directive":          emfLine(now, "", `"S":"s","M":1`),
		"has no namespace":          emfLine(now, `{"Dimensions":[["S"]],"Metrics":[{"Name":"M"}]}`, `"S":"s","M":1`),
		"has no dimensions":         emfLine(now, `{"Namespace":"N","Metrics":[{"Name":"M"}]}`, `"S":"s","M":1`),
		"has no set of dimensions":  emfLine(now, `{"Namespace":"N","Dimensions":[],"Metrics":[{"Name":"M"}]}`, `"S":"s","M":1`),
		"has no metrics":            emfLine(now, `{"Namespace":"N","Dimensions":[["S"]],"Metrics":[]}`, `"S":"s","M":1`),
		"has too many metrics":      emfLine(now, `{"Namespace":"N","Dimensions":[["S"]],"Metrics":[`+strings.TrimSuffix(many, ",")+`]}`, `"S":"s","M":1`),
		"has a metric twice":        emfLine(now, `{"Namespace":"N","Dimensions":[["S"]],"Metrics":[{"Name":"M"},{"Name":"M"}]}`, `"S":"s","M":1`),
		"has no dimension's value":  emfLine(now, good, `"M":1`),
		"has a dimension of number": emfLine(now, good, `"S":1,"M":1`),
		"has an empty dimension":    emfLine(now, good, `"S":"","M":1`),
		"has a long dimension":      emfLine(now, good, `"S":"`+strings.Repeat("x", 1025)+`","M":1`),
		"has a dimension twice":     emfLine(now, strings.Replace(good, `"S"`, `"S","S"`, 1), `"S":"s","M":1`),
		"has no value":              emfLine(now, good, `"S":"s"`),
		"has null as a value":       emfLine(now, good, `"S":"s","M":null`),
		"has a text as a value":     emfLine(now, good, `"S":"s","M":"1"`),
		"has an empty list":         emfLine(now, good, `"S":"s","M":[]`),
		"has null in a list":        emfLine(now, good, `"S":"s","M":[1,null]`),
		"has too many values":       emfLine(now, good, `"S":"s","M":[1`+strings.Repeat(",1", 100)+`]`),
		"has an unknown unit":       emfLine(now, strings.Replace(good, `"M"}`, `"M","Unit":"count"}`, 1), `"S":"s","M":1`),
		"has an odd resolution":     emfLine(now, strings.Replace(good, `"M"}`, `"M","StorageResolution":5}`, 1), `"S":"s","M":1`),
		"has an unknown member":     emfLine(now, strings.Replace(good, `"Metrics"`, `"metrics"`, 1)+`,{"Name":"x"}`, `"S":"s","M":1`),
		"is too long":               emfLine(now, good, `"S":"s","M":1,"x":"`+strings.Repeat("x", 1<<20)+`"`),
	} {
		if data, err := ParseEMF([]byte(line), now); err == nil {
			t.Errorf("a line that %s gives %v", what, data)
		}
	}
}

func FuzzEMF(f *testing.F) {
	now := time.UnixMilli(1_790_000_000_123)
	f.Add(emfLine(now, `{"Namespace":"N","Dimensions":[["S"]],"Metrics":[{"Name":"M"}]}`, `"S":"s","M":[1]`))
	f.Fuzz(func(t *testing.T, line string) {
		data, err := ParseEMF([]byte(line), now)
		for _, d := range data {
			if err != nil || d.Namespace == "" || d.Name == "" || len(d.Values) == 0 || len(d.Values) > maxEMFValues {
				t.Errorf("%q gives %+v, %v", line, d, err)
			}
		}
	})
}
