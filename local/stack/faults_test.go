package stack

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"sealreel/local/fault"
	"sealreel/local/lambda"
)

// upWithFaults is a stack with a fault engine, and what the user and the functions
// call with it.
func upWithFaults(t *testing.T) (*Stack, clients, *sink) {
	t.Helper()
	k, dir := newSink(t), t.TempDir()
	s, err := Up(t.Context(), Config{
		Root: "testdata/project", Dir: dir, StackName: "test", Parameters: map[string]string{"Greeting": "hi"},
		Environment: map[string]string{"SINK": k.url}, Lambda: lambda.Config{RetryDelays: []time.Duration{10 * time.Millisecond}}, Faults: &fault.Plan{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, connect(t, s, dir), k
}

func (k *sink) count(text string) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, got := range k.texts {
		if strings.HasPrefix(got, text) {
			n++
		}
	}
	return n
}

func TestFaults(t *testing.T) {
	s, c, k := upWithFaults(t)
	add := func(t *testing.T, rules ...fault.Rule) {
		t.Helper()
		remove, err := s.AddFaults(rules...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(remove)
	}
	fired := func(name string) (all []fault.Fired) {
		for _, f := range s.Faults() {
			if f.Rule == name {
				all = append(all, f)
			}
		}
		return all
	}
	bucket := c.env["SEALREEL_INGEST_BUCKET"]

	t.Run("operations are those that S3 understands", func(t *testing.T) {
		var mu sync.Mutex
		front := map[string]bool{}
		defer s.OnCall(func(c fault.Call) {
			mu.Lock()
			defer mu.Unlock()
			if c.Service == "s3" && c.Caller == "user" {
				front[c.Operation] = true
			}
		})()
		exercise(t, c, bucket)
		understood := map[string]bool{}
		for _, n := range s.Requests() {
			if n.Service == "s3" && n.Caller == "user" {
				understood[n.Operation] = true
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for operation := range front {
			if !understood[operation] {
				t.Errorf("what is %s to the engine is something else to S3: %v", operation, understood)
			}
		}
		if len(front) < 12 {
			t.Errorf("only %v", front)
		}
	})
	t.Run("error, then the SDK's retry", func(t *testing.T) {
		add(t, fault.Rule{Name: "slow down", When: fault.When{Service: "s3", Operation: "PutObject", Resource: bucket + "/down", Times: 1},
			Then: fault.Then{Error: &fault.Answer{Status: 503, Code: "SlowDown"}}})
		c.put(t, "down")
		if n := len(fired("slow down")); n != 1 {
			t.Errorf("fired %d times", n)
		}
		k.await(t, "work down")
	})
	t.Run("error that stays", func(t *testing.T) {
		add(t, fault.Rule{Name: "conflict", When: fault.When{Service: "s3", Operation: "HeadBucket"}, Then: fault.Then{Error: &fault.Answer{Status: 409, Code: "ConditionalRequestConflict"}}},
			fault.Rule{Name: "kms", When: fault.When{Service: "kms"}, Then: fault.Then{Error: &fault.Answer{Status: 400, Code: "DisabledException", Message: "off"}}},
			fault.Rule{Name: "sqs", When: fault.When{Service: "sqs", Operation: "GetQueueAttributes", Caller: "user"}, Then: fault.Then{Error: &fault.Answer{Status: 403, Code: "AccessDenied"}}})
		var e smithy.APIError
		if _, err := c.keys.ListKeys(t.Context(), nil); !errors.As(err, &e) || e.ErrorCode() != "DisabledException" || e.ErrorMessage() != "off" {
			t.Errorf("KMS: %v", err)
		}
	})
	t.Run("skew", func(t *testing.T) {
		add(t, fault.Rule{Name: "skew", When: fault.When{Service: "s3", Resource: bucket + "/skewed"}, Then: fault.Then{Skew: fault.Span(time.Hour)}},
			fault.Rule{Name: "skewed keys", When: fault.When{Service: "kms"}, Then: fault.Then{Skew: -fault.Span(time.Hour)}})
		c.put(t, "skewed") // the SDK corrects its clock by the Date
		if n := len(fired("skew")); n != 2 {
			t.Errorf("fired %d times", n)
		}
		if _, err := c.keys.ListKeys(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("kill", func(t *testing.T) {
		add(t, fault.Rule{Name: "kill", When: fault.When{Service: "sqs", Operation: "SendMessage", Caller: "DropFunction", Event: `*"key":"killed"*`, Times: 1}, Then: fault.Then{Kill: fault.After}})
		c.put(t, "killed") // its event comes again
		deadline := time.Now().Add(20 * time.Second)
		for k.count("work killed") < 2 && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		if drops, works := k.count("drop killed"), k.count("work killed"); drops != 2 || works != 2 {
			t.Errorf("%d drops and %d messages, want 2 of each", drops, works)
		}
		if f := fired("kill"); len(f) != 1 || f[0].Call.Environment == "" || f[0].Call.Resource != "Work" && !strings.HasSuffix(f[0].Call.Resource, "Work") {
			t.Errorf("fired %+v", f)
		}
	})
	t.Run("messages", func(t *testing.T) {
		add(t, fault.Rule{Name: "lose", When: fault.When{Service: "message", Event: "lost"}, Then: fault.Then{Lost: true}},
			fault.Rule{Name: "twice", When: fault.When{Service: "message", Event: "slow"}, Then: fault.Then{Copies: 1}},
			fault.Rule{Name: "late", When: fault.When{Service: "message", Event: "late"}, Then: fault.Then{Delay: fault.Duration(time.Second)}})
		url, begun := c.env["SEALREEL_QUEUE_URL"], time.Now()
		for _, body := range []string{"lost", "late", "slow"} {
			c.send(t, url, body)
		}
		k.await(t, "work late")
		if took := time.Since(begun); took < time.Second {
			t.Errorf("a delayed message came after %v", took)
		}
		for k.count("work slow") < 2 && time.Since(begun) < 20*time.Second {
			time.Sleep(10 * time.Millisecond)
		}
		if twice, lost := k.count("work slow"), k.count("work lost"); twice != 2 || lost != 0 {
			t.Errorf("%d times the message that is duplicated, %d times the one that is lost", twice, lost)
		}
	})
	t.Run("events and schedules", func(t *testing.T) {
		add(t, fault.Rule{Name: "deaf", When: fault.When{Service: "event", Resource: "*/unheard"}, Then: fault.Then{Lost: true}},
			fault.Rule{Name: "no tick", When: fault.When{Service: "schedule", Resource: "DropFunctionTick"}, Then: fault.Then{Lost: true}})
		c.put(t, "unheard")
		if _, err := s.Trigger("DropFunction", "Tick"); err != nil {
			t.Fatal(err)
		}
		if len(fired("deaf")) != 1 || len(fired("no tick")) != 1 {
			t.Errorf("fired %+v", s.Faults())
		}
	})
	t.Run("limits", func(t *testing.T) {
		add(t, fault.Rule{Name: "brief", When: fault.When{Service: "lambda", Resource: "WorkerFunction", Event: "*slow*"}, Then: fault.Then{Limits: &fault.Limits{Timeout: fault.Duration(time.Second)}}})
		r, err := s.Invoke(t.Context(), "WorkerFunction", []byte(`{"Records":[{"messageId":"1","body":"slow"}]}`))
		if err != nil || !strings.Contains(string(r.Payload), "Task timed out after 1.00 seconds") {
			t.Errorf("%s, %v", r.Payload, err)
		}
	})
}

// exercise makes one request of each kind that the functions and the command make.
func exercise(t *testing.T, c clients, bucket string) {
	t.Helper()
	ctx, o := t.Context(), c.objects
	customer := bytes.Repeat([]byte("k"), 32)
	sum := md5.Sum(customer)
	algorithm, key, digest := aws.String("AES256"), aws.String(base64.StdEncoding.EncodeToString(customer)), aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	fine := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	_, err := o.PutObject(ctx, &awss3.PutObjectInput{Bucket: &bucket, Key: aws.String("a b/ü+"), Body: strings.NewReader("x"), SSECustomerAlgorithm: algorithm, SSECustomerKey: key, SSECustomerKeyMD5: digest})
	fine("PutObject", err)
	got, err := o.GetObject(ctx, &awss3.GetObjectInput{Bucket: &bucket, Key: aws.String("a b/ü+"), SSECustomerAlgorithm: algorithm, SSECustomerKey: key, SSECustomerKeyMD5: digest})
	fine("GetObject", err)
	if text, err := io.ReadAll(got.Body); err != nil || string(text) != "x" {
		t.Errorf("got %q, %v", text, err)
	}
	_, err = o.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &bucket, Key: aws.String("a b/ü+"), SSECustomerAlgorithm: algorithm, SSECustomerKey: key, SSECustomerKeyMD5: digest})
	fine("HeadObject", err)
	made, err := o.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("m")})
	fine("CreateMultipartUpload", err)
	_, err = o.UploadPart(ctx, &awss3.UploadPartInput{Bucket: &bucket, Key: aws.String("m"), UploadId: made.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader(make([]byte, 6<<20))})
	fine("UploadPart", err)
	_, err = o.ListParts(ctx, &awss3.ListPartsInput{Bucket: &bucket, Key: aws.String("m"), UploadId: made.UploadId})
	fine("ListParts", err)
	_, err = o.ListMultipartUploads(ctx, &awss3.ListMultipartUploadsInput{Bucket: &bucket})
	fine("ListMultipartUploads", err)
	_, err = o.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: &bucket, Key: aws.String("m"), UploadId: made.UploadId})
	fine("AbortMultipartUpload", err)
	_, err = o.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: &bucket})
	fine("ListObjectsV2", err)
	_, err = o.ListObjectVersions(ctx, &awss3.ListObjectVersionsInput{Bucket: &bucket})
	fine("ListObjectVersions", err)
	_, err = o.HeadBucket(ctx, &awss3.HeadBucketInput{Bucket: &bucket})
	fine("HeadBucket", err)
	_, err = o.GetBucketVersioning(ctx, &awss3.GetBucketVersioningInput{Bucket: &bucket})
	fine("GetBucketVersioning", err)
}

func TestWithoutFaults(t *testing.T) {
	s := &Stack{}
	if _, err := s.AddFaults(); !errors.Is(err, errNoFaults) {
		t.Error(err)
	}
	if err := s.SetFaults(fault.Plan{}); !errors.Is(err, errNoFaults) {
		t.Error(err)
	}
	s.OnCall(func(fault.Call) {})()
	if s.Faults() != nil {
		t.Error("faults fired")
	}
}
