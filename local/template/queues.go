package template

import (
	"encoding/json"
	"strconv"
	"time"
)

// Queue is an AWS::SQS::Queue. Without a redrive policy DeadLetterARN is
// empty and MaxReceiveCount 0.
type Queue struct {
	ID              string
	Name            string
	ARN             string
	URL             string
	Visibility      time.Duration
	Retention       time.Duration
	Delay           time.Duration
	ReceiveWait     time.Duration
	MaxMessageBytes int
	DeadLetterARN   string
	MaxReceiveCount int
	Policy          *Policy // nil without one

	place *Value
}

func (r *resolver) readQueue(d *reader, id, name string, v *Value) Queue {
	d.only(v, "QueueName", "VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy", "RedriveAllowPolicy",
		"ReceiveMessageWaitTimeSeconds", "DelaySeconds", "MaximumMessageSize", "SqsManagedSseEnabled",
		"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "Tags")
	seconds := func(name string, otherwise, low, high int) time.Duration {
		return time.Duration(d.integer(v.Get(name), otherwise, low, high)) * time.Second
	}
	q := Queue{
		ID: id, Name: name, place: v,
		ARN:             r.attributeOf("AWS::SQS::Queue", name, "Arn"),
		URL:             r.options.QueueURL(name),
		Visibility:      seconds("VisibilityTimeout", 30, 0, 43200),
		Retention:       seconds("MessageRetentionPeriod", 345600, 60, 1209600),
		Delay:           seconds("DelaySeconds", 0, 0, 900),
		ReceiveWait:     seconds("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
		MaxMessageBytes: d.integer(v.Get("MaximumMessageSize"), 1<<20, 1024, 1<<20),
	}
	if redrive := v.Get("RedrivePolicy"); redrive != nil {
		d.only(redrive, "deadLetterTargetArn", "maxReceiveCount")
		q.DeadLetterARN = d.text(redrive.Get("deadLetterTargetArn"), "")
		q.MaxReceiveCount = d.integer(redrive.Get("maxReceiveCount"), 10, 1, 1000)
	}
	return q
}

// Attributes returns the queue's settings under the names of the SQS API
// (CreateQueue). The redrive policy needs its target to exist first.
func (q Queue) Attributes() map[string]string {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	attributes := map[string]string{
		"VisibilityTimeout":             seconds(q.Visibility),
		"MessageRetentionPeriod":        seconds(q.Retention),
		"DelaySeconds":                  seconds(q.Delay),
		"ReceiveMessageWaitTimeSeconds": seconds(q.ReceiveWait),
		"MaximumMessageSize":            strconv.Itoa(q.MaxMessageBytes),
	}
	if q.DeadLetterARN != "" {
		policy, err := json.Marshal(map[string]any{"deadLetterTargetArn": q.DeadLetterARN, "maxReceiveCount": q.MaxReceiveCount})
		if err != nil {
			panic("template: a redrive policy that is no JSON: " + err.Error())
		}
		attributes["RedrivePolicy"] = string(policy)
	}
	if q.Policy != nil {
		attributes["Policy"] = string(q.Policy.Document)
	}
	return attributes
}
