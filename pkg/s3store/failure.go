package s3store

import (
	"errors"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/seal"
)

// InputFailure turns an error of reading a job's input into the *job.Failure
// that the job shows. What may pass when tried again, and what is a failure
// already, comes back as it is. mode is the input's encryption mode.
func InputFailure(err error, o Object, mode string) error {
	var known *job.Failure
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, object.ErrNotExist):
		return because(err, job.InputMissing(o.Bucket, o.Key))
	case errors.Is(err, object.ErrChanged):
		return job.FailCause(err, job.CodeInputMissing, "the input was replaced while the job read it: bucket=%s, key=%s; drop it again", o.Bucket, o.Key)
	case errors.Is(err, object.ErrNoBucket):
		return because(err, job.BucketMissing(o.Bucket))
	case errors.Is(err, object.ErrNeedsKey), errors.Is(err, ErrNoCustomerKey):
		return job.DecryptFailed(err, o.Key, mode)
	case errors.Is(err, object.ErrAccess), errors.Is(err, ErrKMSKey):
		return job.NoReadPermission(err, o.Bucket, o.Key)
	}
	return endpointFailure(err)
}

// OutputFailure turns an error of storing an output into the *job.Failure that
// the output shows; else as InputFailure.
func OutputFailure(err error, bucket, key string) error {
	var known *job.Failure
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, object.ErrExists):
		return because(err, job.OutputExists(bucket, key))
	case errors.Is(err, object.ErrNoBucket):
		return because(err, job.BucketMissing(bucket))
	case errors.Is(err, ErrKMSKeyRegion):
		return job.KeyOfOtherRegion(err, bucket, key)
	case errors.Is(err, object.ErrAccess), errors.Is(err, ErrKMSKey):
		return job.NoWritePermission(err, bucket, key)
	}
	return endpointFailure(err)
}

// because keeps the cause with a failure whose text needs none.
func because(cause error, f *job.Failure) *job.Failure {
	f.Cause = cause
	return f
}

// endpointFailure is the failure of an endpoint that may not see customer keys.
func endpointFailure(err error) error {
	var plaintext *seal.PlaintextEndpointError
	if errors.As(err, &plaintext) {
		return job.FailCause(err, job.CodeStorage, "%s", plaintext.Error())
	}
	return err
}
