package sqsqueue

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Drain gives at most limit messages of the queue to handle and removes those
// for which it returns nil. It returns when the queue gives no more, and with
// the first error of the queue itself.
func (q *Queue) Drain(ctx context.Context, limit int, handle func(body string) error) error {
	for seen := 0; seen < limit; {
		out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: batchLimit})
		if err != nil {
			return fmt.Errorf("reading dead letters: %w", err)
		}
		if len(out.Messages) == 0 {
			return nil
		}
		for _, m := range out.Messages {
			seen++
			if err := handle(aws.ToString(m.Body)); err != nil {
				continue // it becomes visible again, for the next round
			}
			if _, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				return fmt.Errorf("removing a dead letter: %w", err)
			}
		}
	}
	return nil
}
