package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awscw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// open is a Server with alarms of each kind and some data, at a URL.
func open(t *testing.T, h *heard) (*Server, string) {
	t.Helper()
	s := newServer(t, h, nil, queueAlarm("deep", 2), Alarm{Name: "rate", Comparison: "GreaterThanThreshold", Threshold: 20.5, Periods: 1, Datapoints: 1,
		TreatMissing: "breaching", Actions: []string{"on"}, Queries: []Query{{ID: "e", Expression: "100 * m", Returns: true}, {ID: "m", Metric: rounds, Stat: "p90", Period: time.Minute}}},
		Alarm{Name: "any", Rule: "ALARM(rate)"})
	s.config.Known = func(id string) bool { return id == "known" }
	s.http = s.handler()
	s.Put(Datum{Metric: depth, Unit: "Count", Time: time.Now(), Values: []float64{2, 3.5}}, Datum{Metric: rounds, Unit: "Count", Time: time.Now(), Values: []float64{1}})
	s.Advance(5 * time.Minute)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func client(url, id string) *awscw.Client {
	return awscw.New(awscw.Options{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider(id, "secret", ""), RetryMaxAttempts: 1})
}

// TestAPI is what AWS's client, which speaks CBOR, gets.
func TestAPI(t *testing.T) {
	h := &heard{}
	_, url := open(t, h)
	c := client(url, "known")
	out, err := c.DescribeAlarms(t.Context(), &awscw.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{"MetricAlarm", "CompositeAlarm"}})
	if err != nil || len(out.MetricAlarms) != 2 || len(out.CompositeAlarms) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	deep, rate, any := out.MetricAlarms[0], out.MetricAlarms[1], out.CompositeAlarms[0]
	if *deep.AlarmName != "deep" || deep.Statistic != "Maximum" || *deep.Period != 60 || *deep.Dimensions[0].Value != "q" || deep.StateValue != "OK" ||
		*deep.Threshold != 0 || *deep.EvaluationPeriods != 2 || deep.AlarmActions[0] != "on" || time.Since(*deep.StateUpdatedTimestamp).Abs() > 10*time.Minute {
		t.Errorf("%+v", deep)
	}
	if rate.StateValue != "ALARM" || *rate.Threshold != 20.5 || *rate.Metrics[0].Expression != "100 * m" || *rate.Metrics[1].MetricStat.Stat != "p90" {
		t.Errorf("%+v", rate)
	}
	if any.StateValue != "ALARM" || *any.AlarmRule != "ALARM(rate)" || !strings.Contains(*any.StateReason, "rate") {
		t.Errorf("%+v", any)
	}
	for _, in := range []awscw.DescribeAlarmsInput{{AlarmNamePrefix: aws.String("de")}, {AlarmNames: []string{"deep"}}, {StateValue: "OK"}} {
		if out, err := c.DescribeAlarms(t.Context(), &in); err != nil || len(out.MetricAlarms) != 1 || len(out.CompositeAlarms) != 0 {
			t.Errorf("%+v: %+v, %v", in, out, err)
		}
	}
	list, err := c.ListMetrics(t.Context(), &awscw.ListMetricsInput{Namespace: aws.String("AWS/SQS"), Dimensions: []types.DimensionFilter{{Name: aws.String("QueueName")}}})
	if err != nil || len(list.Metrics) != 1 || *list.Metrics[0].MetricName != depth.Name {
		t.Errorf("%+v, %v", list, err)
	}
	got, err := c.GetMetricData(t.Context(), &awscw.GetMetricDataInput{StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Hour)),
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: &types.MetricStat{Period: aws.Int32(60), Stat: aws.String("Sum"), Metric: &types.Metric{
			Namespace: &depth.Namespace, MetricName: &depth.Name, Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: aws.String("q")}}}}}}})
	if err != nil || fmt.Sprint(got.MetricDataResults[0].Values) != "[5.5]" || time.Since(got.MetricDataResults[0].Timestamps[0]) > 2*time.Minute {
		t.Errorf("%+v, %v", got, err)
	}
	h.told = nil
	if _, err := c.SetAlarmState(t.Context(), &awscw.SetAlarmStateInput{AlarmName: aws.String("deep"), StateValue: "ALARM", StateReason: aws.String("a test")}); err != nil {
		t.Error(err)
	}
	if fmt.Sprint(h.told) != "[on deep OK->ALARM]" {
		t.Errorf("told %q", h.told)
	}
}

func TestAPIRefusals(t *testing.T) {
	_, url := open(t, &heard{})
	c := client(url, "known")
	for code, call := range map[string]func() error{
		"ResourceNotFound": func() error {
			_, err := c.SetAlarmState(t.Context(), &awscw.SetAlarmStateInput{AlarmName: aws.String("gone"), StateValue: "OK", StateReason: aws.String("r")})
			return err
		},
		"InvalidParameterValue": func() error {
			_, err := c.SetAlarmState(t.Context(), &awscw.SetAlarmStateInput{AlarmName: aws.String("deep"), StateValue: "odd", StateReason: aws.String("r")})
			return err
		},
		"UnrecognizedClientException": func() error {
			_, err := client(url, "other").ListMetrics(t.Context(), nil)
			return err
		},
		"UnknownOperationException": func() error {
			_, err := c.DeleteAlarms(t.Context(), &awscw.DeleteAlarmsInput{AlarmNames: []string{"deep"}})
			return err
		},
	} {
		var e smithy.APIError
		if err := call(); !errors.As(err, &e) || !strings.HasPrefix(e.ErrorCode(), code) && !(code == "UnrecognizedClientException" && e.ErrorCode() == "InvalidClientTokenId") && !(code == "UnknownOperationException" && e.ErrorCode() == "InvalidAction") {
			t.Errorf("want %s: %v", code, err)
		}
	}
	r, err := http.NewRequest("POST", url+"/service/Other/operation/X", strings.NewReader("\xff"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	if resp, err := http.DefaultClient.Do(r); err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("nonsense: %v, %v", resp, err)
	}
}

// TestCommandLine is what AWS's command gets, where it is installed.
func TestCommandLine(t *testing.T) {
	if err := exec.Command("aws", "--version").Run(); err != nil {
		t.Skip("the aws command is not installed")
	}
	_, url := open(t, &heard{})
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "aws", "cloudwatch", "describe-alarms", "--state-value", "ALARM", "--alarm-types", "MetricAlarm", "CompositeAlarm", "--query", "[MetricAlarms[].AlarmName, CompositeAlarms[].AlarmName]", "--output", "text")
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL_CLOUDWATCH="+url, "AWS_ACCESS_KEY_ID=known", "AWS_SECRET_ACCESS_KEY=s", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Join(strings.Fields(string(out)), " ") != "rate any" {
		t.Errorf("%v: %s", err, out)
	}
}
