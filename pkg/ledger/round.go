package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"sealreel/pkg/object"
)

// Round is where reconcile's rounds have got to: what does not fit into one is
// gone on with by the next.
type Round struct {
	Version int    `json:"version"`
	Writer  string `json:"writer"` // of this version of the record, a random text
	Jobs    Pass   `json:"jobs"`
	// IdleSince is when the first of the rounds ran since which no message waits in
	// the queue; the zero time when one does.
	IdleSince time.Time `json:"idleSince,omitzero"`
	Sweep     Sweep     `json:"sweep"`
	Pending   []Pending `json:"pending,omitempty"`

	etag string
}

// Pass is one look at every active job.
type Pass struct {
	Began  time.Time `json:"began,omitzero"`
	After  string    `json:"after,omitempty"` // id of the job that was looked at last; "" at the beginning
	Looked int       `json:"looked,omitempty"`
}

// Sweep is one look at everything in the ingest bucket.
type Sweep struct {
	// Done is when the last sweep began that came to its end: what was there then
	// needs no further look.
	Done  time.Time `json:"done,omitzero"`
	Began time.Time `json:"began,omitzero"`
	After Marker    `json:"after,omitzero"`
	Pages int       `json:"pages,omitempty"`
	// Leaky: something was found for which Pending has no room.
	Leaky bool `json:"leaky,omitempty"`
	// Failed: the page at this place could not be listed by the last round.
	Failed bool `json:"failed,omitempty"`
}

// Marker is a place in the listing of a bucket's versions; the zero Marker is its
// beginning.
type Marker struct {
	Key       string `json:"key,omitempty"`
	VersionID string `json:"versionId,omitempty"`
}

// Pending is a dropped object of which no job is known yet.
type Pending struct {
	Drop     Drop      `json:"drop"`
	At       time.Time `json:"at"`    // when it was stored, as storage says
	Since    time.Time `json:"since"` // since when it is known to be there
	Next     time.Time `json:"next"`  // when to look at it again
	Tries    int       `json:"tries,omitempty"`
	Replaced bool      `json:"replaced,omitempty"` // by a newer version of the object
	Over     bool      `json:"over,omitempty"`     // nothing takes it; the next sweep remembers that
}

const (
	roundKey = "reconcile/round.json"
	seenKey  = "reconcile/seen.json"
)

// Round reads where the rounds have got to, the zero Round before the first.
func (l *Ledger) Round(ctx context.Context) (*Round, error) {
	r, etag, err := read[Round](ctx, l, roundKey)
	switch {
	case errors.Is(err, object.ErrNotExist):
		return &Round{}, nil
	case err != nil:
		return nil, err
	}
	r.etag = etag
	return r, nil
}

// SetRound stores a Round in place of the one that was read or stored last.
// object.ErrChanged says that another round stored its own meanwhile.
func (l *Ledger) SetRound(ctx context.Context, r *Round) error {
	r.Version, r.Writer = Version, rand.Text()
	if err := l.put(ctx, roundKey, r, r.etag); err != nil {
		return err
	}
	stored, err := l.Round(ctx) // for its entity tag
	if err != nil {
		return err
	}
	if stored.Writer != r.Writer {
		return fmt.Errorf("writing %s: %w", roundKey, object.ErrChanged)
	}
	r.etag = stored.etag
	return nil
}

// Seen are the drops that reconcile need not look at again: by the day (UTC) that
// they were stored on, as in 2026-03-01, the first eight bytes of the hash of
// each, in ascending order.
type Seen struct {
	Version int               `json:"version"`
	Days    map[string][]byte `json:"days"`

	etag string
}

// Seen reads what was seen.
func (l *Ledger) Seen(ctx context.Context) (*Seen, error) {
	s, etag, err := read[Seen](ctx, l, seenKey)
	switch {
	case errors.Is(err, object.ErrNotExist):
		return &Seen{}, nil
	case err != nil:
		return nil, err
	}
	s.etag = etag
	return s, nil
}

// SetSeen stores what was seen in place of what was read; an object.ErrChanged
// when another round stored its own meanwhile.
func (l *Ledger) SetSeen(ctx context.Context, s *Seen) error {
	s.Version = Version
	return l.put(ctx, seenKey, s, s.etag)
}
