package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// queue is a Queue in memory with a visibility timeout.
type queue struct {
	mu         sync.Mutex
	visibility time.Duration
	messages   []*queued
	receives   int
}

type queued struct {
	message Message
	visible time.Time
	count   int
}

func newQueue(visibility time.Duration, bodies ...string) *queue {
	q := &queue{visibility: visibility}
	for _, body := range bodies {
		q.messages = append(q.messages, &queued{message: Message{ID: "id-" + body, Body: body, BodyMD5: "md5-" + body}})
	}
	return q
}

func (q *queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]Message, error) {
	for end := time.Now().Add(wait); ; {
		if got := q.take(limit); len(got) > 0 || !time.Now().Before(end) {
			return got, nil
		}
		if !sleepUntil(ctx, time.Now().Add(50*time.Millisecond)) {
			return nil, ctx.Err()
		}
	}
}

func (q *queue) take(limit int) []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	var got []Message
	for _, m := range q.messages {
		if len(got) < limit && !time.Now().Before(m.visible) {
			m.count++
			q.receives++
			m.visible = time.Now().Add(q.visibility)
			m.message.ReceiptHandle = fmt.Sprintf("%s/%d", m.message.ID, m.count)
			m.message.Attributes = map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.count)}
			got = append(got, m.message)
		}
	}
	return got
}

func (q *queue) find(receipt string) int {
	return slices.IndexFunc(q.messages, func(m *queued) bool { return m.message.ReceiptHandle == receipt })
}

func (q *queue) Delete(_ context.Context, receipt string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := q.find(receipt)
	if i < 0 {
		return errors.New("no such receipt")
	}
	q.messages = slices.Delete(q.messages, i, i+1)
	return nil
}

func (q *queue) Release(_ context.Context, receipt string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := q.find(receipt)
	if i < 0 {
		return errors.New("no such receipt")
	}
	q.messages[i].visible = time.Time{}
	return nil
}

func (q *queue) received() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.receives
}

// left returns the bodies of the messages that are still there.
func (q *queue) left() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var bodies []string
	for _, m := range q.messages {
		bodies = append(bodies, m.message.Body)
	}
	return strings.Join(bodies, " ")
}

func TestReportedFailures(t *testing.T) {
	batch := []Message{{ID: "a"}, {ID: "b"}}
	for _, c := range []struct {
		response string
		failed   string // ids that failed; "all" for an error
	}{
		{``, ""}, {`null`, ""}, {`{}`, ""}, {`{"batchItemFailures":null}`, ""}, {`{"batchItemFailures":[]}`, ""},
		{`{"other":1}`, ""},
		{`{"batchItemFailures":[{"itemIdentifier":"b"}]}`, "b"},
		{`{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"},{"itemIdentifier":"a"}]}`, "a b"},
		{`{`, "all"}, {`"text"`, "all"}, {`[]`, "all"}, {`{"batchItemFailures":"a"}`, "all"},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, "all"},
		{`{"batchItemFailures":[{"itemIdentifier":null}]}`, "all"},
		{`{"batchItemFailures":[{"itemIdentifier":7}]}`, "all"},
		{`{"batchItemFailures":[{"messageId":"a"}]}`, "all"},
		{`{"batchItemFailures":["a"]}`, "all"},
		{`{"batchItemFailures":[{"itemIdentifier":"c"}]}`, "all"},
		{`{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}`, "all"},
	} {
		failed, err := reportedFailures([]byte(c.response), batch)
		got := "all"
		if err == nil {
			var ids []string
			for id := range failed {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			got = strings.Join(ids, " ")
		}
		if got != c.failed {
			t.Errorf("%s: %q failed, want %q (%v)", c.response, got, c.failed, err)
		}
	}
}

