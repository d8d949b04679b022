package cli

import (
	"bytes"
	"net/http/httptest"
	"testing"
	"time"

	"sealreel/local/cloudwatch"
)

// watched is the endpoint of a CloudWatch with alarms of two stacks.
func watched(t *testing.T) string {
	t.Helper()
	watch, err := cloudwatch.New(cloudwatch.Config{Region: region, Account: "111122223333", Publish: func(string, string, string) error { return nil },
		Known: func(id string) bool { return id == accessKey }})
	if err != nil {
		t.Fatal(err)
	}
	put := func(a cloudwatch.Alarm) {
		if err := watch.PutAlarm(a); err != nil {
			t.Fatal(err)
		}
	}
	for _, treat := range []string{"breaching", "notBreaching"} { // without data the one is on and the other is not
		put(cloudwatch.Alarm{Name: "studio-" + treat, Description: "Do something. See docs/operations.md#something", Comparison: "GreaterThanThreshold",
			Periods: 1, Datapoints: 1, TreatMissing: treat, Queries: []cloudwatch.Query{{ID: "m", Metric: cloudwatch.Metric{Namespace: "N", Name: "M"},
				Stat: "Sum", Period: time.Minute, Returns: true}}})
	}
	put(cloudwatch.Alarm{Name: "studio-any", Rule: "ALARM(studio-breaching)"})
	put(cloudwatch.Alarm{Name: "calm-any", Rule: "FALSE"})
	watch.Advance(time.Minute)
	server := httptest.NewServer(watch)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAlarmNotes(t *testing.T) {
	var out bytes.Buffer
	note := alarmNotes(&terminal{stderr: &out})
	change := func(name string, from, to cloudwatch.State) {
		note(cloudwatch.Change{Alarm: cloudwatch.Alarm{Name: name, Description: "Do something."}, From: from, To: to, Reason: "it is so"})
	}
	change("new", cloudwatch.InsufficientData, cloudwatch.Alarming)
	change("other", cloudwatch.InsufficientData, cloudwatch.OK)
	change("new", cloudwatch.Alarming, cloudwatch.OK)
	change("other", cloudwatch.OK, cloudwatch.Alarming)
	change("other", cloudwatch.Alarming, cloudwatch.OK)
	if want := "ALARM other: it is so\n  Do something.\nalarm other is over\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
