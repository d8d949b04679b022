package stack

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/local/lambda"
)

// sink hears what the functions of the project tell.
type sink struct {
	mu    sync.Mutex
	texts []string
	url   string
}

func newSink(t *testing.T) *sink {
	t.Helper()
	k := &sink{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.texts = append(k.texts, string(text))
	}))
	t.Cleanup(server.Close)
	k.url = server.URL
	return k
}

func (k *sink) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		k.mu.Lock()
		found := slices.Contains(k.texts, text)
		all := strings.Join(k.texts, "\n")
		k.mu.Unlock()
		if found {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nobody told %q within 30 seconds, but:\n%s", text, all)
		}
	}
}

func up(t *testing.T, dir string, k *sink) *Stack {
	t.Helper()
	s, err := Up(t.Context(), Config{
		Root: "testdata/project", Dir: dir, StackName: "test",
		Parameters:  map[string]string{"Greeting": "hi"},
		Environment: map[string]string{"SINK": k.url},
		Lambda:      lambda.Config{RetryDelays: []time.Duration{10 * time.Millisecond}},
		Progress:    func(text string) { t.Log(text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// clients are AWS clients made as a user would make them: from the
// variables of the file that WriteEnv wrote.
type clients struct {
	objects *awss3.Client
	queues  *awssqs.Client
	keys    *kms.Client
	env     map[string]string
}

func connect(t *testing.T, s *Stack, dir string) clients {
	t.Helper()
	path := filepath.Join(dir, "env")
	if err := s.WriteEnv(path); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", `. "$0"; env`, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "SEALREEL_") {
			env[name] = value
			t.Setenv(name, value)
		}
	}
	c, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return clients{awss3.NewFromConfig(c), awssqs.NewFromConfig(c), kms.NewFromConfig(c), env}
}

func (c clients) put(t *testing.T, key string) {
	t.Helper()
	customer := []byte(strings.Repeat("k", 32))
	sum := md5.Sum(customer)
	_, err := c.objects.PutObject(t.Context(), &awss3.PutObjectInput{
		Bucket: aws.String(c.env["SEALREEL_INGEST_BUCKET"]), Key: &key, Body: strings.NewReader("media"),
		SSECustomerAlgorithm: aws.String("AES256"), SSECustomerKey: aws.String(base64.StdEncoding.EncodeToString(customer)),
		SSECustomerKeyMD5: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c clients) send(t *testing.T, url, body string) {
	t.Helper()
	if _, err := c.queues.SendMessage(t.Context(), &awssqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
}

// receive returns the body of the next message of a queue.
func (c clients) receive(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		got, err := c.queues.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 5})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) > 0 {
			return aws.ToString(got.Messages[0].Body)
		}
	}
}

// TestStack goes the whole way: a drop, a queue, a failure of each, the
// variables, a restart.
func TestStack(t *testing.T) {
	dir, k := t.TempDir(), newSink(t)
	s := up(t, dir, k)
	c := connect(t, s, dir)

	url := c.env["SEALREEL_QUEUE_URL"]
	c.send(t, url, "poison") // it fails until it is a dead letter, meanwhile:

	t.Run("drop", func(t *testing.T) {
		c.put(t, "a b.mp4")
		k.await(t, "drop a+b.mp4 versioned=true storage=403 greeting=hi ffmpeg=true")
		k.await(t, "work a+b.mp4")
	})
	t.Run("failed event goes to the destination", func(t *testing.T) {
		c.put(t, "bad")
		body := c.receive(t, strings.TrimSuffix(url, "Work")+"Failures")
		if !strings.Contains(body, `"condition":"RetriesExhausted","approximateInvokeCount":2`) || !strings.Contains(body, "a bad key") {
			t.Errorf("the record is %s", body)
		}
	})
	t.Run("schedule and invoke", func(t *testing.T) {
		if _, err := s.Trigger("DropFunction", "Tick"); err != nil {
			t.Fatal(err)
		}
		k.await(t, "tick")
		r, err := s.Invoke(t.Context(), "WorkerFunction", []byte(`{"Records":[{"messageId":"1","body":"direct"}]}`))
		if err != nil || r.FunctionError != "" || string(r.Payload) != `{"batchItemFailures":[]}` {
			t.Errorf("result %s, %v", r.Payload, err)
		}
	})
	t.Run("requests", func(t *testing.T) { checkCounts(t, s) })
	t.Run("one process at a time", func(t *testing.T) {
		_, err := Up(t.Context(), Config{Root: "testdata/project", Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "runs a stack in "+dir+" already; stop it") {
			t.Errorf("error is %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, "env")); err != nil {
			t.Error("the refused process removed the variables of the running one")
		}
	})
	t.Run("failed batch goes to the dead-letter queue", func(t *testing.T) {
		k.await(t, "work poison")
		if body := c.receive(t, strings.TrimSuffix(url, "Work")+"Dead"); body != "poison" {
			t.Errorf("the dead letter is %q", body)
		}
	})
	blob, err := c.keys.Encrypt(t.Context(), &kms.EncryptInput{KeyId: aws.String("alias/test"), Plaintext: []byte("key")})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(blob.KeyId) != c.env["SEALREEL_KMS_KEY_ARN"] {
		t.Errorf("the alias leads to %s, the variable says %s", aws.ToString(blob.KeyId), c.env["SEALREEL_KMS_KEY_ARN"])
	}
	c.send(t, url, "slow")
	k.await(t, "work slow")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "env")); err == nil {
		t.Error("the variables are still there after Close")
	}
	checkRestart(t, dir, c, blob.CiphertextBlob)
}

// checkRestart brings a stack up on the folder of another one and expects
// all of it there, the message in work when the first one closed included.
func checkRestart(t *testing.T, dir string, before clients, blob []byte) {
	t.Helper()
	k := newSink(t)
	s := up(t, dir, k)
	c := connect(t, s, dir)
	for name, value := range before.env {
		if c.env[name] != value {
			t.Errorf("after the restart %s is %s, it was %s", name, c.env[name], value)
		}
	}
	k.await(t, "work slow")
	if _, err := c.keys.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob}); err != nil {
		t.Error(err)
	}
	objects, err := c.objects.ListObjectVersions(t.Context(), &awss3.ListObjectVersionsInput{Bucket: aws.String(c.env["SEALREEL_INGEST_BUCKET"])})
	if err != nil || len(objects.Versions) != 2 {
		t.Errorf("objects are %+v, %v", objects, err)
	}
}

