package kmskeys

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const (
	// maxAttempts is how often a request is made before its failure counts.
	maxAttempts = 5
	// maxBackoff bounds a pause between two attempts.
	maxBackoff = 20 * time.Second
)

// patience has a request that KMS throttles or fails at (ThrottlingException,
// KMSInternalException, any 5xx) made again after a random part of a pause that
// doubles, so that many functions which are throttled together don't return
// together. It is stated here so that no configuration of the environment
// changes it.
func patience() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
		o.Backoff = retry.NewExponentialJitterBackoff(maxBackoff)
	})
}
