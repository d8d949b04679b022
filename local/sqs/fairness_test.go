package sqs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// groupsOf returns the groups of received messages in order, as one text.
func groupsOf(messages []Message) string {
	var groups []string
	for _, m := range messages {
		groups = append(groups, m.Attributes["MessageGroupId"])
	}
	return strings.Join(groups, "")
}

func TestGroupsTakeTurns(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q")
		for range 100 {
			h.send("q", "x", "a")
		}
		for _, group := range []string{"b", "c", "b", "c"} {
			h.send("q", "x", group)
		}
		if got := groupsOf(h.poll("q", 10, 0)); got != "abcabcaaaa" {
			t.Errorf("ten messages came from groups %s, want abcabcaaaa", got)
		}
	})
}

// A job that comes while another has the workers busy gets the next free
// ones until it has as many.
func TestNewGroupIsNotHeldUpByABacklog(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "VisibilityTimeout", "3600")
		for range 1000 {
			h.send("q", "x", "noisy")
		}
		busy := append(h.poll("q", 10, 0), h.poll("q", 10, 0)...)
		for range 30 {
			h.send("q", "x", "quiet")
		}
		var got []string
		for _, m := range busy { // a worker finishes and takes the next
			h.must(h.Delete("q", m.ReceiptHandle))
			got = append(got, h.one("q").Attributes["MessageGroupId"])
		}
		first := slices.Index(got, "noisy")
		if first < 9 {
			t.Errorf("the noisy group came again after %d of the quiet one: %v", first, got)
		}
		if n := len(got) - strings.Count(strings.Join(got, " "), "quiet"); n > 11 {
			t.Errorf("%d of 20 turns went to the noisy group", n)
		}
	})
}

func TestTurnsAreEvenOverTime(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q")
		counts := make(map[string]int)
		for i := range 60 {
			h.send("q", "x", fmt.Sprint(i%3))
		}
		for range 30 { // one worker, so nothing else is in flight
			m := h.one("q")
			counts[m.Attributes["MessageGroupId"]]++
			h.must(h.Delete("q", m.ReceiptHandle))
		}
		for group, n := range counts {
			if n != 10 {
				t.Errorf("group %s had %d of 30 turns, want 10", group, n)
			}
		}
	})
}

func TestWithinAGroupFirstComeFirstServed(t *testing.T) {
	for _, group := range []string{"", "job"} {
		bubble(t, func(h harness) {
			h.queue("q", "VisibilityTimeout", "10")
			for i := range 15 {
				h.send("q", fmt.Sprint(i), group)
			}
			var got []string
			for _, m := range append(h.poll("q", 10, 0), h.poll("q", 10, 0)...) {
				got = append(got, m.Body)
			}
			if want := "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14"; strings.Join(got, " ") != want {
				t.Errorf("group %q came as %v", group, got)
			}
			h.send("q", "later", group)
			time.Sleep(10 * time.Second)
			if m := h.one("q"); m.Body != "later" {
				t.Errorf("%q came before one that had shown all the time", m.Body)
			}
		})
	}
}

func TestMessagesWithoutAGroupAreNotHeldUp(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q")
		for range 50 {
			h.send("q", "x", "g")
		}
		for range 3 {
			h.send("q", "x", "")
		}
		got := h.poll("q", 10, 0)
		without := 0
		for _, m := range got {
			if m.Attributes["MessageGroupId"] == "" {
				without++
			}
		}
		if without != 3 {
			t.Errorf("%d of 3 messages without a group came with the first ten", without)
		}
	})
}

// Groups that have nothing left are forgotten.
func TestIdleGroupsAreDropped(t *testing.T) {
	bubble(t, func(h harness) {
		h.queue("q", "VisibilityTimeout", "1")
		for i := range 50 {
			h.send("q", "x", fmt.Sprint(i))
			h.must(h.Delete("q", h.one("q").ReceiptHandle))
		}
		h.send("q", "x", "seen")
		m := h.one("q")
		time.Sleep(time.Second)
		h.counts("q", 1, 0, 0)
		h.must(h.Delete("q", m.ReceiptHandle)) // while it shows
		h.none("q")
		h.mu.Lock()
		defer h.mu.Unlock()
		if n := len(h.queues["q"].groups); n != 0 {
			t.Errorf("%d groups are kept", n)
		}
	})
}
