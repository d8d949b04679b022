// Package stsrole is AWS STS as what takes on a pipeline's role for one job.
//
// It guarantees that a session is narrowed by a policy to the job's objects and
// keys (package role), that it never falls back on the function's own rights, and
// that neither requests nor the credentials in answers are ever logged.
package stsrole

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"sealreel/pkg/job"
	"sealreel/pkg/role"
	"sealreel/pkg/tlsonly"
)

const (
	// lifetime is the shortest that STS gives. What works longer is renewed.
	lifetime = 15 * time.Minute
	// renewBefore the end, so that no request is signed with what ends under way.
	renewBefore = time.Minute
	// maxAttempts is how often a request is made before its failure counts.
	maxAttempts = 5
)

// Roles takes on roles. It is safe for concurrent use.
type Roles struct{ client *sts.Client }

// New returns the STS of the configuration.
func New(cfg aws.Config) *Roles {
	return &Roles{sts.NewFromConfig(cfg, func(o *sts.Options) {
		o.ClientLogMode = 0
		o.RetryMaxAttempts = maxAttempts
		o.APIOptions = append(o.APIOptions, tlsonly.Add)
	})}
}

// Assume begins a session of the role, narrowed to the role's places and to the
// keys, and returns its credentials, which renew themselves. A role that can't be
// assumed is a *job.Failure of job.CodeAssumeRole; any other error may pass when
// tried again.
func (r *Roles) Assume(ctx context.Context, wanted role.Role, keys role.Keys) (aws.CredentialsProvider, error) {
	session, err := r.assume(ctx, wanted, keys, role.MaxPolicy)
	if isCode(err, "PackedPolicyTooLarge") { // STS packs the policy its own way, and has a limit for that
		session, err = r.assume(ctx, wanted, keys, role.MaxPolicy/2)
	}
	if refused(err) {
		return nil, job.RoleRefused(err, wanted.ARN)
	}
	return session, err
}

func (r *Roles) assume(ctx context.Context, wanted role.Role, keys role.Keys, limit int) (aws.CredentialsProvider, error) {
	policy, err := wanted.Policy(keys, limit)
	if err != nil {
		return nil, job.FailCause(err, job.CodeAssumeRole, "the role %s can't be narrowed to the job: %v", wanted.ARN, err)
	}
	provider := stscreds.NewAssumeRoleProvider(r.client, wanted.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName, o.ExternalID, o.Policy, o.Duration = wanted.Session, &wanted.ExternalID, &policy, lifetime
	})
	session := aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewBefore })
	_, err = session.Retrieve(ctx)
	return session, err
}

// refused says whether STS answered with one of the errors of AssumeRole (STS API
// reference) that asking again does not change.
func refused(err error) bool {
	for _, code := range []string{"AccessDenied", "AccessDeniedException", "ValidationError", "MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException", "InvalidClientTokenId"} {
		if isCode(err, code) {
			return true
		}
	}
	return false
}

func isCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
