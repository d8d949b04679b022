package sqs

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestSamples: what CloudWatch is told of a queue and of its dead letters.
func TestSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Config{Dir: t.TempDir(), Region: "us-east-1", Account: "111122223333", Known: func(string) bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.CreateQueue("dead", nil))
		must(s.CreateQueue("q", map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": `{"deadLetterTargetArn":"` + s.ARN("dead") + `","maxReceiveCount":5}`}))
		check := func(what, want string) {
			t.Helper()
			if got := fmt.Sprintf("%+v", s.Samples(time.Now())); got != want {
				t.Errorf("%s:\n%s, want\n%s", what, got, want)
			}
		}
		for range 2 {
			_, err := s.Send("q", SendInput{MessageBody: "12345"})
			must(err)
		}
		delay, none := 900, time.Duration(0)
		_, err = s.Send("q", SendInput{MessageBody: "1", DelaySeconds: &delay})
		must(err)
		time.Sleep(time.Minute)
		check("sent", "[{Queue:dead Visible:0 NotVisible:0 Delayed:0 Oldest:0s Sent:0 Received:0 Deleted:0 EmptyReceives:0 SentBytes:[]} "+
			"{Queue:q Visible:2 NotVisible:0 Delayed:1 Oldest:1m0s Sent:3 Received:0 Deleted:0 EmptyReceives:0 SentBytes:[5 5 1]}]")
		hour := time.Hour
		got, err := s.Receive(t.Context(), "q", ReceiveOptions{Visibility: &hour})
		must(err)
		must(s.Delete("q", got[0].ReceiptHandle))
		for range 4 {
			_, err = s.Receive(t.Context(), "q", ReceiveOptions{Wait: &none})
			must(err)
		}
		check("one is received over and over: that may be poison", "[{Queue:dead Visible:0 NotVisible:0 Delayed:0 Oldest:0s Sent:0 Received:0 Deleted:0 EmptyReceives:0 SentBytes:[]} "+
			"{Queue:q Visible:1 NotVisible:0 Delayed:1 Oldest:1m0s Sent:0 Received:5 Deleted:1 EmptyReceives:0 SentBytes:[]}]")
		for range 2 {
			_, err = s.Receive(t.Context(), "q", ReceiveOptions{Wait: &none})
			must(err)
		}
		check("it is moved", "[{Queue:dead Visible:1 NotVisible:0 Delayed:0 Oldest:1m0s Sent:0 Received:0 Deleted:0 EmptyReceives:0 SentBytes:[]} "+
			"{Queue:q Visible:0 NotVisible:0 Delayed:1 Oldest:1m0s Sent:0 Received:1 Deleted:0 EmptyReceives:1 SentBytes:[]}]")
		for range 2 {
			_, err := s.Receive(t.Context(), "dead", ReceiveOptions{Visibility: &hour})
			must(err)
		}
		check("it is looked at", "[{Queue:dead Visible:0 NotVisible:1 Delayed:0 Oldest:1m0s Sent:0 Received:1 Deleted:0 EmptyReceives:1 SentBytes:[]} "+
			"{Queue:q Visible:0 NotVisible:0 Delayed:1 Oldest:1m0s Sent:0 Received:0 Deleted:0 EmptyReceives:0 SentBytes:[]}]")
	})
}
