// Package sqsqueue puts tasks on the chunk queue and keeps the message of a
// running task from being given to another worker.
//
// Messages carry the job's id as their message group, so that SQS serves the
// jobs in turn and a long one does not hold up the others (fair queues).
package sqsqueue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sealreel/pkg/task"
)

// batchLimit is the most entries of one SendMessageBatch (SQS quota).
const batchLimit = 10

// Queue is one SQS queue.
type Queue struct {
	client *sqs.Client
	url    string
}

// New returns the queue with the URL.
func New(cfg aws.Config, url string) *Queue {
	return &Queue{client: sqs.NewFromConfig(cfg), url: url}
}

// Send puts the messages on the queue, in as few requests as may be. When it
// fails some may have been sent: sending them again is harmless.
func (q *Queue) Send(ctx context.Context, messages ...task.Message) error {
	for len(messages) > 0 {
		n := min(len(messages), batchLimit)
		if err := q.sendBatch(ctx, messages[:n]); err != nil {
			return fmt.Errorf("queueing tasks of job %s: %w", messages[0].Job, err)
		}
		messages = messages[n:]
	}
	return nil
}

func (q *Queue) sendBatch(ctx context.Context, messages []task.Message) error {
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = types.SendMessageBatchRequestEntry{
			Id:             aws.String(strconv.Itoa(i)),
			MessageBody:    aws.String(m.Body()),
			MessageGroupId: aws.String(m.Job),
		}
	}
	out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return err
	}
	if len(out.Failed) > 0 {
		f := out.Failed[0]
		return fmt.Errorf("%d of %d messages were refused: %s: %s", len(out.Failed), len(messages), aws.ToString(f.Code), aws.ToString(f.Message))
	}
	return nil
}

// Postpone queues a message anew, whatever it says, to be delivered after d, of
// at most 15 minutes (SendMessage, DelaySeconds). group is its message group, ""
// for none.
func (q *Queue) Postpone(ctx context.Context, body, group string, d time.Duration) error {
	in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body, DelaySeconds: int32(d / time.Second)}
	if group != "" {
		in.MessageGroupId = &group
	}
	if _, err := q.client.SendMessage(ctx, in); err != nil {
		return fmt.Errorf("postponing a message: %w", err)
	}
	return nil
}

// Hide keeps a received message hidden from other workers for d from now; 0
// gives it back at once.
func (q *Queue) Hide(ctx context.Context, receiptHandle string, d time.Duration) error {
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.url, ReceiptHandle: &receiptHandle, VisibilityTimeout: int32(d / time.Second)})
	if err != nil {
		return fmt.Errorf("changing a message's visibility: %w", err)
	}
	return nil
}
