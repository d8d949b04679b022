// Package sqs is an embedded Amazon SQS: standard queues over the AWS JSON
// protocol and, for the event source mapping that lives in the same
// process, over Go methods.
//
// It keeps what callers of SQS rely on: visibility timeouts, delays, long
// polls, redrive to a dead-letter queue, retention, message attributes,
// digests, size and batch limits, and fair queues by MessageGroupId. A
// request that was answered survives the death of the process: state is
// journalled in a folder before the answer, and read back by Open.
//
// Who may do what is for the gate of its Config to say, by IAM's actions and
// the queue's Policy. Tags are accepted and forgotten; RedriveAllowPolicy and
// the KMS attributes are kept and shown but not acted upon. There are no FIFO
// queues.
package sqs

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

// Config says where and for whom a Server keeps queues.
type Config struct {
	Dir     string // folder of the journal, made if missing; one Server at a time
	Region  string // for ARNs
	Account string // twelve digits, for ARNs and queue URLs

	// Known reports whether an access key id may call over HTTP.
	Known func(accessKeyID string) bool
	// Gate says who may do what; nil admits every known access key id.
	Gate *gate.Gate
	// OnRequest, when set, hears of every request when it is answered. It is
	// called from many goroutines and must not call back into the Server.
	OnRequest func(Request)
	// Arrivals, when set, says of each message that is sent how much later than
	// it would it shows, and whether it is lost although the sender is told that
	// it was sent. It must not call back into the Server.
	Arrivals func(queue, body, sender string) (delay time.Duration, lost bool)
}

// Request is one answered request, as AWS would count and bill it.
type Request struct {
	Action      string // for example ReceiveMessage
	Queue       string // name as the caller gave it, empty for ListQueues
	AccessKeyID string // of the caller; empty for one that used the Go methods
	Service     string // such as lambda.amazonaws.com: who acted in the caller's name; empty for the caller itself
	Status      int    // HTTP status
	gate.Record
}

// Server holds the queues of one account and region. It is an http.Handler
// for clients, and has Go methods for callers in the process.
type Server struct {
	config  Config
	handler *awsjson.Handler
	closed  chan struct{} // closed by Close; ends long polls

	mu      sync.Mutex // guards all below, and the order of the journal
	queues  map[string]*queue
	journal *journal
	down    error // why the server serves no more; nil while it does
}

var errClosed = errors.New("sqs: the server is closed")

// Open starts a Server on the state in config.Dir. Close ends it.
func Open(config Config) (*Server, error) {
	if config.Dir == "" || config.Region == "" || config.Account == "" || config.Known == nil {
		return nil, errors.New("sqs: Config needs Dir, Region, Account and Known")
	}
	s := &Server{config: config, closed: make(chan struct{}), queues: make(map[string]*queue)}
	s.handler = &awsjson.Handler{
		Version: "1.0",
		Target:  "AmazonSQS",
		Query:   true,
		Actions: s.actions(),
		// A megabyte of message may need six of JSON, and a batch that is too
		// long should be told so rather than cut off.
		MaxBody: 16 << 20,
		Known:   config.Known,
		Done:    func(c *awsjson.Call, status int) { s.report(c, "", status) },
	}
	var err error
	if s.journal, err = openJournal(config.Dir, s); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP answers a client of SQS's JSON protocol. Queue URLs are made
// with the host that the caller used; of a queue URL that comes in only the
// path counts, so that one stays good when the server moves to another port.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends long polls with an error and closes the journal. What was
// answered before is kept.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down == errClosed {
		return nil
	}
	s.down = errClosed
	close(s.closed)
	return s.journal.close()
}

func (s *Server) report(c *awsjson.Call, service string, status int) {
	if s.config.OnRequest != nil {
		s.config.OnRequest(Request{Action: c.Action, Queue: c.Resource, AccessKeyID: c.AccessKeyID, Service: service,
			Status: status, Record: c.Record})
	}
}

// reportDirect reports a request that came through a Go method.
func (s *Server) reportDirect(action, queue string, err error) {
	s.report(&awsjson.Call{Action: action, Resource: queue}, "", statusOf(err))
}

func statusOf(err error) int {
	if err != nil {
		return awsjson.HTTPStatus(err)
	}
	return http.StatusOK
}

// commit journals what a request changed. A server whose memory is ahead of
// its journal must not answer, so one that can't write serves no more: a
// restart takes it back to what it had answered.
func (s *Server) commit(records ...record) error {
	if len(records) == 0 {
		return nil
	}
	err := s.journal.append(records...)
	if err == nil && s.journal.grown() {
		err = s.journal.compact(s)
	}
	if err != nil {
		s.down = fmt.Errorf("sqs: the state in %s can no longer be written; free space there and restart: %w", s.config.Dir, err)
		return unavailable(s.down)
	}
	return nil
}

// find returns the queue of a name. The caller holds the lock.
func (s *Server) find(name string) (*queue, error) {
	if s.down != nil {
		return nil, unavailable(s.down)
	}
	q := s.queues[name]
	if q == nil {
		return nil, noSuchQueue()
	}
	return q, nil
}

// ARN returns the ARN of the queue of a name, whether it exists or not.
func (s *Server) ARN(name string) string {
	return "arn:aws:sqs:" + s.config.Region + ":" + s.config.Account + ":" + name
}

// QueueURL returns the URL of the queue of a name on the server that
// clients reach at endpoint (scheme and host), whether it exists or not.
func (s *Server) QueueURL(endpoint, name string) string {
	return strings.TrimSuffix(endpoint, "/") + "/" + s.config.Account + "/" + name
}

// QueueName returns the name at the end of a queue's URL or ARN; a bare name
// is returned as it is.
func QueueName(urlOrARN string) string {
	return urlOrARN[strings.LastIndexAny(urlOrARN, "/:")+1:]
}

// nameOf takes the name from the QueueUrl of a request that may do what it
// asks for.
func (s *Server) nameOf(call *awsjson.Call, queueURL string) (string, error) {
	if queueURL == "" {
		return "", missing("QueueUrl")
	}
	name := QueueName(queueURL)
	return name, s.admit(call, name)
}

// actions are the operations that clients can call.
func (s *Server) actions() map[string]awsjson.Action {
	return map[string]awsjson.Action{
		"CreateQueue":                  awsjson.Decoded(s.createQueue),
		"DeleteQueue":                  awsjson.Decoded(s.deleteQueue),
		"GetQueueUrl":                  awsjson.Decoded(s.getQueueURL),
		"ListQueues":                   awsjson.Decoded(s.listQueues),
		"GetQueueAttributes":           awsjson.Decoded(s.getQueueAttributes),
		"SetQueueAttributes":           awsjson.Decoded(s.setQueueAttributes),
		"PurgeQueue":                   awsjson.Decoded(s.purgeQueue),
		"SendMessage":                  awsjson.Decoded(s.sendMessage),
		"SendMessageBatch":             awsjson.Decoded(s.sendMessageBatch),
		"ReceiveMessage":               awsjson.Decoded(s.receiveMessage),
		"DeleteMessage":                awsjson.Decoded(s.deleteMessage),
		"DeleteMessageBatch":           awsjson.Decoded(s.deleteMessageBatch),
		"ChangeMessageVisibility":      awsjson.Decoded(s.changeMessageVisibility),
		"ChangeMessageVisibilityBatch": awsjson.Decoded(s.changeMessageVisibilityBatch),
	}
}
