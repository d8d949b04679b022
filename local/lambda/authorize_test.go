package lambda

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestLogsNeedTheRolesPermission: without it nothing is logged but why.
func TestLogsNeedTheRolesPermission(t *testing.T) {
	const stream = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/stack-Echo:log-stream:"
	for denied, want := range map[string]string{
		"":                     "START",
		"logs:CreateLogStream": "what Echo prints is not logged: no logs:CreateLogStream",
		"logs:PutLogEvents":    "what Echo prints is not logged: no logs:PutLogEvents",
	} {
		var mu sync.Mutex
		var asked []string
		logged := &lines{}
		h := openHost(t, Config{OnLine: logged.add, Authorize: func(function, action, resource string) error {
			mu.Lock()
			defer mu.Unlock()
			if function != "Echo" || !strings.HasPrefix(resource, stream+"20") {
				t.Errorf("%s is asked for %s on %s", function, action, resource)
			}
			asked = append(asked, action)
			if action == denied {
				return fmt.Errorf("no %s", action)
			}
			return nil
		}})
		deploy(t, h, "Echo", nil)
		for range 2 {
			if r := invoke(t, h, "Echo", request{Do: "echo"}); r.FunctionError != "" {
				t.Errorf("the function fails: %s", r.Payload)
			}
		}
		if all := logged.all(); !strings.HasPrefix(all, want) || denied != "" && strings.Contains(all, "\n") {
			t.Errorf("without %q the log is\n%s", denied, all)
		}
		want := map[string]int{"": 3, "logs:CreateLogStream": 1, "logs:PutLogEvents": 2}[denied]
		if len(asked) != want {
			t.Errorf("without %q it was asked for %v", denied, asked)
		}
	}
}

// deniedDestination may not be sent to.
type deniedDestination struct{ tries int }

func (d *deniedDestination) Send(context.Context, string, string, string) error {
	d.tries++
	return fmt.Errorf("%w: sqs:SendMessage", ErrDenied)
}

// TestDeniedDestination: the event ends, and not in silence.
func TestDeniedDestination(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d := &deniedDestination{}
		a := newAttempts(t, dir, 9, Async{OnFailure: "arn:failure"}, d)
		var logged []string
		a.queue.log = func(line string) { logged = append(logged, line) }
		a.resume(t, t.Context())
		if _, err := a.queue.put(t.Context(), []byte(`{}`), 0); err != nil {
			t.Fatal(err)
		}
		a.work.Wait()
		if d.tries != 1 || len(logged) != 1 || !strings.Contains(logged[0], "arn:failure: lambda: the function's role is not allowed to: sqs:SendMessage") {
			t.Errorf("%d tries, log %q", d.tries, logged)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("the event is still on disk: %v", left)
		}
	})
}

// deniedQueue may not be polled for a while.
type deniedQueue struct {
	*queue
	mu    sync.Mutex
	polls int
	until int
}

func (q *deniedQueue) Receive(ctx context.Context, limit int, wait time.Duration) ([]Message, error) {
	q.mu.Lock()
	q.polls++
	denied := q.polls <= q.until
	q.mu.Unlock()
	if denied {
		return nil, fmt.Errorf("%w: sqs:ReceiveMessage", ErrDenied)
	}
	return q.queue.Receive(ctx, limit, wait)
}

// TestDeniedPoll: nothing is delivered, each refusal is logged, and polls get
// rarer until they are allowed.
func TestDeniedPoll(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		q := &deniedQueue{queue: newQueue(time.Hour, "m"), until: 3}
		ledger, err := openBatches(dir, "m")
		if err != nil {
			t.Fatal(err)
		}
		var logged []string
		var at time.Duration
		start := time.Now()
		p := &poller{Mapping: Mapping{Queue: q, QueueARN: "arn:q", BatchSize: 1}, batches: ledger,
			log: func(line string) { logged = append(logged, line) },
			invoke: func(context.Context, string, []byte) (Result, error) {
				at = time.Since(start)
				stop()
				return Result{}, nil
			}}
		p.poll(ctx)
		if at != 7*time.Second { // after pauses of 1, 2 and 4 seconds
			t.Errorf("delivered after %v", at)
		}
		if len(logged) != 3 || !strings.Contains(logged[0], "receive from arn:q: "+ErrDenied.Error()) {
			t.Errorf("the log is %q", logged)
		}
	})
}
