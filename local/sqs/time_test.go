package sqs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// harness is a Server with one queue, for tests in a bubble of fake time.
type harness struct {
	*Server
	t *testing.T
}

// bubble runs a test on a Server whose clock stands still unless all wait.
func bubble(t *testing.T, test func(h harness)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dir)
		test(harness{s, t})
	})
}

func (h harness) queue(name string, attributes ...string) {
	h.t.Helper()
	set := make(map[string]string)
	for i := 0; i < len(attributes); i += 2 {
		set[attributes[i]] = attributes[i+1]
	}
	if err := h.CreateQueue(name, set); err != nil {
		h.t.Fatal(err)
	}
}

func (h harness) send(queue, body, group string) {
	h.t.Helper()
	if _, err := h.Send(queue, SendInput{MessageBody: body, MessageGroupId: group}); err != nil {
		h.t.Fatal(err)
	}
}

// poll receives up to max messages and waits for the first.
func (h harness) poll(queue string, max int, wait time.Duration) []Message {
	h.t.Helper()
	got, err := h.Receive(h.t.Context(), queue, ReceiveOptions{Max: max, Wait: &wait})
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

func (h harness) one(queue string) Message {
	h.t.Helper()
	got := h.poll(queue, 1, 0)
	if len(got) != 1 {
		h.t.Fatalf("received %d messages from %s, want 1", len(got), queue)
	}
	return got[0]
}

func (h harness) none(queue string) {
	h.t.Helper()
	if got := h.poll(queue, 10, 0); len(got) != 0 {
		h.t.Fatalf("received %d messages from %s, want none", len(got), queue)
	}
}

// counts checks how many messages show, are in flight and are delayed.
func (h harness) counts(queue string, visible, inFlight, delayed int) {
	h.t.Helper()
	a, err := h.Attributes(queue)
	if err != nil {
		h.t.Fatal(err)
	}
	got := a["ApproximateNumberOfMessages"] + "/" + a["ApproximateNumberOfMessagesNotVisible"] + "/" + a["ApproximateNumberOfMessagesDelayed"]
	if want := fmt.Sprintf("%d/%d/%d", visible, inFlight, delayed); got != want {
		h.t.Errorf("%s has %s messages visible/in flight/delayed, want %s", queue, got, want)
	}
}

func (h harness) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestVisibilityTimeoutToTheMoment(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "VisibilityTimeout", "30")
		h.send("q", "x", "")
		first := h.one("q")
		time.Sleep(30*time.Second - 1)
		h.none("q")
		h.counts("q", 0, 1, 0)
		time.Sleep(1)
		h.counts("q", 1, 0, 0)
		second := h.one("q")
		if second.Attributes["ApproximateReceiveCount"] != "2" || second.ReceiptHandle == first.ReceiptHandle {
			t.Errorf("second receive %v", second)
		}
		h.counts("q", 0, 1, 0)
	})
}

func TestVisibilityIsChangedFromNowOn(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "VisibilityTimeout", "30")
		h.send("q", "x", "")
		m := h.one("q")
		for range 5 { // as a worker that lives does
			time.Sleep(20 * time.Second)
			h.must(h.ChangeVisibility("q", m.ReceiptHandle, 30*time.Second))
		}
		time.Sleep(30*time.Second - 1)
		h.none("q")
		time.Sleep(1)
		h.one("q")
	})
}

func TestTimeCanBeLetPass(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "VisibilityTimeout", "240")
		h.send("q", "x", "")
		h.one("q")
		h.must(h.Elapse("q", 239*time.Second))
		h.none("q")
		h.must(h.Elapse("q", time.Second))
		h.one("q")
		if err := h.Elapse("none", time.Second); err == nil {
			t.Error("a queue that is not there lets time pass")
		}
	})
}

func TestAHandleWhoseTimeIsOverChangesNothing(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "VisibilityTimeout", "10")
		h.send("q", "x", "")
		m := h.one("q")
		time.Sleep(10 * time.Second)
		h.must(h.ChangeVisibility("q", m.ReceiptHandle, 60*time.Second))
		h.counts("q", 1, 0, 0)
		h.one("q")
		if err := h.ChangeVisibility("q", m.ReceiptHandle, 0); err == nil {
			t.Error("an outdated handle was taken for the message in flight")
		}
		h.must(h.Delete("q", m.ReceiptHandle)) // succeeds, but is outdated too
		h.counts("q", 0, 1, 0)
	})
}

