package sqs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func contractBadSends(t *testing.T, c *client) {
	url := c.queue(t, "q", nil)
	for _, test := range []struct {
		name, code string
		in         sqs.SendMessageInput
	}{
		{"empty body", "MissingParameter", sqs.SendMessageInput{MessageBody: aws.String("")}},
		{"control character", "InvalidMessageContents", sqs.SendMessageInput{MessageBody: aws.String("a\x00b")}},
		{"noncharacter", "InvalidMessageContents", sqs.SendMessageInput{MessageBody: aws.String("a\uffffb")}},
		{"delay", "InvalidParameterValue", sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: 901}},
		{"negative delay", "InvalidParameterValue", sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: -1}},
		{"attribute name", "InvalidParameterValue", sqs.SendMessageInput{MessageBody: aws.String("x"),
			MessageAttributes: map[string]types.MessageAttributeValue{"a..b": text("v")}}},
		{"reserved attribute name", "InvalidParameterValue", sqs.SendMessageInput{MessageBody: aws.String("x"),
			MessageAttributes: map[string]types.MessageAttributeValue{"AWS.x": text("v")}}},
		{"attribute type", "InvalidParameterValue", sqs.SendMessageInput{MessageBody: aws.String("x"),
			MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("Text"), StringValue: aws.String("v")}}}},
		{"attribute without value", "InvalidParameterValue", sqs.SendMessageInput{MessageBody: aws.String("x"),
			MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String")}}}},
		{"binary without value", "InvalidParameterValue", sqs.SendMessageInput{MessageBody: aws.String("x"),
			MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("Binary"), StringValue: aws.String("v")}}}},
	} {
		test.in.QueueUrl = url
		_, err := c.SendMessage(t.Context(), &test.in)
		t.Log(test.name)
		wantCode(t, err, test.code)
	}
	attributes := make(map[string]types.MessageAttributeValue)
	for i := range 11 {
		attributes[fmt.Sprint(i)] = text("v")
	}
	_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x"), MessageAttributes: attributes})
	wantCode(t, err, "InvalidParameterValue")
	c.none(t, url)
}

func contractSizes(t *testing.T, c *client) {
	url := c.queue(t, "q", nil)
	attributes := map[string]types.MessageAttributeValue{"name": text("value")} // 4 + 6 + 5 bytes
	for _, test := range []struct {
		bytes      int
		attributes map[string]types.MessageAttributeValue
		ok         bool
	}{
		{maxMessage, nil, true}, {maxMessage + 1, nil, false},
		{maxMessage - 15, attributes, true}, {maxMessage - 14, attributes, false},
	} {
		_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(strings.Repeat("x", test.bytes)), MessageAttributes: test.attributes})
		if !test.ok {
			wantCode(t, err, "InvalidParameterValue")
		} else if err != nil {
			t.Fatal(err)
		}
	}
	half := aws.String(strings.Repeat("\"", maxMessage/2)) // two bytes each in JSON
	entries := []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: half}, {Id: aws.String("b"), MessageBody: half}}
	out, err := c.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
	if err != nil || len(out.Successful) != 2 {
		t.Fatalf("a batch of the maximum: %v, %v", out, err)
	}
	entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String("c"), MessageBody: aws.String("x")})
	_, err = c.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
	wantCode(t, err, "AWS.SimpleQueueService.BatchRequestTooLong")
}

func contractBadReceives(t *testing.T, c *client) {
	url := c.queue(t, "q", nil)
	for _, in := range []sqs.ReceiveMessageInput{
		{MaxNumberOfMessages: 11}, {MaxNumberOfMessages: -1}, {WaitTimeSeconds: 21},
	} {
		in.QueueUrl = url
		_, err := c.ReceiveMessage(t.Context(), &in)
		wantCode(t, err, "InvalidParameterValue")
	}
}

