package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/local/stack"
)

// ear is a queue that hears what the stack's topic tells of jobs.
type ear struct {
	client *sqs.Client
	url    string
}

func listen(ctx context.Context, cfg aws.Config) (*ear, error) {
	const name = "soak"
	topic := fmt.Sprintf("arn:aws:sns:%s:%s:sealreel-jobs", stack.Region, stack.Account)
	arn := fmt.Sprintf("arn:aws:sqs:%s:%s:%s", stack.Region, stack.Account, name)
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
		"Condition": map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": topic}}}})
	if err != nil {
		return nil, err
	}
	e := &ear{client: sqs.NewFromConfig(cfg)}
	made, err := e.client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: map[string]string{"Policy": string(policy)}})
	if err != nil {
		return nil, err
	}
	e.url = *made.QueueUrl
	_, err = sns.NewFromConfig(cfg).Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn})
	return e, err
}

// heard are how often each state of each job was told.
func (e *ear) heard(ctx context.Context) (map[string]map[string]int, error) {
	all, seen := map[string]map[string]int{}, map[string]bool{}
	for {
		out, err := e.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &e.url, MaxNumberOfMessages: 10, VisibilityTimeout: 3600})
		if err != nil || len(out.Messages) == 0 {
			return all, err
		}
		for _, m := range out.Messages {
			var envelope struct{ MessageID, Message string }
			var content struct{ State, JobID string }
			if err := json.Unmarshal([]byte(*m.Body), &envelope); err != nil {
				return nil, fmt.Errorf("a message of the topic: %w", err)
			}
			if err := json.Unmarshal([]byte(envelope.Message), &content); err != nil {
				return nil, fmt.Errorf("what the topic tells: %w", err)
			}
			if seen[envelope.MessageID] { // SQS delivered it twice, by the plan
				continue
			}
			seen[envelope.MessageID] = true
			if all[content.JobID] == nil {
				all[content.JobID] = map[string]int{}
			}
			all[content.JobID][content.State]++
		}
	}
}
