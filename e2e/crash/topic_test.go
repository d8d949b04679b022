package crash

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/local/stack"
)

// listener is a queue that hears all that the topic is told.
type listener struct {
	queue string // URL

	mu    sync.Mutex
	heard map[string]map[string][]string // messages by job and state
}

func listen(ctx context.Context, topic string) (*listener, error) {
	const name = "heard"
	arn := "arn:aws:sqs:" + stack.Region + ":" + stack.Account + ":" + name
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}})
	if err != nil {
		return nil, err
	}
	made, err := site.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: map[string]string{"Policy": string(policy)}})
	if err != nil {
		return nil, err
	}
	_, err = sns.NewFromConfig(site.aws).Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn})
	return &listener{queue: *made.QueueUrl, heard: map[string]map[string][]string{}}, err
}

// hear takes what the queue has.
func (l *listener) hear(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, body := range received(t, l.queue) {
		var envelope struct{ Message string }
		var message struct{ State, JobID string }
		err := json.Unmarshal([]byte(body), &envelope)
		if err == nil {
			err = json.Unmarshal([]byte(envelope.Message), &message)
		}
		if err != nil {
			t.Fatalf("a topic was told %q: %v", body, err)
		}
		if l.heard[message.JobID] == nil {
			l.heard[message.JobID] = map[string][]string{}
		}
		l.heard[message.JobID][message.State] = append(l.heard[message.JobID][message.State], envelope.Message)
	}
}

// of are the messages about a job, by its states.
func (l *listener) of(job string) map[string][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard[job]
}

// received empties a queue.
func received(t *testing.T, url string) []string {
	t.Helper()
	var all []string
	for {
		out, err := site.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			all = append(all, aws.ToString(m.Body))
			if _, err := site.queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		if len(out.Messages) == 0 {
			return all
		}
	}
}
