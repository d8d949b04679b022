package sqs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"sealreel/local/iam"
)

// maxMessage is the most bytes of one message, and of all messages of a
// batch together: body and attributes (SQS quotas, since August 2025).
const maxMessage = 1 << 20

// number is a queue attribute that holds a whole number.
type number struct{ min, max, normal int }

// numbers are those attributes, their bounds and defaults (API:
// CreateQueue), in seconds but for MaximumMessageSize, which is in bytes.
var numbers = map[string]number{
	"DelaySeconds":                  {0, 900, 0},
	"MaximumMessageSize":            {1024, maxMessage, maxMessage},
	"MessageRetentionPeriod":        {60, 1209600, 345600},
	"ReceiveMessageWaitTimeSeconds": {0, 20, 0},
	"VisibilityTimeout":             {0, maxVisibility, 30},
	"KmsDataKeyReusePeriodSeconds":  {60, 86400, 300},
}

// texts are the other attributes that can be set; absent until they are.
var texts = []string{"KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled"}

// computed are the attributes that a queue shows but nobody sets.
var computed = []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed",
	"ApproximateNumberOfMessagesNotVisible", "CreatedTimestamp", "LastModifiedTimestamp", "QueueArn"}

// settings are what a queue's attributes mean.
type settings struct {
	delay, retention, wait, visibility time.Duration
	maxSize                            int // bytes
	redrive                            *redrive
	policy                             *iam.Policy // who else may use the queue; nil without one
}

// redrive is a RedrivePolicy: a message that was received maxReceives times
// moves to the queue of an ARN instead of being received once more.
type redrive struct {
	target      string // ARN
	maxReceives int
}

// parseSettings checks attributes and says what they mean. An attribute
// that is not there has its default.
func parseSettings(attributes map[string]string) (settings, error) {
	n := make(map[string]int, len(numbers))
	for name, bounds := range numbers {
		n[name] = bounds.normal
	}
	var set settings
	for name, value := range attributes {
		bounds, isNumber := numbers[name]
		switch {
		case isNumber:
			v, err := strconv.Atoi(value)
			if err != nil || v < bounds.min || v > bounds.max {
				return settings{}, badAttribute(name, fmt.Sprintf("Must be an integer between %d and %d", bounds.min, bounds.max))
			}
			n[name] = v
		case !slices.Contains(texts, name):
			return settings{}, unknownAttribute(name)
		default:
			if err := set.parseText(name, value); err != nil {
				return settings{}, err
			}
		}
	}
	seconds := func(name string) time.Duration { return time.Duration(n[name]) * time.Second }
	set.delay = seconds("DelaySeconds")
	set.retention = seconds("MessageRetentionPeriod")
	set.wait = seconds("ReceiveMessageWaitTimeSeconds")
	set.visibility = seconds("VisibilityTimeout")
	set.maxSize = n["MaximumMessageSize"]
	return set, nil
}

func (set *settings) parseText(name, value string) error {
	switch name {
	case "RedrivePolicy":
		policy, err := parseRedrive(value)
		set.redrive = policy
		return err
	case "Policy":
		if value == "" {
			return nil
		}
		document, err := iam.ParseResource([]byte(value))
		if err != nil {
			return badAttribute(name, err.Error())
		}
		set.policy = &iam.Policy{Name: "queue policy", Document: document}
	case "RedriveAllowPolicy":
		var document map[string]any
		if json.Unmarshal([]byte(value), &document) != nil {
			return badAttribute(name, "Must be a JSON object")
		}
	case "SqsManagedSseEnabled":
		if value != "true" && value != "false" {
			return badAttribute(name, "Must be true or false")
		}
	}
	return nil
}

// parseRedrive reads a RedrivePolicy, in which the count may be a number or
// a text.
func parseRedrive(value string) (*redrive, error) {
	var policy struct {
		Target string `json:"deadLetterTargetArn"`
		Max    any    `json:"maxReceiveCount"`
	}
	if json.Unmarshal([]byte(value), &policy) != nil {
		return nil, badRedrive(value, "Redrive policy is not a valid JSON map")
	}
	if policy.Target == "" {
		return nil, badRedrive(value, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn")
	}
	if policy.Max == nil {
		return nil, badRedrive(value, "Redrive policy does not contain mandatory attribute: maxReceiveCount")
	}
	count, err := strconv.Atoi(fmt.Sprint(policy.Max))
	if err != nil || count < 1 || count > 1000 {
		return nil, badRedrive(value, "Invalid value for maxReceiveCount: must be between 1 and 1000")
	}
	return &redrive{target: policy.Target, maxReceives: count}, nil
}

// policy is the RedrivePolicy in one way of writing it, so that two that
// mean the same are the same.
func (r *redrive) policy() string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, r.target, r.maxReceives)
}

// normalise writes the RedrivePolicy of attributes in that way.
func (set settings) normalise(attributes map[string]string) {
	if set.redrive != nil {
		attributes["RedrivePolicy"] = set.redrive.policy()
	}
}

func badRedrive(value, reason string) error {
	return invalid("Value %s for parameter RedrivePolicy is invalid. Reason: %s.", value, reason)
}

// merge returns attributes with changes made; an empty text clears one.
func merge(attributes, changes map[string]string) map[string]string {
	merged := maps.Clone(attributes)
	if merged == nil {
		merged = make(map[string]string)
	}
	for name, value := range changes {
		if value == "" && slices.Contains(texts, name) {
			delete(merged, name)
		} else {
			merged[name] = value
		}
	}
	return merged
}

// shown returns every attribute of a queue at the time now, as text.
func (q *queue) shown(now time.Time) map[string]string {
	q.surface(now)
	all := map[string]string{"SqsManagedSseEnabled": "true"}
	for name, bounds := range numbers {
		if name != "KmsDataKeyReusePeriodSeconds" { // shown only with a KMS key
			all[name] = strconv.Itoa(bounds.normal)
		}
	}
	maps.Copy(all, q.attributes)
	all["ApproximateNumberOfMessages"] = strconv.Itoa(len(q.messages) - len(q.hidden))
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(len(q.hidden) - q.inFlight)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(q.inFlight)
	all["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
	all["QueueArn"] = q.arn
	return all
}

// choose keeps the asked attributes of all; "All" keeps every one.
func choose(all map[string]string, asked []string) (map[string]string, error) {
	if slices.Contains(asked, "All") {
		return all, nil
	}
	chosen := make(map[string]string, len(asked))
	for _, name := range asked {
		_, isNumber := numbers[name]
		if !isNumber && !slices.Contains(texts, name) && !slices.Contains(computed, name) {
			return nil, unknownAttribute(name)
		}
		if value, ok := all[name]; ok {
			chosen[name] = value
		}
	}
	return chosen, nil
}
