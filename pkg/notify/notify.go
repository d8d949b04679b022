// Package notify tells a pipeline's SNS topics what states its jobs have
// reached: Progressing, Completed, Warning and Error, in Elastic Transcoder's
// messages.
//
// It guarantees one message a state, whatever is repeated or dies on the way:
// who sends it has created the state's claim in the ledger, and the claim keeps
// the message. A claim that is not known to have been sent is sent again after a
// while, so that none is lost; a topic hears a message twice only if the sender
// died, or could not write, in the moment between the topic's answer and the note
// of it. (Losing a message instead would leave whoever waits for a job's end
// waiting for ever.) No message holds a member of an Encryption.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/metric"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/role"
	"sealreel/pkg/trace"
)

const (
	// sending is how long an attempt to send may take.
	sending = 30 * time.Second
	// doubt is how old a claim is before it counts as one whose sender died: much
	// longer than an attempt takes.
	doubt = 4 * time.Minute
	// patience is how long after a job's end what can't be sent is tried again.
	patience = 24 * time.Hour
)

// Publish gives a topic (its ARN) a message and returns its id. It acts under
// the role, or where that is nil with the function's own rights.
type Publish func(ctx context.Context, as *role.Role, topic, subject, message string) (id string, err error)

// Notifier tells topics of jobs. It is safe for concurrent use.
type Notifier struct {
	Ledger  *ledger.Ledger
	Publish Publish
	RoleARN string // the stack's own role: pipelines with another are told of under theirs
	Log     *slog.Logger
	Now     func() time.Time
}

// Announce tells of every state that the job has reached and nobody was told of.
// A job that has ended is active no more when all is told. What fails is logged
// and left to Settle: no job fails for it.
func (n *Notifier) Announce(ctx context.Context, rec *ledger.Record) {
	if _, err := n.Settle(ctx, rec); err != nil {
		n.Log.WarnContext(ctx, "a notification is delayed", "job", rec.Job.ID, "err", err)
	}
}

// Settle is Announce with an error; for what looks after jobs time and again.
// settled says that nothing is left to tell of the states that the job has
// reached. Messages that can't be sent for a day after the job's end are given up.
func (n *Notifier) Settle(ctx context.Context, rec *ledger.Record) (settled bool, err error) {
	settled, err = n.tell(ctx, rec)
	if !job.Terminal(rec.Job.Status) {
		return settled, err
	}
	if late := n.Now().Sub(time.UnixMilli(rec.Job.Timing.FinishTimeMillis)); !settled && late > patience {
		n.Log.ErrorContext(ctx, "a notification is given up", "job", rec.Job.ID, "err", err)
		settled, err = true, nil
	}
	if !settled {
		return false, err
	}
	retired := n.Ledger.Retire(ctx, rec.Job.ID)
	if retired == nil && rec.Job.Status == job.Canceled { // by the command, which counts nothing
		metric.AddBy(ctx, metric.JobsEnded, job.Canceled, 1)
		metric.Add(ctx, metric.JobErrors, 0)
		trace.Whole(ctx, rec.Job.ID, job.Canceled, time.UnixMilli(rec.Job.Timing.SubmitTimeMillis), time.UnixMilli(rec.Job.Timing.FinishTimeMillis), false)
	}
	return true, errors.Join(err, retired)
}

// tell sends what is to be sent; settled says that nothing is left to do for the
// states that the job has reached.
func (n *Notifier) tell(ctx context.Context, rec *ledger.Record) (settled bool, err error) {
	states := States(rec)
	if len(states) == 0 {
		return true, nil
	}
	p, err := n.Ledger.Pipeline(ctx, rec.Job.PipelineID)
	if errors.Is(err, object.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	left, err := n.states(ctx, p, rec, states)
	if len(left) > 0 && err == nil {
		// Two that share the states of one job each find the other's not sent yet.
		// Whoever confirms the last of them finds all sent when it looks again.
		left, err = n.states(ctx, p, rec, left)
	}
	return len(left) == 0, err
}

// states tells of some states, and returns those that are left to another time or
// to whoever has claimed them.
func (n *Notifier) states(ctx context.Context, p *pipeline.Pipeline, rec *ledger.Record, states []string) (left []string, err error) {
	var errs []error
	for _, state := range states {
		topic := topicOf(p.Notifications, state)
		if topic == "" {
			continue
		}
		done, err := n.state(ctx, p, rec, state, topic)
		if !done {
			left = append(left, state)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("telling topic %s that job %s is %s: %w", topic, rec.Job.ID, state, err))
		}
	}
	return left, errors.Join(errs...)
}

func topicOf(topics *pipeline.Notifications, state string) string {
	if topics == nil {
		return ""
	}
	return map[string]string{Progressing: topics.Progressing, Completed: topics.Completed, Warning: topics.Warning, Error: topics.Error}[state]
}

// state tells of one state, unless somebody else does or did.
func (n *Notifier) state(ctx context.Context, p *pipeline.Pipeline, rec *ledger.Record, state, topic string) (done bool, err error) {
	id, now := rec.Job.ID, n.Now()
	notice, claimed, err := n.Ledger.ClaimNotice(ctx, id, state, &ledger.Notice{
		Topic: topic, Subject: Subject(state, id), Message: Message(state, rec), Claimed: now, Attempts: 1})
	if err != nil {
		return false, err
	}
	if !claimed {
		if notice.Sent() {
			return true, nil
		}
		if claimed, err = n.Ledger.RenewNotice(ctx, id, state, now.Add(-doubt), now); err != nil || !claimed {
			return false, err
		}
	}
	sent, err := n.send(ctx, n.roleOf(p, id, notice.Topic), notice)
	if err != nil {
		return false, err
	}
	if err := n.Ledger.ConfirmNotice(ctx, id, state, sent); err != nil {
		return false, fmt.Errorf("it was sent, and will be again: %w", err)
	}
	return true, nil
}

func (n *Notifier) send(ctx context.Context, as *role.Role, notice *ledger.Notice) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, sending)
	defer cancel()
	return n.Publish(ctx, as, notice.Topic, notice.Subject, notice.Message)
}

// roleOf is the pipeline's role, narrowed to sending to the topic; nil where the
// functions use their own rights.
func (n *Notifier) roleOf(p *pipeline.Pipeline, jobID, topic string) *role.Role {
	if p.Role == "" || p.Role == n.RoleARN {
		return nil
	}
	return &role.Role{ARN: p.Role, ExternalID: p.ID, Session: "sealreel-" + jobID, Topics: []string{topic}}
}