func contractBatch(t *testing.T, c *client) {
	url := c.queue(t, "q", nil)
	var entries []types.SendMessageBatchRequestEntry
	var want []string
	for i := range 10 {
		body := fmt.Sprintf("body %d", i)
		want = append(want, body)
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprintf("id_%d-x", i)), MessageBody: &body})
	}
	sent, err := c.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
	if err != nil || len(sent.Successful) != 10 || len(sent.Failed) != 0 {
		t.Fatalf("sent %v, %v", sent, err)
	}
	got := c.receive(t, url, 10, 60, 0)
	if !slices.Equal(bodies(got), want) {
		t.Fatalf("received %v, want %v", bodies(got), want)
	}
	var show []types.ChangeMessageVisibilityBatchRequestEntry
	var remove []types.DeleteMessageBatchRequestEntry
	for i, m := range got {
		id := aws.String(fmt.Sprint(i))
		show = append(show, types.ChangeMessageVisibilityBatchRequestEntry{Id: id, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 90})
		remove = append(remove, types.DeleteMessageBatchRequestEntry{Id: id, ReceiptHandle: m.ReceiptHandle})
	}
	changed, err := c.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url, Entries: show})
	if err != nil || len(changed.Successful) != 10 || len(changed.Failed) != 0 {
		t.Fatalf("changed %v, %v", changed, err)
	}
	removed, err := c.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: remove})
	if err != nil || len(removed.Successful) != 10 || len(removed.Failed) != 0 {
		t.Fatalf("removed %v, %v", removed, err)
	}
	if a := c.attributes(t, url); a["ApproximateNumberOfMessagesNotVisible"] != "0" {
		t.Errorf("counts %v", a)
	}
}

func contractBadBatches(t *testing.T, c *client) {
	url := c.queue(t, "q", nil)
	entry := func(id string) types.SendMessageBatchRequestEntry {
		return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("x")}
	}
	var eleven []types.SendMessageBatchRequestEntry
	for i := range 11 {
		eleven = append(eleven, entry(fmt.Sprint(i)))
	}
	const prefix = "AWS.SimpleQueueService."
	for _, test := range []struct {
		code    string
		entries []types.SendMessageBatchRequestEntry
	}{
		{prefix + "EmptyBatchRequest", []types.SendMessageBatchRequestEntry{}},
		{prefix + "TooManyEntriesInBatchRequest", eleven},
		{prefix + "BatchEntryIdsNotDistinct", []types.SendMessageBatchRequestEntry{entry("a"), entry("b"), entry("a")}},
		{prefix + "InvalidBatchEntryId", []types.SendMessageBatchRequestEntry{entry("a b")}},
		{prefix + "InvalidBatchEntryId", []types.SendMessageBatchRequestEntry{entry(strings.Repeat("x", 81))}},
	} {
		_, err := c.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: test.entries})
		if c.moto && err != nil { // which leaves the prefix away for some
			test.code = strings.TrimPrefix(test.code, prefix)
			if !strings.Contains(err.Error(), test.code) {
				t.Errorf("error %v, want code %s", err, test.code)
			}
			continue
		}
		wantCode(t, err, test.code)
	}
	c.none(t, url)
}

func contractBadEntries(t *testing.T, c *client) {
	url := c.queue(t, "q", map[string]string{"MaximumMessageSize": "1024"})
	sent, err := c.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("large"), MessageBody: aws.String(strings.Repeat("x", 1025))},
		{Id: aws.String("good"), MessageBody: aws.String("x")},
		{Id: aws.String("late"), MessageBody: aws.String("x"), DelaySeconds: 901},
		{Id: aws.String("odd"), MessageBody: aws.String("\x01")},
	}})
	if err != nil || len(sent.Successful) != 1 || *sent.Successful[0].Id != "good" {
		t.Fatalf("sent %v, %v; want only good", sent, err)
	}
	want := map[string]string{"large": "InvalidParameterValue", "late": "InvalidParameterValue", "odd": "InvalidMessageContents"}
	if len(sent.Failed) != len(want) {
		t.Errorf("%d entries failed, want %d", len(sent.Failed), len(want))
	}
	for _, f := range sent.Failed {
		if *f.Code != want[*f.Id] || !f.SenderFault {
			t.Errorf("entry %s: code %s, sender's fault %v; want %s, true", *f.Id, *f.Code, f.SenderFault, want[*f.Id])
		}
	}
	m := c.one(t, url, 30, 0)
	handles := []types.DeleteMessageBatchRequestEntry{{Id: aws.String("bad"), ReceiptHandle: aws.String("bad")}, {Id: aws.String("good"), ReceiptHandle: m.ReceiptHandle}}
	removed, err := c.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: handles})
	if err != nil || len(removed.Successful) != 1 || len(removed.Failed) != 1 || *removed.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("removed %v, %v", removed, err)
	}
}