func checkCounts(t *testing.T, s *Stack) {
	t.Helper()
	count := func(of Count) int {
		for _, c := range s.Requests() {
			if of.Requests = c.Requests; of == c {
				return c.Requests
			}
		}
		return 0
	}
	for _, want := range []struct {
		Count
		n int
	}{
		{Count{Service: "s3", Operation: "PutObject", Caller: "user"}, 2},
		{Count{Service: "sqs", Operation: "SendMessage", Caller: "DropFunction"}, 1},
		{Count{Service: "sqs", Operation: "DeleteMessage", Caller: "lambda"}, 1},
	} {
		for end := time.Now().Add(5 * time.Second); count(want.Count) < want.n && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		if n := count(want.Count); n != want.n {
			t.Errorf("%+v was counted %d times, want %d", want.Count, n, want.n)
		}
	}
}

func TestUpRefusals(t *testing.T) {
	root := t.TempDir()
	write := func(doc string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, "template.yaml"), []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func(want string) {
		t.Helper()
		s, err := Up(t.Context(), Config{Root: root, Dir: t.TempDir()})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	try("read the template")
	write("Resources: {A: {Type: AWS::DynamoDB::Table}}")
	try("no resources of type AWS::DynamoDB::Table")
	write("Resources: {A: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, CodeUri: functions/none}}}")
	try("build A from ./functions/none")
	t.Setenv("PATH", "")
	try("install ffmpeg")
}

func TestDamagedState(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Up(t.Context(), Config{Root: "testdata/project", Dir: dir}); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("error is %v", err)
	}
}

func TestQuote(t *testing.T) {
	for _, value := range []string{"plain", "http://127.0.0.1:1/x", "two words", "it's", `a"b$c` + "`d", "", "new\nline"} {
		out, err := exec.Command("sh", "-c", "X="+quote(value)+`; printf %s "$X"`).Output()
		if err != nil || string(out) != value {
			t.Errorf("%q became %q, %v", value, out, err)
		}
	}
}

func TestPorts(t *testing.T) {
	s := &state{path: filepath.Join(t.TempDir(), "state.json")}
	taken := httptest.NewServer(nil)
	defer taken.Close()
	if err := s.keep("s3", strings.TrimPrefix(taken.URL, "http://")); err != nil {
		t.Fatal(err)
	}
	if got := s.address("s3"); got != "127.0.0.1:0" {
		t.Errorf("a taken port gave %s", got)
	}
	taken.Close()
	if got := s.address("s3"); "http://"+got != taken.URL {
		t.Errorf("a free port gave %s, want that of %s", got, taken.URL)
	}
	var kept state
	doc, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc, &kept); err != nil || kept.Ports["s3"] == 0 {
		t.Errorf("the port isn't kept: %s, %v", doc, err)
	}
}
