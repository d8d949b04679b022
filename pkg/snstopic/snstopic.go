// Package snstopic is Amazon SNS as what takes messages about jobs.
//
// It guarantees that a message goes to the region that its topic's ARN names,
// over TLS or to this machine, and that it never logs what it sends.
package snstopic

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"sealreel/pkg/pipeline"
	"sealreel/pkg/tlsonly"
)

// Topics are all that the caller may publish to. They are safe for concurrent
// use.
type Topics struct{ client *sns.Client }

// New returns the topics of the configuration's caller.
func New(cfg aws.Config) *Topics {
	return &Topics{sns.NewFromConfig(cfg, func(o *sns.Options) {
		o.ClientLogMode = 0
		o.APIOptions = append(o.APIOptions, tlsonly.Add)
	})}
}

// As returns the topics of another caller.
func (t *Topics) As(credentials aws.CredentialsProvider) *Topics {
	return &Topics{sns.New(t.client.Options(), func(o *sns.Options) { o.Credentials = credentials })}
}

// Publish gives a topic, by its ARN, a message and returns its id.
func (t *Topics) Publish(ctx context.Context, topic, subject, message string) (string, error) {
	out, err := t.client.Publish(ctx, &sns.PublishInput{TopicArn: &topic, Subject: &subject, Message: &message}, func(o *sns.Options) {
		if region := pipeline.ARNRegion(topic); region != "" {
			o.Region = region
		}
	})
	if err != nil {
		return "", fmt.Errorf("publishing to %s%s: %w", topic, remedy(err), err)
	}
	return aws.ToString(out.MessageId), nil
}

// remedy says what to do about SNS's errors that don't pass by themselves (SNS
// API reference, Publish).
func remedy(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	switch api.ErrorCode() {
	case "AuthorizationError", "AuthorizationErrorException":
		return " (allow sns:Publish on it to the pipeline's role; only the stack's own topic needs none)"
	case "NotFound", "NotFoundException":
		return " (make the topic, or take it out of the pipeline's Notifications)"
	case "InvalidParameter", "InvalidParameterException":
		return " (it must be a standard topic; one of first-in-first-out takes no such messages)"
	}
	return ""
}