func contractVisibility(t *testing.T, c *client) {
	url := c.queue(t, "q", map[string]string{"VisibilityTimeout": "1"})
	c.send(t, url, "x")
	first := c.one(t, url, 0, 0) // 0 is not sent by the SDK: the queue's
	c.none(t, url)
	second := c.one(t, url, 60, 3)
	if second.Attributes["ApproximateReceiveCount"] != "2" || *second.MessageId != *first.MessageId {
		t.Errorf("second receive: %v", second.Attributes)
	}
	if *second.ReceiptHandle == *first.ReceiptHandle {
		t.Error("both receives have the same handle")
	}
	if err := c.hide(url, second.ReceiptHandle, 0); err != nil {
		t.Fatal(err)
	}
	third := c.one(t, url, 60, 3)
	if third.Attributes["ApproximateFirstReceiveTimestamp"] != first.Attributes["ApproximateFirstReceiveTimestamp"] {
		t.Error("the time of the first receive changed")
	}
	if err := c.hide(url, third.ReceiptHandle, 43200); err == nil {
		t.Error("more than 12 hours after the receive were allowed")
	} else {
		wantCode(t, err, "InvalidParameterValue")
	}
	err := c.hide(url, third.ReceiptHandle, 43201)
	wantCode(t, err, "InvalidParameterValue")
}