func TestVisibilityEndsTwelveHoursAfterTheReceive(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q")
		h.send("q", "x", "")
		m := h.one("q")
		h.must(h.ChangeVisibility("q", m.ReceiptHandle, 12*time.Hour))
		time.Sleep(time.Hour)
		h.must(h.ChangeVisibility("q", m.ReceiptHandle, 11*time.Hour))
		if err := h.ChangeVisibility("q", m.ReceiptHandle, 11*time.Hour+time.Second); err == nil {
			t.Error("a second more was allowed")
		}
		time.Sleep(11 * time.Hour)
		h.one("q")
	})
}

func TestZeroVisibilityHandsNothingOutTwiceAtOnce(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "VisibilityTimeout", "0")
		h.send("q", "x", "")
		for range 3 {
			if got := h.poll("q", 10, 0); len(got) != 1 {
				t.Fatalf("received %d, want 1", len(got))
			}
		}
	})
}

func TestDelay(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "DelaySeconds", "10")
		h.send("q", "queue's", "")
		soon := 0
		if _, err := h.Send("q", SendInput{MessageBody: "own", DelaySeconds: &soon}); err != nil {
			t.Fatal(err)
		}
		h.counts("q", 1, 0, 1)
		if m := h.one("q"); m.Body != "own" {
			t.Errorf("received %s", m.Body)
		}
		h.counts("q", 0, 1, 1)
		start := time.Now()
		got := h.poll("q", 1, 20*time.Second)
		if len(got) != 1 || got[0].Body != "queue's" || time.Since(start) != 10*time.Second {
			t.Errorf("received %v after %v, want queue's after 10s", got, time.Since(start))
		}
	})
}

func TestLongPoll(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "ReceiveMessageWaitTimeSeconds", "5")
		start := time.Now()
		got, err := h.Receive(h.t.Context(), "q", ReceiveOptions{})
		if err != nil || len(got) != 0 || time.Since(start) != 5*time.Second {
			t.Errorf("the queue's wait: %v, %v after %v", got, err, time.Since(start))
		}
		reserved := h.reserve("q")
		for _, test := range []struct {
			name   string
			after  time.Duration
			happen func()
		}{
			{"a message is sent", 3 * time.Second, func() { h.send("q", "sent", "") }},
			{"one in flight is given back", 4 * time.Second, func() { h.must(h.ChangeVisibility("q", reserved, 0)) }},
		} {
			start := time.Now()
			time.AfterFunc(test.after, test.happen)
			got := h.poll("q", 10, 20*time.Second)
			if len(got) != 1 || time.Since(start) != test.after {
				t.Errorf("%s: %d messages after %v, want 1 after %v", test.name, len(got), time.Since(start), test.after)
			}
			for _, m := range got {
				h.must(h.Delete("q", m.ReceiptHandle))
			}
		}
	})
}

// reserve puts a message in flight and returns its handle.
func (h harness) reserve(queue string) string {
	h.send(queue, "reserved", "")
	return h.one(queue).ReceiptHandle
}

func TestLongPollsShareWhatComes(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "VisibilityTimeout", "3600")
		var mu sync.Mutex
		var got []string
		var pollers sync.WaitGroup
		for range 5 {
			pollers.Go(func() {
				for _, m := range h.poll("q", 1, 20*time.Second) {
					mu.Lock()
					got = append(got, m.Body)
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Second)
		for i := range 3 {
			h.send("q", strconv.Itoa(i), "")
		}
		pollers.Wait()
		slices.Sort(got)
		if !slices.Equal(got, []string{"0", "1", "2"}) {
			t.Errorf("received %v, want each message once", got)
		}
	})
}

func TestLongPollEndsEarly(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q")
		wait := 20 * time.Second
		start := time.Now()
		ctx, cancel := context.WithTimeout(h.t.Context(), 2*time.Second)
		defer cancel()
		if _, err := h.Receive(ctx, "q", ReceiveOptions{Wait: &wait}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("the caller left: %v after %v", err, time.Since(start))
		}
		h.send("q", "x", "")
		if got, err := h.Receive(ctx, "q", ReceiveOptions{}); err == nil {
			t.Errorf("a caller that is gone received %v", got)
		}
		h.counts("q", 1, 0, 0)
		h.one("q")
		time.AfterFunc(3*time.Second, func() { h.Close() })
		start = time.Now()
		if _, err := h.Receive(h.t.Context(), "q", ReceiveOptions{Wait: &wait}); err == nil || time.Since(start) != 3*time.Second {
			t.Errorf("the server closed: %v after %v", err, time.Since(start))
		}
	})
}

