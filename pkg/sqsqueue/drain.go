package sqsqueue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// kept is how long a message that Drain has read and not removed stays hidden:
// as long as a round of reconcile may take, so that it doesn't meet a message twice
// and gets to those behind.
const kept = 4 * time.Minute

// Drain gives at most limit messages of the queue to handle, with the time at
// which each was first sent, and removes those for which it returns nil. The
// others come again after four minutes. It returns when the queue gives no more,
// and with the first error of the queue itself or of the context.
func (q *Queue) Drain(ctx context.Context, limit int, handle func(body string, sent time.Time) error) error {
	for seen := 0; seen < limit; {
		out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: batchLimit, VisibilityTimeout: int32(kept / time.Second),
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp}})
		if err != nil {
			return fmt.Errorf("reading dead letters: %w", err)
		}
		if len(out.Messages) == 0 {
			return nil
		}
		for _, m := range out.Messages {
			seen++
			if err := handle(aws.ToString(m.Body), sentAt(m)); err != nil {
				continue
			}
			if _, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				return fmt.Errorf("removing a dead letter: %w", err)
			}
		}
	}
	return nil
}

// sentAt is when a message was sent, the zero time where the queue does not say.
func sentAt(m types.Message) time.Time {
	millis, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(millis)
}

// Backlog is about how many messages wait for a worker, or for their time.
func (q *Queue) Backlog(ctx context.Context) (int, error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesDelayed}
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("asking how long the queue is: %w", err)
	}
	sum := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("asking how long the queue is: %s is %q", name, out.Attributes[string(name)])
		}
		sum += n
	}
	return sum, nil
}
