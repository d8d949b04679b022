package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"sealreel/cmd/sealreel/internal/site"
)

var alarmsCommand = command{
	name: "alarms", args: "[--all] [--stack NAME]",
	summary: "list the alarms that are on, and what to do",
	text: `
Lists the alarms of the stack that are on, each with since when, why, and what to do;
docs/operations.md says more. Nothing on standard output says that none is.

  --all          every alarm with its state
  --stack NAME   name of the stack; default: that of the state bucket`,
	run: alarms,
}

// shownAlarm is what both kinds of alarms have.
type shownAlarm struct {
	name, description, reason string
	state                     types.StateValue
	since                     time.Time
}

func alarms(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	all := f.Bool("all", false, "")
	stackName := f.String("stack", "", "")
	if _, err := f.parse(args); err != nil {
		return err
	}
	if *stackName == "" {
		bucket := t.getenv(site.StateBucket)
		name, _, ok := strings.Cut(bucket, "-state-")
		if !ok {
			return usagef("%s is %q, which doesn't tell the stack's name: name it with --stack", site.StateBucket, bucket)
		}
		*stackName = name
	}
	list, err := describedAlarms(ctx, *stackName)
	if err != nil {
		return fmt.Errorf("reading the alarms of %s: %w", *stackName, err)
	}
	if len(list) == 0 {
		return fmt.Errorf("stack %s has no alarms: it was made with Alarms=no, or has another name (--stack)", *stackName)
	}
	return showAlarms(t, list, *all)
}

// describedAlarms are all alarms of a stack.
func describedAlarms(ctx context.Context, stackName string) ([]shownAlarm, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	var list []shownAlarm
	pages := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(cfg), &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(stackName + "-"), AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.CompositeAlarms {
			list = append(list, shownAlarm{aws.ToString(a.AlarmName), aws.ToString(a.AlarmDescription), aws.ToString(a.StateReason), a.StateValue, aws.ToTime(a.StateUpdatedTimestamp)})
		}
		for _, a := range page.MetricAlarms {
			list = append(list, shownAlarm{aws.ToString(a.AlarmName), aws.ToString(a.AlarmDescription), aws.ToString(a.StateReason), a.StateValue, aws.ToTime(a.StateUpdatedTimestamp)})
		}
	}
	return list, nil
}

func showAlarms(t *terminal, list []shownAlarm, all bool) error {
	var b strings.Builder
	on := 0
	for _, a := range list {
		if a.state == types.StateValueAlarm {
			on++
		}
		if a.state != types.StateValueAlarm && !all {
			continue
		}
		fmt.Fprintf(&b, "%-17s %s since %s\n", a.state, a.name, a.since.Local().Format(time.DateTime))
		if a.state == types.StateValueAlarm {
			fmt.Fprintf(&b, "  %s\n  %s\n", a.reason, a.description)
		}
	}
	if on == 0 {
		t.note("none of %d alarms is on", len(list))
	}
	_, err := io.WriteString(t.stdout, b.String())
	return err
}
