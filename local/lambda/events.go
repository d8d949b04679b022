package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sealreel/local/internal/atomicfile"
)

// Destination takes the records of asynchronous invocations.
type Destination interface {
	// Send puts a message on the queue of an ARN in the name of a function,
	// by its id. It is not tried again after an error that is ErrDenied.
	Send(ctx context.Context, function, queueARN, body string) error
}

// event is an asynchronous invocation that was accepted and has not ended.
// It is a file in the queue's folder for as long.
type event struct {
	ID       string          `json:"id"` // request id, the same for every attempt
	Accepted time.Time       `json:"accepted"`
	Attempts int             `json:"attempts"` // that failed
	Next     time.Time       `json:"next"`
	Payload  json.RawMessage `json:"payload"`
}

// eventQueue is the internal queue of a function's asynchronous
// invocations.
type eventQueue struct {
	dir         string
	spec        Function
	delays      []time.Duration
	destination Destination
	invoke      func(ctx context.Context, id string, payload []byte) (Result, error)
	spawn       func(func()) bool
	log         func(string)
	metric      func(name, unit string, value float64)
}

// put accepts an event. It is attempted after the delay.
func (q *eventQueue) put(ctx context.Context, payload []byte, delay time.Duration) (string, error) {
	if len(payload) > MaxAsyncPayload {
		return "", fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(payload), MaxAsyncPayload)
	}
	if !json.Valid(payload) {
		return "", errors.New("lambda: the payload of an event must be JSON")
	}
	now := time.Now()
	e := &event{ID: newID(), Accepted: now, Next: now.Add(delay), Payload: payload}
	if err := q.save(e); err != nil {
		return "", err
	}
	q.metric("AsyncEventsReceived", "Count", 1)
	q.spawn(func() { q.deliver(ctx, e) }) // a closed host leaves it to the next
	return e.ID, nil
}

// resume takes up the events that an earlier host left.
func (q *eventQueue) resume(ctx context.Context, spawn func(func()) bool) error {
	if err := os.MkdirAll(q.dir, 0o700); err != nil {
		return fmt.Errorf("lambda: make the folder of pending events: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(q.dir, "*.json"))
	if err != nil {
		return fmt.Errorf("lambda: list pending events: %w", err)
	}
	for _, name := range names {
		doc, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("lambda: read a pending event: %w", err)
		}
		e := new(event)
		if err := json.Unmarshal(doc, e); err != nil || e.ID+".json" != filepath.Base(name) {
			return fmt.Errorf("lambda: %s is no pending event; remove it to go on without it: %v", name, err)
		}
		spawn(func() { q.deliver(ctx, e) })
	}
	return nil
}

// deliver attempts an event until it ends. When ctx, the host's life, is
// over it leaves the event for the next host.
func (q *eventQueue) deliver(ctx context.Context, e *event) {
	maxAge := q.spec.Async.MaxAge
	if maxAge == 0 {
		maxAge = 6 * time.Hour
	}
	var last Result
	var pause time.Duration
	for {
		if !sleepUntil(ctx, e.Next) {
			return
		}
		if time.Since(e.Accepted) > maxAge {
			q.end(ctx, e, "EventAgeExceeded", last)
			return
		}
		q.metric("AsyncEventAge", "Milliseconds", milliseconds(time.Since(e.Accepted)))
		r, err := q.invoke(ctx, e.ID, e.Payload)
		if errors.Is(err, ErrThrottled) { // which is no attempt
			pause = throttlePause(pause)
			e.Next = time.Now().Add(pause)
			continue
		}
		if err != nil {
			return // the host closes
		}
		last = r
		e.Attempts++
		if r.FunctionError == "" {
			q.end(ctx, e, "Success", r)
			return
		}
		if e.Attempts > q.spec.Async.MaxRetries {
			q.end(ctx, e, "RetriesExhausted", r)
			return
		}
		e.Next = time.Now().Add(q.delays[min(e.Attempts, len(q.delays))-1])
		if err := q.save(e); err != nil {
			q.log(err.Error())
		}
	}
}

// end sends the record of an event to the destination for its outcome and
// forgets the event.
func (q *eventQueue) end(ctx context.Context, e *event, condition string, r Result) {
	arn := q.spec.Async.OnFailure
	if condition == "Success" {
		arn = q.spec.Async.OnSuccess
	} else {
		q.metric("AsyncEventsDropped", "Count", 1)
	}
	if arn != "" && q.destination != nil {
		if !q.send(ctx, e.ID, arn, destinationRecord(q.spec.ARN, e, condition, r, time.Now())) {
			return
		}
	} else if condition != "Success" {
		q.log(fmt.Sprintf("request %s is given up: %s, and the function has no destination for failures", e.ID, condition))
	}
	q.remove(e)
}

// send sends a record until it is there or not allowed, which ends the event
// like one without a destination. It returns false when the host closes.
func (q *eventQueue) send(ctx context.Context, id, arn, record string) bool {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := q.destination.Send(ctx, q.spec.ID, arn, record)
		if err == nil {
			return true
		}
		q.log(fmt.Sprintf("send the record of request %s to %s: %v", id, arn, err))
		q.metric("DestinationDeliveryFailures", "Count", 1)
		if errors.Is(err, ErrDenied) {
			return true
		}
		if !sleepUntil(ctx, time.Now().Add(wait)) {
			return false
		}
	}
}

func (q *eventQueue) path(e *event) string { return filepath.Join(q.dir, e.ID+".json") }

func (q *eventQueue) save(e *event) error {
	err := atomicfile.Write(q.path(e), 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(e) })
	if err != nil {
		return fmt.Errorf("lambda: keep an event: %w", err)
	}
	return nil
}

func (q *eventQueue) remove(e *event) {
	if err := os.Remove(q.path(e)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		q.log(fmt.Sprintf("forget request %s, which ended: %v", e.ID, err))
	}
}

// destinationRecord returns the message that Lambda sends to a destination.
func destinationRecord(functionARN string, e *event, condition string, r Result, now time.Time) string {
	type requestContext struct {
		RequestID string `json:"requestId"`
		Function  string `json:"functionArn"`
		Condition string `json:"condition"`
		Count     int    `json:"approximateInvokeCount"`
	}
	type responseContext struct {
		StatusCode int    `json:"statusCode"`
		Version    string `json:"executedVersion"`
		Error      string `json:"functionError,omitempty"`
	}
	record := struct {
		Version  string           `json:"version"`
		Time     string           `json:"timestamp"`
		Request  requestContext   `json:"requestContext"`
		Payload  json.RawMessage  `json:"requestPayload"`
		Response *responseContext `json:"responseContext,omitempty"`
		Answer   any              `json:"responsePayload,omitempty"`
	}{
		Version: "1.0",
		Time:    now.UTC().Format("2006-01-02T15:04:05.000Z"),
		Request: requestContext{RequestID: e.ID, Function: functionARN + ":$LATEST", Condition: condition, Count: e.Attempts},
		Payload: e.Payload,
	}
	if r.RequestID != "" {
		record.Response = &responseContext{StatusCode: 200, Version: "$LATEST", Error: r.FunctionError}
		record.Answer = jsonOrText(r.Payload)
	}
	var out strings.Builder
	if err := json.NewEncoder(&out).Encode(record); err != nil {
		panic("lambda: a record that is no JSON: " + err.Error())
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func jsonOrText(payload []byte) any {
	switch {
	case len(payload) == 0:
		return nil
	case json.Valid(payload):
		return json.RawMessage(payload)
	}
	return string(payload)
}

// sleepUntil returns false when ctx ends first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	wait := time.Until(t)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
