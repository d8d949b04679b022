package sqs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sealreel/local/internal/awsjson"
)

func newCall() *awsjson.Call { return &awsjson.Call{AccessKeyID: testKey, Endpoint: "http://x"} }

func journalOf(dir string) string { return filepath.Join(dir, "queues.jsonl") }

// restarts runs before on a Server, then after on what a Server finds that
// starts later: after a Close, after the death of the process at the end of
// before, and after one with half a line written.
func restarts(t *testing.T, before, after func(h harness)) {
	t.Helper()
	for _, end := range []string{"closed", "killed", "killed while writing"} {
		t.Run(end, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := open(t, dir)
				before(harness{s, t})
				if end == "closed" {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
				}
				other := t.TempDir() // s still has the first open
				journal, err := os.ReadFile(journalOf(dir))
				if err != nil {
					t.Fatal(err)
				}
				if end == "killed while writing" {
					journal = append(journal, `{"Put":{"Queue":"q","ID":"half`...)
				}
				if err := os.WriteFile(journalOf(other), journal, 0o600); err != nil {
					t.Fatal(err)
				}
				after(harness{open(t, other), t})
			})
		})
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	var kept, lapsed Message
	restarts(t, func(h harness) {
		h.queue("dead")
		h.queue("q", "VisibilityTimeout", "60", "RedrivePolicy", `{"deadLetterTargetArn":"`+h.ARN("dead")+`","maxReceiveCount":2}`)
		h.queue("gone")
		value := "v"
		_, err := h.Send("q", SendInput{MessageBody: "kept", MessageGroupId: "job",
			MessageAttributes: map[string]AttributeValue{"s": {DataType: "String", StringValue: &value}, "b": {DataType: "Binary", BinaryValue: []byte{0, 1}}}})
		h.must(err)
		kept = h.one("q")
		h.must(h.ChangeVisibility("q", kept.ReceiptHandle, 300*time.Second))
		h.send("q", "lapsed", "")
		lapsed = h.one("q")
		h.send("q", "deleted", "")
		h.must(h.Delete("q", h.one("q").ReceiptHandle))
		delay := 90
		_, err = h.Send("q", SendInput{MessageBody: "delayed", DelaySeconds: &delay})
		h.must(err)
		h.send("gone", "x", "")
		_, err = h.deleteQueue(h.t.Context(), newCall(), queueInput{"http://x/gone"})
		h.must(err)
		h.counts("q", 0, 2, 1)
	}, func(h harness) {
		h.counts("q", 0, 2, 1)
		h.counts("dead", 0, 0, 0)
		if err := h.exists("gone"); err == nil {
			h.t.Error("the deleted queue is there again")
		}
		time.Sleep(60 * time.Second)
		h.counts("q", 1, 1, 1)
		m := h.one("q")
		if m.MessageId != lapsed.MessageId || m.Attributes["ApproximateReceiveCount"] != "2" ||
			m.Attributes["ApproximateFirstReceiveTimestamp"] != lapsed.Attributes["ApproximateFirstReceiveTimestamp"] {
			h.t.Errorf("received %v, want the second receive of %v", m, lapsed)
		}
		time.Sleep(60 * time.Second)
		if m := h.one("q"); m.Body != "delayed" {
			h.t.Errorf("received %q, want delayed", m.Body)
		}
		h.none("q") // which would be its third receive, of two
		h.counts("dead", 1, 0, 0)
		h.must(h.ChangeVisibility("q", kept.ReceiptHandle, 0)) // its handle is still good
		again := h.one("q")
		if again.Body != "kept" || again.MD5OfMessageAttributes != kept.MD5OfMessageAttributes || again.Attributes["MessageGroupId"] != "job" {
			h.t.Errorf("received %v, want %v", again, kept)
		}
	})
}

func TestPurgeAndRetentionSurviveARestart(t *testing.T) {
	restarts(t, func(h harness) {
		h.queue("purged")
		h.send("purged", "x", "")
		_, err := h.purgeQueue(h.t.Context(), newCall(), queueInput{"http://x/purged"})
		h.must(err)
		h.queue("q", "MessageRetentionPeriod", "60")
		h.send("q", "expired", "")
		time.Sleep(time.Minute)
		h.must(h.SetAttributes("q", map[string]string{"MessageRetentionPeriod": "3600"}))
		h.counts("q", 0, 0, 0)
	}, func(h harness) {
		h.counts("purged", 0, 0, 0)
		h.counts("q", 0, 0, 0) // not back because it would be kept longer now
	})
}

func TestMovedMessageIsNeverLost(t *testing.T) {
	restarts(t, func(h harness) {
		h.queue("dead")
		h.queue("q", "VisibilityTimeout", "1", "RedrivePolicy", `{"deadLetterTargetArn":"`+h.ARN("dead")+`","maxReceiveCount":1}`)
		h.send("q", "poison", "")
		h.one("q")
		time.Sleep(time.Second)
		h.none("q")
	}, func(h harness) {
		h.counts("q", 0, 0, 0)
		if m := h.one("dead"); m.Body != "poison" || m.Attributes["DeadLetterQueueSourceArn"] != h.ARN("q") {
			h.t.Errorf("dead letter %v", m)
		}
	})
}