func contractStaleHandles(t *testing.T, c *client) {
	url := c.queue(t, "q", map[string]string{"VisibilityTimeout": "1"})
	c.send(t, url, "x")
	first := c.one(t, url, 0, 0)
	time.Sleep(1100 * time.Millisecond)
	if err := c.hide(url, first.ReceiptHandle, 60); err != nil {
		t.Errorf("after its time was over: %v", err)
	}
	second := c.one(t, url, 60, 0) // so the call above changed nothing
	err := c.hide(url, first.ReceiptHandle, 0)
	wantCode(t, err, "InvalidParameterValue")
	if err := c.delete(url, first.ReceiptHandle); err != nil {
		t.Errorf("delete by an outdated handle: %v", err)
	}
	if a := c.attributes(t, url); a["ApproximateNumberOfMessagesNotVisible"] != "1" {
		t.Errorf("the outdated handle had an effect: %v", a)
	}
	if err := c.delete(url, second.ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	err = c.hide(url, second.ReceiptHandle, 10)
	wantCode(t, err, "InvalidParameterValue")
	// A handle deletes after its time too, as long as nobody else received.
	c.send(t, url, "y")
	late := c.one(t, url, 1, 0)
	time.Sleep(1100 * time.Millisecond)
	if err := c.delete(url, late.ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	c.none(t, url)
}

func contractForeignHandles(t *testing.T, c *client) {
	url, other := c.queue(t, "q", nil), c.queue(t, "other", nil)
	c.send(t, other, "x")
	handle := *c.one(t, other, 30, 0).ReceiptHandle
	mangled := "B" + handle[1:]
	if mangled == handle {
		mangled = "C" + handle[1:]
	}
	for _, bad := range []string{handle, mangled, "nonsense", handle[:len(handle)-4]} {
		err := c.delete(url, &bad)
		wantCode(t, err, "ReceiptHandleIsInvalid")
		if typed := new(types.ReceiptHandleIsInvalid); !errors.As(err, &typed) {
			t.Errorf("error %T, want ReceiptHandleIsInvalid in it", err)
		}
		err = c.hide(url, &bad, 10)
		wantCode(t, err, "ReceiptHandleIsInvalid")
	}
}

func contractDelay(t *testing.T, c *client) {
	url := c.queue(t, "q", map[string]string{"DelaySeconds": "1"})
	c.send(t, url, "queue's")
	_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("own"), DelaySeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	c.none(t, url)
	if a := c.attributes(t, url); a["ApproximateNumberOfMessagesDelayed"] != "2" || a["ApproximateNumberOfMessages"] != "0" {
		t.Errorf("counts %v", a)
	}
	if m := c.one(t, url, 30, 3); *m.Body != "queue's" {
		t.Errorf("received %s", *m.Body)
	}
}

func contractLongPoll(t *testing.T, c *client) {
	url := c.queue(t, "q", map[string]string{"ReceiveMessageWaitTimeSeconds": "1"})
	start := time.Now()
	if got := c.receive(t, url, 10, 30, 0); len(got) != 0 || time.Since(start) < 900*time.Millisecond {
		t.Errorf("the queue's wait: %d messages after %v, want none after 1s", len(got), time.Since(start))
	}
	sent := make(chan error, 1)
	go func() {
		time.Sleep(200 * time.Millisecond)
		_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")})
		sent <- err
	}()
	start = time.Now()
	c.one(t, url, 30, 20)
	if waited := time.Since(start); waited < 150*time.Millisecond || waited > 5*time.Second {
		t.Errorf("the message came after %v, want about 200ms", waited)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

func contractRedrive(t *testing.T, c *client) {
	dead := c.queue(t, "dead", nil)
	policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"2"}`, c.attributes(t, dead)["QueueArn"])
	url := c.queue(t, "q", map[string]string{"RedrivePolicy": policy})
	if got := c.attributes(t, url)["RedrivePolicy"]; !strings.Contains(strings.ReplaceAll(got, " ", ""), `"maxReceiveCount":2`) {
		t.Errorf("policy %s", got)
	}
	c.send(t, url, "poison")
	var id string
	for i := range 2 {
		m := c.one(t, url, 60, 0)
		id = *m.MessageId
		if m.Attributes["ApproximateReceiveCount"] != fmt.Sprint(i+1) {
			t.Errorf("receive %d: %v", i+1, m.Attributes)
		}
		if err := c.hide(url, m.ReceiptHandle, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // moto shows it after, not at, the moment
	}
	c.none(t, url)
	m := c.one(t, dead, 60, 0)
	if *m.MessageId != id || *m.Body != "poison" {
		t.Errorf("dead letter %s %q, want %s poison", *m.MessageId, *m.Body, id)
	}
}

func contractBadRedrive(t *testing.T, c *client) {
	arn := c.attributes(t, c.queue(t, "dead", nil))["QueueArn"]
	for _, policy := range []string{
		"no json", "{}", `{"deadLetterTargetArn":"` + arn + `"}`, `{"maxReceiveCount":3}`,
		`{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":0}`, `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":1001}`,
		`{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":1.5}`, `{"deadLetterTargetArn":"` + arn + `-not","maxReceiveCount":3}`,
		`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":3}`,
	} {
		_, err := c.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"RedrivePolicy": policy}})
		t.Log(policy)
		wantCode(t, err, "InvalidParameterValue")
	}
	url := c.queue(t, "q", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":3}`})
	if _, err := c.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"RedrivePolicy": ""}}); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.attributes(t, url)["RedrivePolicy"]; ok {
		t.Errorf("after it was cleared the policy is %s", got)
	}
}

func contractPurge(t *testing.T, c *client) {
	url := c.queue(t, "q", nil)
	c.send(t, url, "a")
	c.send(t, url, "b")
	c.one(t, url, 30, 0)
	if _, err := c.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: url}); err != nil {
		t.Fatal(err)
	}
	a := c.attributes(t, url)
	if a["ApproximateNumberOfMessages"] != "0" || a["ApproximateNumberOfMessagesNotVisible"] != "0" {
		t.Errorf("counts %v", a)
	}
	c.none(t, url)
}

func contractPurgeTwice(t *testing.T, c *client) {
	url := c.queue(t, "q", nil)
	if _, err := c.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: url}); err != nil {
		t.Fatal(err)
	}
	_, err := c.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: url})
	wantCode(t, err, "AWS.SimpleQueueService.PurgeQueueInProgress")
}
