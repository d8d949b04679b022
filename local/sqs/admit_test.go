package sqs

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

const workerARN = "arn:aws:iam::" + testAccount + ":role/worker"

// policed is a server that WORKER may use as a policy says.
func policed(t *testing.T, statements string) (*Server, *[]Request) {
	t.Helper()
	document, err := iam.ParseIdentity([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	d := iam.NewDirectory()
	if err := errors.Join(d.AddRole(iam.Role{ARN: workerARN, Policies: []iam.Policy{{Name: "p", Document: document}}}),
		d.AddFunction("WORKER", "session", workerARN)); err != nil {
		t.Fatal(err)
	}
	var seen []Request
	s, err := Open(Config{Dir: t.TempDir(), Region: testRegion, Account: testAccount, Known: func(string) bool { return true },
		Gate: &gate.Gate{Directory: d}, OnRequest: func(r Request) { seen = append(seen, r) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, &seen
}

func queueARN(name string) string {
	return "arn:aws:sqs:" + testRegion + ":" + testAccount + ":" + name
}

func ask(s *Server, action, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://local/", strings.NewReader(body))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=WORKER/20261124/x/sqs/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// TestActionsNeedTheirPermission asks for each action with the permission
// for it and with that for all others.
func TestActionsNeedTheirPermission(t *testing.T) {
	const url = `{"QueueUrl":"http://x/1/q"`
	handle := `,"ReceiptHandle":"x"`
	batch := `,"Entries":[{"Id":"1","MessageBody":"b","ReceiptHandle":"x","VisibilityTimeout":1}]}`
	for _, test := range []struct{ action, needs, body string }{
		{"CreateQueue", "CreateQueue", `{"QueueName":"q"}`},
		{"GetQueueUrl", "GetQueueUrl", `{"QueueName":"q"}`},
		{"ListQueues", "ListQueues", `{}`},
		{"GetQueueAttributes", "GetQueueAttributes", url + `}`},
		{"SetQueueAttributes", "SetQueueAttributes", url + `,"Attributes":{"DelaySeconds":"0"}}`},
		{"PurgeQueue", "PurgeQueue", url + `}`},
		{"SendMessage", "SendMessage", url + `,"MessageBody":"b"}`},
		{"SendMessageBatch", "SendMessage", url + batch},
		{"ReceiveMessage", "ReceiveMessage", url + `}`},
		{"DeleteMessage", "DeleteMessage", url + handle + `}`},
		{"DeleteMessageBatch", "DeleteMessage", url + batch},
		{"ChangeMessageVisibility", "ChangeMessageVisibility", url + handle + `,"VisibilityTimeout":1}`},
		{"ChangeMessageVisibilityBatch", "ChangeMessageVisibility", url + batch},
		{"DeleteQueue", "DeleteQueue", url + `}`},
	} {
		for _, effect := range []string{"Allow", "Deny"} {
			s, seen := policed(t, `{"Effect":"Allow","Action":"*","Resource":"*"},`+
				`{"Sid":"S","Effect":"`+effect+`","Action":"sqs:`+test.needs+`","Resource":"`+queueARN("*")+`"}`)
			if err := s.CreateQueue("q", nil); err != nil {
				t.Fatal(err)
			}
			w := ask(s, test.action, test.body)
			denied := w.Code == http.StatusForbidden && w.Header().Get("X-Amzn-Query-Error") == "AccessDenied;Sender"
			if denied != (effect == "Deny") {
				t.Errorf("%s with %s: %d %s", test.action, effect, w.Code, w.Body)
			}
			if r := (*seen)[len(*seen)-1]; r.Denied != denied || denied == (len(r.By) > 0) {
				t.Errorf("%s with %s: the record is %+v", test.action, effect, r)
			}
		}
	}
}

func TestWordsOfARefusal(t *testing.T) {
	s, _ := policed(t, `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"`+queueARN("other")+`"}`)
	if err := s.CreateQueue("q", nil); err != nil {
		t.Fatal(err)
	}
	want := "User: arn:aws:sts::" + testAccount + ":assumed-role/worker/session is not authorized to perform: sqs:sendmessage on resource: " +
		queueARN("q") + " because no identity-based policy allows the sqs:sendmessage action"
	if w := ask(s, "SendMessage", `{"QueueUrl":"http://x/1/q","MessageBody":"b"}`); !strings.Contains(w.Body.String(), want) {
		t.Errorf("got %s, want %s", w.Body, want)
	}
}

// TestQueuePolicy: the queue's own policy admits and denies.
func TestQueuePolicy(t *testing.T) {
	s, _ := policed(t, `{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*"}`)
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sqs:SendMessage","Resource":"%s"},
		{"Effect":"Deny","Principal":"*","Action":"sqs:ReceiveMessage","Resource":"*"}]}`, workerARN, queueARN("q"))
	if err := s.CreateQueue("q", map[string]string{"Policy": policy}); err != nil {
		t.Fatal(err)
	}
	agent := s.Agent("lambda.amazonaws.com", "WORKER")
	if _, err := agent.Send("q", SendInput{MessageBody: "b"}); err != nil {
		t.Error(err)
	}
	if _, err := agent.Receive(t.Context(), "q", ReceiveOptions{}); awsjson.HTTPStatus(err) != http.StatusForbidden {
		t.Errorf("error is %v", err)
	}
	if err := s.SetAttributes("q", map[string]string{"Policy": `{"Version":"2012-10-17","Statement":[{"Wrong":1}]}`}); err == nil {
		t.Error("a policy that can't be read is taken")
	}
	if err := s.SetAttributes("q", map[string]string{"Policy": ""}); err != nil {
		t.Error(err)
	}
	if _, err := agent.Send("q", SendInput{MessageBody: "b"}); awsjson.HTTPStatus(err) != http.StatusForbidden {
		t.Errorf("after its policy is gone: %v", err)
	}
}

// TestAgent: a service in a caller's name has the caller's permissions.
func TestAgent(t *testing.T) {
	s, seen := policed(t, `{"Sid":"Poll","Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"],"Resource":"`+queueARN("q")+`"}`)
	for _, name := range []string{"q", "other"} {
		if err := s.CreateQueue(name, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Send(name, SendInput{MessageBody: "b"}); err != nil {
			t.Fatal(err)
		}
	}
	agent, now := s.Agent("lambda.amazonaws.com", "WORKER"), time.Duration(0)
	got, err := agent.Receive(t.Context(), "q", ReceiveOptions{Wait: &now})
	if err != nil || len(got) != 1 {
		t.Fatalf("received %v, %v", got, err)
	}
	if r := (*seen)[len(*seen)-1]; r.Service != "lambda.amazonaws.com" || r.AccessKeyID != "WORKER" || len(r.By) != 1 || r.By[0].Sid != "Poll" {
		t.Errorf("the record is %+v", r)
	}
	if err := agent.Delete("q", got[0].ReceiptHandle); err != nil {
		t.Error(err)
	}
	if _, err := agent.Attributes("q"); err != nil {
		t.Error(err)
	}
	if got, err := agent.Receive(t.Context(), "other", ReceiveOptions{Wait: &now}); err == nil || len(got) > 0 {
		t.Errorf("received %v of a queue that is not granted", got)
	}
	if r := (*seen)[len(*seen)-1]; !r.Denied || r.Status != http.StatusForbidden {
		t.Errorf("the record is %+v", r)
	}
}
