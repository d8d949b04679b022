package kmskeys

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// failing is a KMS that fails each request, and notes when it came.
type failing struct {
	status int
	code   string
	times  []time.Time
}

func (f *failing) Do(r *http.Request) (*http.Response, error) {
	f.times = append(f.times, time.Now())
	body := io.NopCloser(strings.NewReader(`{"__type":"` + f.code + `"}`))
	return &http.Response{StatusCode: f.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: body, Request: r}, nil
}

func (f *failing) keys() *Keys {
	return New(aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), HTTPClient: f,
		RetryMaxAttempts: 1, RetryMode: aws.RetryModeAdaptive}) // which an environment may ask for
}

// pauses are the times between requests.
func (f *failing) pauses() []time.Duration {
	var all []time.Duration
	for i := 1; i < len(f.times); i++ {
		all = append(all, f.times[i].Sub(f.times[i-1]))
	}
	return all
}

// What may pass is asked again after pauses that grow and are random, and is no
// failure of the job's in the end.
func TestPatience(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{400, "ThrottlingException", seal.ErrThrottled},
		{400, "TooManyRequestsException", seal.ErrThrottled},
		{500, "KMSInternalException", nil},
		{500, "KeyUnavailableException", nil},
		{503, "DependencyTimeoutException", nil},
		{503, "ServiceUnavailable", nil},
	} {
		const rounds = 40
		var runs [rounds][]time.Duration
		for n := range rounds {
			synctest.Test(t, func(t *testing.T) { // whose clock does not wait for the pauses
				f := &failing{status: c.status, code: c.code}
				ring := seal.NewKeyring(f.keys(), keyARN, service)
				defer ring.Close()
				_, err := ring.Generate(t.Context(), job.ModeGCM)
				var lasting *job.Failure
				if err == nil || errors.As(err, &lasting) || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("%s: %v", c.code, err)
				}
				runs[n] = f.pauses()
			})
			if len(runs[n]) != maxAttempts-1 {
				t.Fatalf("%s: %d requests", c.code, len(runs[n])+1)
			}
			if n > 0 && slices.Equal(runs[n], runs[n-1]) {
				t.Errorf("%s: twice the same pauses: %v", c.code, runs[n])
			}
		}
		// Each pause is a random part of one that doubles: over many runs its mean is
		// about half of that, and it never is longer.
		for i := range maxAttempts - 1 {
			longest, sum := min(maxBackoff, time.Second<<(i+1)), time.Duration(0)
			for _, pauses := range runs {
				sum += pauses[i]
				if pauses[i] > longest {
					t.Errorf("%s: pause %d is %v, longer than %v", c.code, i, pauses[i], longest)
				}
			}
			if mean := sum / rounds; mean < longest/4 || mean > longest*3/4 {
				t.Errorf("%s: pause %d is %v in the mean, of at most %v", c.code, i, mean, longest)
			}
		}
	}
}

// A throttled request that is answered at last is no error.
func TestThrottledForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{status: 400, code: "ThrottlingException"}
		requests := 0
		cfg := aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
			HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
				if requests++; requests < maxAttempts {
					return f.Do(r)
				}
				body := io.NopCloser(strings.NewReader(`{"Plaintext":"` + strings.Repeat("QUFB", 8) + `"}`))
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: body, Request: r}, nil
			})}
		if got, err := New(cfg).Decrypt(t.Context(), []byte("ciphertext"), keyARN, service); err != nil || len(got) != 24 || requests != maxAttempts {
			t.Errorf("%d requests, %v", requests, err)
		}
	})
}
