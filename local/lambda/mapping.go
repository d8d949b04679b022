package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Queue is what an event source mapping needs of a queue.
type Queue interface {
	// Receive waits up to wait for messages and returns up to limit of
	// them, at most ten. After an error the mapping waits, the longer the
	// more there are in a row, up to a minute.
	Receive(ctx context.Context, limit int, wait time.Duration) ([]Message, error)
	// Delete removes a received message.
	Delete(ctx context.Context, receiptHandle string) error
	// Release makes a received message visible again at once.
	Release(ctx context.Context, receiptHandle string) error
}

// Message is a received message in the form a function sees it (the Records
// of an SQS event), but for what the mapping adds.
type Message struct {
	ID            string                      `json:"messageId"`
	ReceiptHandle string                      `json:"receiptHandle"`
	Body          string                      `json:"body"`
	Attributes    map[string]string           `json:"attributes"`
	Custom        map[string]MessageAttribute `json:"messageAttributes"`
	BodyMD5       string                      `json:"md5OfBody"`
	CustomMD5     string                      `json:"md5OfMessageAttributes,omitempty"`
}

// MessageAttribute is a message attribute. One of StringValue and
// BinaryValue is set, as DataType says.
type MessageAttribute struct {
	StringValue *string  `json:"stringValue,omitempty"`
	BinaryValue []byte   `json:"binaryValue,omitempty"`
	StringList  []string `json:"stringListValues"`
	BinaryList  [][]byte `json:"binaryListValues"`
	DataType    string   `json:"dataType"`
}

// Mapping drives a function with the messages of a queue.
type Mapping struct {
	Name      string // unique among the host's mappings; letters, digits, hyphens
	Function  string // id, name or ARN
	Queue     Queue
	QueueARN  string
	BatchSize int           // 0 stands for 10
	Window    time.Duration // how long to gather a batch
	// Concurrency is how many batches are in work at once, at most the
	// function's MaxEnvironments, which 0 stands for.
	Concurrency int
	// ReportsFailures says that the function answers with the messages of a
	// batch that failed (ReportBatchItemFailures).
	ReportsFailures bool
}

// longPoll is how long one request for messages waits.
const longPoll = 20 * time.Second

// Map starts a mapping. Messages that an earlier host had in work when it
// ended are released first: nobody works on them any more.
func (h *Host) Map(m Mapping) error {
	f, err := h.function(m.Function)
	if err != nil {
		return err
	}
	if !plainID.MatchString(m.Name) || m.Queue == nil || m.QueueARN == "" {
		return fmt.Errorf("lambda: a mapping of %s needs a name, a queue and its ARN", m.Function)
	}
	if m.BatchSize == 0 {
		m.BatchSize = 10
	}
	if m.Concurrency <= 0 || m.Concurrency > f.spec.MaxEnvironments {
		m.Concurrency = f.spec.MaxEnvironments
	}
	ledger, err := openBatches(h.config.Dir, m.Name)
	if err != nil {
		return err
	}
	if err := ledger.release(h.ctx, m.Queue); err != nil {
		return err
	}
	p := &poller{Mapping: m, region: h.config.Region, batches: ledger, log: f.log.line, invoke: f.invoke}
	for range m.Concurrency {
		if !h.spawn(func() { p.poll(h.ctx) }) {
			return ErrClosed
		}
	}
	return nil
}

// poller is what the goroutines of a mapping share. Each has one batch in
// work at a time.
type poller struct {
	Mapping
	region  string
	batches *batches
	log     func(string)
	invoke  func(ctx context.Context, id string, payload []byte) (Result, error)
}

func (p *poller) poll(ctx context.Context) {
	pause := time.Second
	for ctx.Err() == nil {
		batch, err := p.gather(ctx)
		if ctx.Err() != nil {
			p.giveBack(batch)
			return
		}
		if err != nil {
			p.log(fmt.Sprintf("receive from %s: %v", p.QueueARN, err))
			sleepUntil(ctx, time.Now().Add(pause))
			pause = min(2*pause, time.Minute)
		} else {
			pause = time.Second
		}
		if len(batch) == 0 {
			continue
		}
		if err := p.work(ctx, batch); err != nil {
			if !errors.Is(err, ErrClosed) {
				p.log(err.Error())
			}
			sleepUntil(ctx, time.Now().Add(time.Second))
		}
	}
}