// TestBatches drives a poller with a function in this process and virtual
// time.
func TestBatches(t *testing.T) {
	for _, c := range []struct {
		name    string
		reports bool
		result  Result
		left    string // bodies that are left after the first batch
	}{
		{"success", false, Result{Payload: []byte(`whatever`)}, ""},
		{"success with reports", true, Result{Payload: []byte(`{"batchItemFailures":[]}`)}, ""},
		{"one failed", true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"id-b"}]}`)}, "b"},
		{"reports that weren't asked for", false, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"id-b"}]}`)}, ""},
		{"bad report", true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"id-z"}]}`)}, "a b c"},
		{"function error", true, Result{FunctionError: Unhandled, Payload: []byte(`{}`)}, "a b c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				q := newQueue(time.Minute, "a", "b", "c")
				p := newPoller(t, dir, q, func(context.Context, string, []byte) (Result, error) { return c.result, nil })
				p.ReportsFailures = c.reports
				var polling sync.WaitGroup
				polling.Go(func() { p.poll(ctx) })
				time.Sleep(30 * time.Second)
				if q.left() != c.left {
					t.Errorf("left is %q, want %q", q.left(), c.left)
				}
				received := q.received()
				if received != 3 {
					t.Errorf("%d receives before the visibility timeout", received)
				}
				time.Sleep(45 * time.Second) // what failed comes back
				if got := q.received() - received; got != len(strings.Fields(c.left)) {
					t.Errorf("%d messages came back, want %q", got, c.left)
				}
				stop()
				polling.Wait()
				if left, _ := filepath.Glob(filepath.Join(dir, "batches", "M", "*")); len(left) > 0 {
					t.Errorf("settled batches are remembered: %v", left)
				}
			})
		})
	}
}

func newPoller(t *testing.T, dir string, q Queue, invoke func(context.Context, string, []byte) (Result, error)) *poller {
	t.Helper()
	ledger, err := openBatches(dir, "M")
	if err != nil {
		t.Fatal(err)
	}
	return &poller{Mapping: Mapping{Name: "M", Queue: q, QueueARN: "arn:q", BatchSize: 10}, region: "us-east-1",
		batches: ledger, log: func(string) {}, invoke: invoke}
}

func TestBatchSizeAndWindow(t *testing.T) {
	for _, c := range []struct {
		name   string
		size   int
		window time.Duration
		want   []int // sizes of the batches of 25 messages
	}{
		{"one by one", 1, 0, slices.Repeat([]int{1}, 25)},
		{"ten", 10, 0, []int{10, 10, 5}},
		{"a window gathers more", 20, 5 * time.Second, []int{20, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				var bodies []string
				for i := range 25 {
					bodies = append(bodies, fmt.Sprint(i))
				}
				var mu sync.Mutex
				var got []int
				ctx, stop := context.WithCancel(t.Context())
				p := newPoller(t, dir, newQueue(time.Hour, bodies...), func(_ context.Context, _ string, payload []byte) (Result, error) {
					var e events.SQSEvent
					if err := json.Unmarshal(payload, &e); err != nil {
						t.Error(err)
					}
					mu.Lock()
					got = append(got, len(e.Records))
					mu.Unlock()
					return Result{}, nil
				})
				p.BatchSize, p.Window = c.size, c.window
				var polling sync.WaitGroup
				polling.Go(func() { p.poll(ctx) })
				time.Sleep(time.Minute)
				stop()
				polling.Wait()
				if !slices.Equal(got, c.want) {
					t.Errorf("batches of %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestQueueEvent holds the event of a batch against the type that functions
// read it with.
func TestQueueEvent(t *testing.T) {
	text := "value"
	p := newPoller(t, t.TempDir(), nil, nil)
	payload := p.payload([]Message{{
		ID: "id", ReceiptHandle: "receipt", Body: `{"version":1}`, BodyMD5: "md5", CustomMD5: "md5-2",
		Attributes: map[string]string{"ApproximateReceiveCount": "2", "MessageGroupId": "job"},
		Custom:     map[string]MessageAttribute{"A": {StringValue: &text, DataType: "String"}, "B": {BinaryValue: []byte{1}, DataType: "Binary"}},
	}})
	decoder := json.NewDecoder(strings.NewReader(string(payload)))
	decoder.DisallowUnknownFields()
	var e events.SQSEvent
	if err := decoder.Decode(&e); err != nil {
		t.Fatal(err)
	}
	m := e.Records[0]
	if m.MessageId != "id" || m.ReceiptHandle != "receipt" || m.Body != `{"version":1}` || m.Md5OfBody != "md5" || m.Md5OfMessageAttributes != "md5-2" ||
		m.EventSource != "aws:sqs" || m.EventSourceARN != "arn:q" || m.AWSRegion != "us-east-1" ||
		m.Attributes["MessageGroupId"] != "job" || *m.MessageAttributes["A"].StringValue != "value" || m.MessageAttributes["B"].BinaryValue[0] != 1 {
		t.Errorf("the event is %+v", m)
	}
}

// TestMappingProcess runs batches through a real process, crash and timeout
// included.
func TestMappingProcess(t *testing.T) {
	h := openHost(t, Config{})
	deploy(t, h, "Worker", func(f *Function) {
		f.Timeout = time.Second
		f.Environment = map[string]string{"HANDLES": "sqs"}
	})
	q := newQueue(time.Hour, "ok", "fail", "error", "crash", "sleep", "unknown", "ok2")
	if err := h.Map(Mapping{Name: "M", Function: "Worker", Queue: q, QueueARN: "arn:q", BatchSize: 1, Concurrency: 2, ReportsFailures: true}); err != nil {
		t.Fatal(err)
	}
	until(t, "the batches", func() bool {
		left, _ := filepath.Glob(filepath.Join(h.config.Dir, "batches", "M", "*"))
		return q.received() == 7 && len(left) == 0
	})
	if got := q.left(); got != "fail error crash sleep unknown" {
		t.Errorf("left is %q", got)
	}
	if n := h.Warm("Worker"); n > 2 {
		t.Errorf("%d environments with a concurrency of 2", n)
	}
}

// TestMappingRestart checks that the next host releases what was in work
// when the first one ended.
func TestMappingRestart(t *testing.T) {
	dir := t.TempDir()
	sleepy := func(f *Function) { f.Environment = map[string]string{"HANDLES": "sqs"} }
	q := newQueue(time.Hour, "sleep")
	m := Mapping{Name: "M", Function: "Worker", Queue: q, QueueARN: "arn:q", ReportsFailures: true}

	h := openHost(t, Config{Dir: dir})
	deploy(t, h, "Worker", sleepy)
	if err := h.Map(m); err != nil {
		t.Fatal(err)
	}
	until(t, "the batch", func() bool { return h.Warm("Worker") == 1 })
	h.Close()
	if left, _ := os.ReadDir(filepath.Join(dir, "batches", "M")); len(left) != 1 {
		t.Fatalf("the batch in work isn't remembered: %v", left)
	}
	q.messages[0].message.Body = "ok"
	next := openHost(t, Config{Dir: dir})
	deploy(t, next, "Worker", sleepy)
	if err := next.Map(m); err != nil {
		t.Fatal(err)
	}
	until(t, "the redelivery", func() bool { return q.left() == "" })
}
