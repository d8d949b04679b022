package fault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// process is an environment that notes its death.
type process struct{ killed atomic.Bool }

func (*process) ID() string             { return "F-1" }
func (*process) Function() string       { return "F" }
func (*process) Work() (string, []byte) { return "request-1", []byte(`{"job":"j1"}`) }
func (p *process) Kill()                { p.killed.Store(true) }
func name(id string) string             { return "user" }
func authorized(id string) (name, v string) {
	return "Authorization", "AWS4-HMAC-SHA256 Credential=" + id + "/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00"
}

// front is a service behind an engine: it answers PUT with how many bytes it
// got, and GET with 1000 bytes.
type front struct {
	*Engine
	url  string
	mu   sync.Mutex
	done []string // what was carried out
}

func newFront(t *testing.T, service string, rules ...Rule) *front {
	t.Helper()
	f := &front{Engine: New(name, nil)}
	if err := f.Set(Plan{Seed: 1, Rules: rules}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(f.Front(service, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.done = append(f.done, fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, len(body)))
		f.mu.Unlock()
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Length", "1000")
			w.Write(bytes.Repeat([]byte("x"), 1000))
		}
	})))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *front) carriedOut() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.done, ";")
}

// call sends a request as an access key and returns status, body and error.
func (f *front) call(method, path, key string, body []byte) (int, string, error) {
	r, err := http.NewRequest(method, f.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set(authorized(key))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func TestFront(t *testing.T) {
	big := bytes.Repeat([]byte("b"), 100_000)
	for _, c := range []struct {
		name   string
		then   Then
		method string
		status int
		got    int // bytes of the answer
		broken bool
		done   string
		killed bool
	}{
		{name: "error", then: Then{Error: &Answer{Status: 503, Code: "SlowDown"}}, method: "PUT", status: 503, got: -1},
		{name: "delay", then: Then{Delay: Duration(time.Millisecond)}, method: "PUT", status: 200, done: "PUT /b/k 100000"},
		{name: "reset before", then: Then{Reset: Before}, method: "PUT", broken: true},
		{name: "reset in the request", then: Then{Reset: Request}, method: "PUT", broken: true},
		{name: "reset in the answer", then: Then{Reset: Reply}, method: "GET", status: 200, got: 500, broken: true, done: "GET /b/k 0"},
		{name: "reset late in the answer", then: Then{Reset: Reply, Bytes: 900}, method: "GET", status: 200, got: 900, broken: true, done: "GET /b/k 0"},
		{name: "reset of a short answer", then: Then{Reset: Reply, Bytes: 5000}, method: "GET", broken: true, done: "GET /b/k 0"},
		{name: "reset after", then: Then{Reset: After}, method: "PUT", broken: true, done: "PUT /b/k 100000"},
		{name: "kill before", then: Then{Kill: Before}, method: "PUT", broken: true, killed: true},
		{name: "kill after", then: Then{Kill: After}, method: "PUT", broken: true, done: "PUT /b/k 100000", killed: true},
		{name: "slow", then: Then{Slow: &Rates{Request: 1_000_000, Answer: 10_000}}, method: "GET", status: 200, got: 1000, done: "GET /b/k 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFront(t, "s3", Rule{Name: c.name, When: When{Service: "s3", Operation: "*Object", Resource: "b/*", Caller: "F", Event: "*j1*", Times: 1}, Then: c.then})
			p := &process{}
			f.Enter("KEY", "secret", p)
			var calls []Call
			f.OnCall(func(c Call) { f.mu.Lock(); calls = append(calls, c); f.mu.Unlock() })
			var body []byte
			if c.method == "PUT" {
				body = big
			}
			status, text, err := f.call(c.method, "/b/k", "KEY", body)
			if (err != nil) != c.broken || !c.broken && status != c.status {
				t.Errorf("status %d, error %v", status, err)
			}
			if c.got >= 0 && len(text) != c.got && c.name != "reset of a short answer" {
				t.Errorf("%d bytes of the answer, want %d", len(text), c.got)
			}
			if f.carriedOut() != c.done || p.killed.Load() != c.killed {
				t.Errorf("carried out %q, killed %t", f.carriedOut(), p.killed.Load())
			}
			if fired := f.Fired(); len(fired) != 1 || fired[0].Rule != c.name || fired[0].Call.Invocation != "request-1" || fired[0].Call.Environment != "F-1" {
				t.Errorf("fired %+v", fired)
			}
			f.mu.Lock()
			heard := len(calls) >= 1 && !calls[0].Done
			f.mu.Unlock()
			if !heard {
				t.Errorf("the hook heard %+v", calls)
			}
			if status, _, err := f.call("PUT", "/b/k", "KEY", nil); status != 200 || err != nil { // it fires once
				t.Errorf("afterwards: status %d, %v", status, err)
			}
		})
	}
}

func TestWhoIsMeant(t *testing.T) {
	f := newFront(t, "s3", Rule{Name: "r", When: When{Service: "s3", Caller: "F"}, Then: Then{Error: &Answer{500, "InternalError", ""}}})
	p := &process{}
	f.Enter("KEY", "s", p)
	f.Know("SESSION", "s", "KEY")
	for key, want := range map[string]int{"KEY": 500, "SESSION": 500, "USER": 200} {
		if status, _, _ := f.call("GET", "/b/k", key, nil); status != want {
			t.Errorf("%s: status %d", key, status)
		}
	}
	f.Leave(p)
	if status, _, _ := f.call("GET", "/b/k", "SESSION", nil); status != 200 {
		t.Errorf("after its end an environment's session is still its own: %d", status)
	}
}

// TestCounting: rules count what they match, whoever fires; the first that fires
// has the call.
func TestCounting(t *testing.T) {
	fail := func(status int) Then { return Then{Error: &Answer{status, "X", ""}} }
	f := newFront(t, "s3",
		Rule{Name: "second", When: When{Service: "s3", After: 1, Times: 1}, Then: fail(501)},
		Rule{Name: "from the second", When: When{Service: "s3", After: 1, Times: 2}, Then: fail(502)})
	remove, err := f.Add(Rule{Name: "put", When: When{Service: "s3", Match: func(c Call) bool { return c.Operation == "PutObject" }}, Then: fail(503)})
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for range 5 {
		status, _, _ := f.call("PUT", "/b/k", "U", nil)
		got = append(got, status)
	}
	remove()
	status, _, _ := f.call("PUT", "/b/k", "U", nil)
	if want := "[503 501 502 502 503] 200"; fmt.Sprint(got, " ", status) != want {
		t.Errorf("statuses %v, then %d; want %s", got, status, want)
	}
}

// TestChance: the same seed hits the same calls, at about the rate.
func TestChance(t *testing.T) {
	hits := func(seed uint64) (text string) {
		e := New(name, nil)
		if err := e.Set(Plan{Seed: seed, Rules: []Rule{{Name: "r", When: When{Service: "event", Chance: 0.2}, Then: Then{Lost: true}}}}); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			text += fmt.Sprint(len(e.Deliveries(Event, "ObjectCreated:Put", "b/k", "U", []time.Duration{0})))
		}
		return text
	}
	if hits(7) != hits(7) || hits(7) == hits(8) {
		t.Error("chance doesn't follow from the seed")
	}
	if n := strings.Count(hits(7), "0"); n < 150 || n > 250 {
		t.Errorf("%d of 1000 at a chance of 0.2", n)
	}
}

func TestFlow(t *testing.T) {
	e := New(name, nil)
	err := e.Set(Plan{Rules: []Rule{
		{Name: "lost", When: When{Service: Message, Event: "*lost*"}, Then: Then{Lost: true}},
		{Name: "late", When: When{Service: Message, Operation: "Send", Event: "*late*"}, Then: Then{Delay: Duration(time.Second)}},
		{Name: "thrice", When: When{Service: Message, Event: "*often*"}, Then: Then{Copies: 2}},
		{Name: "tick", When: When{Service: Schedule, Resource: "Tick"}, Then: Then{Copies: 1}},
		{Name: "shuffle", When: When{Service: Event}, Then: Then{Jitter: Duration(time.Second)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, lost := e.Sent("q", "lost", "U"); !lost {
		t.Error("nothing is lost")
	}
	if d, lost := e.Sent("q", "late", "U"); lost || d != time.Second {
		t.Errorf("late by %v, lost %t", d, lost)
	}
	if d, lost := e.Sent("q", "often", "U"); lost || d != 0 {
		t.Error("copies are for receivers")
	}
	if got := fmt.Sprint(e.Received("q", "often", 1), e.Received("q", "often", 2), e.Received("q", "often", 3), e.Received("q", "other", 1)); got != "true true false false" {
		t.Errorf("received again: %s", got)
	}
	if got := e.Deliveries(Schedule, "Fire", "Tick", "", []time.Duration{0}); len(got) != 2 {
		t.Errorf("fires %v", got)
	}
	first, second := e.Deliveries(Event, "x", "b/k", "U", []time.Duration{0})[0], e.Deliveries(Event, "x", "b/k", "U", []time.Duration{0})[0]
	if first == second || max(first, second) >= time.Second {
		t.Errorf("shuffled by %v and %v", first, second)
	}
	if e.Invoked("F", "id", "{}") != nil {
		t.Error("nothing is said of invocations")
	}
}

func TestRefusals(t *testing.T) {
	for service, want := range map[string]string{
		"s3":  `<Error><Code>Some</Code><Message>an injected fault: Some</Message><Resource>/b/k</Resource>`,
		"kms": `{"__type":"Some","message":"an injected fault: Some"}`,
		"sqs": `"__type":"Some"`,
		"sts": `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Receiver</Type><Code>Some</Code>`,
		"sns": `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>`,
	} {
		f := newFront(t, service, Rule{Name: "r", When: When{Service: service}, Then: Then{Error: &Answer{500, "Some", ""}}})
		status, text, err := f.call("POST", "/b/k", "U", []byte("{}"))
		if err != nil || status != 500 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s %v", service, status, text, err)
		}
	}
}

func TestDescribe(t *testing.T) {
	for _, c := range []struct{ service, method, target, header, body, operation, resource string }{
		{"s3", "GET", "/", "", "", "ListBuckets", ""},
		{"s3", "GET", "/b?list-type=2", "", "", "ListObjectsV2", "b"},
		{"s3", "GET", "/b/?versions", "", "", "ListObjectVersions", "b"},
		{"s3", "POST", "/b?delete", "", "", "DeleteObjects", "b"},
		{"s3", "HEAD", "/b", "", "", "HeadBucket", "b"},
		{"s3", "GET", "/b?versioning", "", "", "GetBucketVersioning", "b"},
		{"s3", "PUT", "/b/a%20b", "", "", "PutObject", "b/a b"},
		{"s3", "PUT", "/b/k", "X-Amz-Copy-Source: /b/x", "", "CopyObject", "b/k"},
		{"s3", "PUT", "/b/k?partNumber=1&uploadId=u", "", "", "UploadPart", "b/k"},
		{"s3", "PUT", "/b/k?partNumber=1&uploadId=u", "X-Amz-Copy-Source: /b/x", "", "UploadPartCopy", "b/k"},
		{"s3", "POST", "/b/k?uploads", "", "", "CreateMultipartUpload", "b/k"},
		{"s3", "POST", "/b/k?uploadId=u", "", "", "CompleteMultipartUpload", "b/k"},
		{"s3", "DELETE", "/b/k?uploadId=u", "", "", "AbortMultipartUpload", "b/k"},
		{"s3", "GET", "/b/k?uploadId=u", "", "", "ListParts", "b/k"},
		{"s3", "PUT", "/b/k?tagging", "", "", "PutObjectTagging", "b/k"},
		{"s3", "HEAD", "/b/k", "", "", "HeadObject", "b/k"},
		{"s3", "DELETE", "/b/k?versionId=v", "", "", "DeleteObject", "b/k"},
		{"sqs", "POST", "/", "X-Amz-Target: AmazonSQS.SendMessage", `{"QueueUrl":"http://h/1/work"}`, "SendMessage", "work"},
		{"kms", "POST", "/", "X-Amz-Target: TrentService.GenerateDataKey", `{"KeyId":"alias/a"}`, "GenerateDataKey", "alias/a"},
		{"kms", "POST", "/", "X-Amz-Target: TrentService.Decrypt", `{"CiphertextBlob":"AA=="}`, "Decrypt", ""},
		{"sts", "POST", "/", "", "Action=AssumeRole&RoleArn=arn%3Ax", "AssumeRole", "arn:x"},
		{"sns", "POST", "/", "", "Action=Publish&TopicArn=arn%3At", "Publish", "arn:t"},
	} {
		r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		if name, value, ok := strings.Cut(c.header, ": "); ok {
			r.Header.Set(name, value)
		}
		got, err := describe(c.service, r)
		if err != nil || got.Operation != c.operation || got.Resource != c.resource {
			t.Errorf("%s %s %s: %s of %q, %v", c.service, c.method, c.target, got.Operation, got.Resource, err)
		}
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != c.body {
			t.Errorf("%s: the body became %q, %v", c.target, body, err)
		}
	}
}

// TestCallerGone: a caller that is gone ends its call without an answer.
func TestCallerGone(t *testing.T) {
	f := newFront(t, "kms", Rule{Name: "r", When: When{Service: "kms"}, Then: Then{Delay: Duration(time.Hour)}})
	ended := make(chan Call, 2)
	f.OnCall(func(c Call) {
		if c.Done {
			ended <- c
		}
	})
	client := http.Client{Timeout: 50 * time.Millisecond}
	if _, err := client.Post(f.url, "application/json", strings.NewReader("{}")); err == nil {
		t.Fatal("an answer")
	}
	select {
	case c := <-ended:
		if c.Status != 0 {
			t.Errorf("status %d", c.Status)
		}
	case <-time.After(10 * time.Second):
		t.Error("the call doesn't end")
	}
	if f.carriedOut() != "" {
		t.Errorf("carried out %q", f.carriedOut())
	}
	if errors.Is(f.Set(Plan{Rules: []Rule{{}}}), nil) {
		t.Error("a rule without a name is taken")
	}
}