func TestJournalIsCompacted(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	h := harness{s, t}
	h.queue("q")
	h.send("q", "stays", "")
	h.one("q")
	body := strings.Repeat("x", 256<<10)
	for range 100 {
		h.send("q", body, "")
		h.must(s.Delete("q", h.one("q").ReceiptHandle))
	}
	info, err := os.Stat(journalOf(dir))
	if err != nil || info.Size() > minGrowth+2*int64(len(body)) {
		t.Errorf("the journal has %d bytes after 25 MiB of messages that are gone", info.Size())
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	h.must(s.Close())
	harness{open(t, dir), t}.counts("q", 0, 1, 0)
	if info, err := os.Stat(journalOf(dir)); err != nil || info.Size() > 2000 {
		t.Errorf("after a restart the journal has %d bytes", info.Size())
	}
}

func TestDamagedJournalIsAnErrorWithItsPlace(t *testing.T) {
	good := `{"Queue":{"Name":"q","Created":"2026-11-24T00:00:00Z","Modified":"2026-11-24T00:00:00Z","Purged":"0001-01-01T00:00:00Z"}}` + "\n"
	for name, text := range map[string]string{
		"not JSON":        good + "garbage\n" + good,
		"no such queue":   good + `{"Put":{"Queue":"other","ID":"1"}}` + "\n",
		"unknown record":  good + `{"Later":{}}` + "\n",
		"invalid setting": good + `{"Queue":{"Name":"q","Attributes":{"DelaySeconds":"x"}}}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(journalOf(dir), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(Config{Dir: dir, Region: testRegion, Account: testAccount, Known: func(string) bool { return true }})
			if err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), "queues.jsonl") {
				t.Errorf("error %v, want one that names the file and line 2", err)
			}
			if left, _ := os.ReadFile(journalOf(dir)); string(left) != text {
				t.Error("the damaged journal was changed")
			}
		})
	}
}

func TestServerThatCannotWriteServesNoMore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	h := harness{s, t}
	h.queue("q")
	h.send("q", "answered", "")
	s.journal.file.Close() // as a full disk would, every write fails
	if _, err := s.Send("q", SendInput{MessageBody: "lost"}); err == nil {
		t.Fatal("a send that was not written was answered")
	}
	if got, err := s.Receive(t.Context(), "q", ReceiveOptions{Max: 10}); err == nil {
		t.Fatalf("afterwards it handed out %v", got)
	}
	h = harness{open(t, dir), t}
	if m := h.one("q"); m.Body != "answered" {
		t.Errorf("after a restart it hands out %q", m.Body)
	}
}

func TestRequestsAreReported(t *testing.T) {
	var mu sync.Mutex
	var got []Request
	s, err := Open(Config{Dir: t.TempDir(), Region: testRegion, Account: testAccount, Known: func(string) bool { return true },
		OnRequest: func(r Request) { mu.Lock(); got = append(got, r); mu.Unlock() }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := harness{s, t}
	h.queue("q")
	h.send("q", "x", "")
	h.must(s.Delete("q", h.one("q").ReceiptHandle))
	s.ChangeVisibility("q", "nonsense", 0)
	s.Send("none", SendInput{MessageBody: "x"})
	want := []Request{{Action: "CreateQueue", Queue: "q", Status: 200}, {Action: "SendMessage", Queue: "q", Status: 200},
		{Action: "ReceiveMessage", Queue: "q", Status: 200}, {Action: "DeleteMessage", Queue: "q", Status: 200},
		{Action: "ChangeMessageVisibility", Queue: "q", Status: 400}, {Action: "SendMessage", Queue: "none", Status: 400}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("reported %v, want %v", got, want)
	}
}

func TestQueueName(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:4566/123456789012/chunks": "chunks", "https://sqs.eu-west-1.amazonaws.com/123456789012/chunks": "chunks",
		"arn:aws:sqs:eu-west-1:123456789012:chunks": "chunks", "chunks": "chunks", "": "",
	} {
		if got := QueueName(in); got != want {
			t.Errorf("QueueName(%q) is %q, want %q", in, got, want)
		}
	}
}

func FuzzReplay(f *testing.F) {
	dir := f.TempDir()
	s := open(f, dir)
	if err := s.CreateQueue("q", nil); err != nil {
		f.Fatal(err)
	}
	s.Send("q", SendInput{MessageBody: "x", MessageGroupId: "g"})
	got, err := s.Receive(f.Context(), "q", ReceiveOptions{})
	if err != nil {
		f.Fatal(err)
	}
	s.ChangeVisibility("q", got[0].ReceiptHandle, 0)
	s.Delete("q", got[0].ReceiptHandle)
	journal, err := os.ReadFile(journalOf(dir))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(journal)
	f.Add([]byte(`{"Purge":{"Queue":"q"}}` + "\n"))
	f.Fuzz(func(t *testing.T, journal []byte) {
		s := &Server{config: Config{Region: testRegion, Account: testAccount}, queues: make(map[string]*queue)}
		if replay(bytes.NewReader(journal), s) != nil {
			return
		}
		for _, q := range s.queues {
			q.shown(time.Now())
			if q.inFlight < 0 || q.inFlight > len(q.hidden) || len(q.hidden) > len(q.messages) {
				t.Errorf("%d in flight of %d hidden of %d messages", q.inFlight, len(q.hidden), len(q.messages))
			}
		}
	})
}

// A handle is either refused or the one that its own parts make.
func FuzzParseHandle(f *testing.F) {
	arn := "arn:aws:sqs:eu-west-1:123456789012:q"
	f.Add(handleOf(&message{ID: awsjson.UUID(), Delivery: delivery{Token: make([]byte, tokenSize)}}, arn))
	f.Add("")
	f.Fuzz(func(t *testing.T, handle string) {
		id, token, err := parseHandle(handle, arn)
		if err != nil {
			return
		}
		again := handleOf(&message{ID: id, Delivery: delivery{Token: token}}, arn)
		if strings.NewReplacer("\r", "", "\n", "").Replace(handle) != again {
			t.Errorf("handle %q was taken for %q", handle, again)
		}
	})
}