func TestRedriveAfterMaxReceives(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("dead")
		h.queue("q", "VisibilityTimeout", "10", "RedrivePolicy", `{"deadLetterTargetArn":"`+h.ARN("dead")+`","maxReceiveCount":3}`)
		sent, err := h.Send("q", SendInput{MessageBody: "poison", MessageGroupId: "job"})
		h.must(err)
		born := time.Now()
		for i := range 3 {
			if m := h.one("q"); m.Attributes["ApproximateReceiveCount"] != strconv.Itoa(i+1) {
				t.Errorf("receive %d has %v", i+1, m.Attributes)
			}
			time.Sleep(10 * time.Second)
		}
		h.counts("q", 1, 0, 0) // it moves when somebody would receive it again
		h.none("q")
		h.counts("q", 0, 0, 0)
		m := h.one("dead")
		want := map[string]string{"MessageGroupId": "job", "DeadLetterQueueSourceArn": h.ARN("q"),
			"SentTimestamp": strconv.FormatInt(born.UnixMilli(), 10), "ApproximateReceiveCount": "4"}
		for name, value := range want {
			if m.Attributes[name] != value {
				t.Errorf("%s is %q, want %q", name, m.Attributes[name], value)
			}
		}
		if m.MessageId != sent.MessageId || m.Body != "poison" {
			t.Errorf("dead letter %s %q", m.MessageId, m.Body)
		}
	})
}

func TestRedriveWakesWhoWaitsForDeadLetters(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("dead")
		h.queue("q", "VisibilityTimeout", "5", "RedrivePolicy", `{"deadLetterTargetArn":"`+h.ARN("dead")+`","maxReceiveCount":1}`)
		h.send("q", "poison", "")
		h.one("q")
		var worker sync.WaitGroup
		worker.Go(func() { h.poll("q", 1, 20*time.Second) })
		start := time.Now()
		if got := h.poll("dead", 1, 20*time.Second); len(got) != 1 || time.Since(start) != 5*time.Second {
			t.Errorf("%d dead letters after %v, want 1 after 5s", len(got), time.Since(start))
		}
		worker.Wait()
	})
}

func TestWithoutItsDeadLetterQueueAMessageStays(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("dead")
		h.queue("q", "VisibilityTimeout", "1", "RedrivePolicy", `{"deadLetterTargetArn":"`+h.ARN("dead")+`","maxReceiveCount":1}`)
		h.send("q", "x", "")
		h.mu.Lock()
		delete(h.queues, "dead")
		h.mu.Unlock()
		for range 3 {
			h.one("q")
			time.Sleep(time.Second)
		}
	})
}

func TestRetention(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "MessageRetentionPeriod", "60", "VisibilityTimeout", "3600")
		h.send("q", "old, in flight", "")
		h.one("q")
		h.send("q", "old", "a")
		time.Sleep(30 * time.Second)
		h.send("q", "young", "a")
		time.Sleep(30*time.Second - 1)
		h.counts("q", 2, 1, 0)
		time.Sleep(1)
		h.counts("q", 1, 0, 0)
		if m := h.one("q"); m.Body != "young" {
			t.Errorf("received %q", m.Body)
		}
		h.must(h.SetAttributes("q", map[string]string{"MessageRetentionPeriod": "3600"}))
		h.send("q", "kept", "")
		time.Sleep(time.Hour - 1)
		h.counts("q", 1, 0, 0)
		h.must(h.SetAttributes("q", map[string]string{"MessageRetentionPeriod": "600"}))
		h.counts("q", 0, 0, 0)
	})
}

func TestPurgeOnceAMinute(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q")
		purge := func() error {
			_, err := h.purgeQueue(h.t.Context(), newCall(), queueInput{h.QueueURL("http://x", "q")})
			return err
		}
		h.must(purge())
		time.Sleep(time.Minute - 1)
		if purge() == nil {
			t.Error("a second purge within a minute was allowed")
		}
		time.Sleep(1)
		h.must(purge())
	})
}
