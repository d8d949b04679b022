package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// Notice is a message about a state that a job has reached, and the claim on
// sending it: only who created or renewed it sends. What is sent again is the
// same message, whatever became of the job meanwhile.
type Notice struct {
	Version  int       `json:"version"`
	Topic    string    `json:"topic"` // ARN
	Subject  string    `json:"subject"`
	Message  string    `json:"message"`
	Claimed  time.Time `json:"claimed"` // when the last attempt to send it began
	Attempts int       `json:"attempts"`
	// Claimant is whose the last claim is, by a random name: who finds its own
	// after a write whose answer was lost has the claim.
	Claimant  string `json:"claimant,omitempty"`
	MessageID string `json:"messageId,omitempty"` // the topic's, once it has the message
}

// Sent says whether the topic is known to have the message.
func (n *Notice) Sent() bool { return n.MessageID != "" }

func noticeKey(job, state string) string { return "notified/" + job + "/" + state + ".json" }

// ClaimNotice stores a notice of a job's state, or reads the one that was there
// first; claimed says which.
func (l *Ledger) ClaimNotice(ctx context.Context, job, state string, n *Notice) (first *Notice, claimed bool, err error) {
	n.Version, n.Claimant = Version, rand.Text()
	mine := n.Claimant
	first, claimed, err = createOrRead(ctx, l, noticeKey(job, state), n)
	return first, claimed || err == nil && first.Claimant == mine, err
}

// RenewNotice claims anew a notice that was claimed before the time given and is
// not known to be sent; renewed says whether it is this call that did.
func (l *Ledger) RenewNotice(ctx context.Context, job, state string, before, now time.Time) (renewed bool, err error) {
	mine := rand.Text()
	_, err = update(ctx, l, noticeKey(job, state), func(n *Notice) error {
		if n.Claimant == mine {
			renewed = true
			return errUnchanged
		}
		if renewed = !n.Sent() && n.Claimed.Before(before); !renewed {
			return errUnchanged
		}
		n.Claimed, n.Attempts, n.Claimant = now, n.Attempts+1, mine
		return nil
	})
	return renewed && err == nil, err
}

// ConfirmNotice notes that a notice was sent, once.
func (l *Ledger) ConfirmNotice(ctx context.Context, job, state, messageID string) error {
	if messageID == "" {
		return errors.New("a message that was sent has an id")
	}
	_, err := update(ctx, l, noticeKey(job, state), func(n *Notice) error {
		if n.Sent() {
			return errUnchanged
		}
		n.MessageID = messageID
		return nil
	})
	return err
}