// gather receives until the batch is full or its window is over.
func (p *poller) gather(ctx context.Context) ([]Message, error) {
	batch, err := p.Queue.Receive(ctx, min(p.BatchSize, 10), longPoll)
	if err != nil || len(batch) == 0 {
		return nil, err
	}
	end := time.Now().Add(p.Window)
	for len(batch) < p.BatchSize {
		wait := time.Until(end)
		if wait <= 0 {
			break
		}
		more, err := p.Queue.Receive(ctx, min(p.BatchSize-len(batch), 10), min(wait, longPoll))
		if err != nil {
			return batch, err
		}
		batch = append(batch, more...)
	}
	return batch, nil
}

// work invokes the function with a batch and deletes what succeeded. What
// failed is left alone: it returns when its visibility timeout is over.
func (p *poller) work(ctx context.Context, batch []Message) error {
	id := newID()
	if err := p.batches.begin(id, batch); err != nil {
		p.giveBack(batch)
		return err
	}
	result, err := p.run(ctx, id, batch)
	if err != nil {
		return err // the host closes; the next one releases the batch
	}
	for _, m := range p.succeeded(result, batch) {
		if err := p.Queue.Delete(context.WithoutCancel(ctx), m.ReceiptHandle); err != nil {
			p.log(fmt.Sprintf("delete message %s: %v", m.ID, err))
		}
	}
	return p.batches.end(id)
}

// run invokes the function with a batch, again and again while it is
// throttled.
func (p *poller) run(ctx context.Context, id string, batch []Message) (Result, error) {
	var pause time.Duration
	for {
		r, err := p.invoke(ctx, id, p.payload(batch))
		if !errors.Is(err, ErrThrottled) {
			return r, err
		}
		pause = throttlePause(pause)
		if !sleepUntil(ctx, time.Now().Add(pause)) {
			return Result{}, ErrClosed
		}
	}
}

// giveBack releases messages that nobody has worked on.
func (p *poller) giveBack(batch []Message) {
	for _, m := range batch {
		if err := p.Queue.Release(context.Background(), m.ReceiptHandle); err != nil {
			p.log(fmt.Sprintf("release message %s: %v", m.ID, err))
		}
	}
}

// payload returns the SQS event of a batch.
func (p *poller) payload(batch []Message) []byte {
	type record struct {
		Message
		Source    string `json:"eventSource"`
		SourceARN string `json:"eventSourceARN"`
		Region    string `json:"awsRegion"`
	}
	event := struct{ Records []record }{make([]record, len(batch))}
	for i, m := range batch {
		if m.Custom == nil {
			m.Custom = map[string]MessageAttribute{}
		}
		event.Records[i] = record{Message: m, Source: "aws:sqs", SourceARN: p.QueueARN, Region: p.region}
	}
	payload, err := json.Marshal(event)
	if err != nil {
		panic("lambda: an SQS event that is no JSON: " + err.Error())
	}
	return payload
}

// succeeded returns the messages of a batch that are done.
func (p *poller) succeeded(r Result, batch []Message) []Message {
	if r.FunctionError != "" {
		return nil
	}
	if !p.ReportsFailures {
		return batch
	}
	failed, err := reportedFailures(r.Payload, batch)
	if err != nil {
		p.log(fmt.Sprintf("request %s: the whole batch fails: %v", r.RequestID, err))
		return nil
	}
	var done []Message
	for _, m := range batch {
		if !failed[m.ID] {
			done = append(done, m)
		}
	}
	return done
}

// reportedFailures reads a batch response: the ids of the messages that
// failed. An error stands for a response that fails the whole batch (AWS:
// Reporting batch item failures, success and failure conditions).
func reportedFailures(response []byte, batch []Message) (map[string]bool, error) {
	failed := map[string]bool{}
	if len(response) == 0 {
		return failed, nil
	}
	var answer struct {
		Failures []map[string]any `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		return nil, fmt.Errorf("the response is not what ReportBatchItemFailures takes: %w", err)
	}
	known := map[string]bool{}
	for _, m := range batch {
		known[m.ID] = true
	}
	for i, item := range answer.Failures {
		id, ok := item["itemIdentifier"].(string)
		if !ok || id == "" {
			return nil, fmt.Errorf("batchItemFailures[%d] has no itemIdentifier", i)
		}
		if !known[id] {
			return nil, fmt.Errorf("batchItemFailures[%d] names %q, which is not in the batch", i, id)
		}
		failed[id] = true
	}
	return failed, nil
}
