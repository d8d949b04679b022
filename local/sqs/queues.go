package sqs

import (
	"context"
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"sealreel/local/internal/awsjson"
)

// purgeEvery is how long after a PurgeQueue the next one is refused.
const purgeEvery = 60 * time.Second

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// CreateQueue makes a queue; attributes are named and written as in the
// API. One that exists is left as it is, and is an error if it has another
// value for a given attribute.
func (s *Server) CreateQueue(name string, attributes map[string]string) error {
	err := s.create(name, attributes)
	s.reportDirect("CreateQueue", name, err)
	return err
}

// SetAttributes changes attributes of a queue, named and written as in the
// API; the others stay.
func (s *Server) SetAttributes(name string, attributes map[string]string) error {
	err := s.set(name, attributes)
	s.reportDirect("SetQueueAttributes", name, err)
	return err
}

// Attributes returns all attributes of a queue, named and written as in the
// API.
func (s *Server) Attributes(name string) (map[string]string, error) {
	all, err := s.attributes(name)
	s.reportDirect("GetQueueAttributes", name, err)
	return all, err
}

func (s *Server) create(name string, attributes map[string]string) error {
	if !queueName.MatchString(name) {
		return invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	attributes = merge(nil, attributes)
	set, err := parseSettings(attributes)
	if err != nil {
		return err
	}
	set.normalise(attributes)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return unavailable(s.down)
	}
	now := time.Now()
	if q := s.queues[name]; q != nil {
		return q.same(attributes, now)
	}
	if err := s.checkRedrive(name, set); err != nil {
		return err
	}
	return s.adopt(queueRecord{Name: name, Attributes: attributes, Created: now, Modified: now})
}

// same reports an error unless the queue has the given attributes.
func (q *queue) same(attributes map[string]string, now time.Time) error {
	shown := q.shown(now)
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if shown[name] != attributes[name] {
			return queueExists(name)
		}
	}
	return nil
}

func (s *Server) set(name string, attributes map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return err
	}
	merged := merge(q.attributes, attributes)
	set, err := parseSettings(merged)
	if err != nil {
		return err
	}
	if attributes["RedrivePolicy"] != "" {
		if err := s.checkRedrive(name, set); err != nil {
			return err
		}
	}
	set.normalise(merged)
	rec := *q.record()
	rec.Attributes, rec.Modified = merged, time.Now()
	return s.adopt(rec)
}

// checkRedrive reports an error if the messages of a queue could not move
// where its settings say.
func (s *Server) checkRedrive(name string, set settings) error {
	if set.redrive == nil {
		return nil
	}
	target := QueueName(set.redrive.target)
	if s.queues[target] == nil || s.ARN(target) != set.redrive.target {
		return badRedrive(set.redrive.policy(), "Dead letter target does not exist")
	}
	if target == name {
		return badRedrive(set.redrive.policy(), "A queue can't be its own dead letter target")
	}
	return nil
}

// adopt makes or changes a queue, and journals it.
func (s *Server) adopt(rec queueRecord) error {
	if err := s.applyQueue(rec); err != nil {
		return err
	}
	return s.commit(record{Queue: &rec})
}

func (s *Server) attributes(name string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return nil, err
	}
	return q.shown(time.Now()), nil
}

// exists reports an error unless there is a queue of a name.
func (s *Server) exists(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.find(name)
	return err
}

// purge forgets every message.
func (q *queue) purge(at time.Time) {
	q.messages = make(map[string]*message)
	q.groups = make(map[string]*group)
	q.hidden, q.inFlight = nil, 0
	q.purged = at
}

type createQueueInput struct {
	QueueName  string
	Attributes map[string]string
}

type queueURLOutput struct{ QueueUrl string }

func (s *Server) createQueue(_ context.Context, call *awsjson.Call, in createQueueInput) (any, error) {
	if in.QueueName == "" {
		return nil, missing("QueueName")
	}
	if err := s.admit(call, in.QueueName); err != nil {
		return nil, err
	}
	if err := s.create(in.QueueName, in.Attributes); err != nil {
		return nil, err
	}
	return queueURLOutput{s.QueueURL(call.Endpoint, in.QueueName)}, nil
}

type queueInput struct{ QueueUrl string }

func (s *Server) deleteQueue(_ context.Context, call *awsjson.Call, in queueInput) (any, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return nil, err
	}
	delete(s.queues, name)
	q.wake()
	return nil, s.commit(record{Drop: name})
}

func (s *Server) purgeQueue(_ context.Context, call *awsjson.Call, in queueInput) (any, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if !q.purged.IsZero() && now.Sub(q.purged) < purgeEvery {
		return nil, purgeInProgress(name)
	}
	q.purge(now)
	return nil, s.commit(record{Purge: &purgeRecord{Queue: name, At: now}})
}

type getQueueURLInput struct{ QueueName, QueueOwnerAWSAccountId string }

func (s *Server) getQueueURL(_ context.Context, call *awsjson.Call, in getQueueURLInput) (any, error) {
	if in.QueueName == "" {
		return nil, missing("QueueName")
	}
	if err := s.admit(call, in.QueueName); err != nil {
		return nil, err
	}
	if err := s.exists(in.QueueName); err != nil {
		return nil, err
	}
	if in.QueueOwnerAWSAccountId != "" && in.QueueOwnerAWSAccountId != s.config.Account {
		return nil, noSuchQueue()
	}
	return queueURLOutput{s.QueueURL(call.Endpoint, in.QueueName)}, nil
}

type listQueuesInput struct {
	QueueNamePrefix, NextToken string
	MaxResults                 *int
}

type listQueuesOutput struct {
	QueueUrls []string `json:",omitempty"`
	NextToken string   `json:",omitempty"`
}

// listQueues lists by name, at most 1000 or MaxResults at once. As on AWS a
// list that was not asked for in pages has no token to go on with.
func (s *Server) listQueues(_ context.Context, call *awsjson.Call, in listQueuesInput) (any, error) {
	limit := 1000
	if in.MaxResults != nil {
		if limit = *in.MaxResults; limit < 1 || limit > 1000 {
			return nil, outOfRange(limit, "MaxResults", "MaxResults must be between 1 and 1000")
		}
	}
	if err := s.admit(call, ""); err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(in.NextToken)
	if err != nil {
		return nil, invalid("Invalid or expired next token.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return nil, unavailable(s.down)
	}
	var out listQueuesOutput
	var last string
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if !strings.HasPrefix(name, in.QueueNamePrefix) || name <= string(after) {
			continue
		}
		if len(out.QueueUrls) == limit {
			if in.MaxResults != nil {
				out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(last))
			}
			break
		}
		out.QueueUrls = append(out.QueueUrls, s.QueueURL(call.Endpoint, name))
		last = name
	}
	return out, nil
}

type getAttributesInput struct {
	QueueUrl       string
	AttributeNames []string
}

type attributesOutput struct {
	Attributes map[string]string `json:",omitempty"`
}

func (s *Server) getQueueAttributes(_ context.Context, call *awsjson.Call, in getAttributesInput) (any, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all, err := s.attributes(name)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(all, in.AttributeNames)
	if err != nil {
		return nil, err
	}
	return attributesOutput{chosen}, nil
}

type setAttributesInput struct {
	QueueUrl   string
	Attributes map[string]string
}

func (s *Server) setQueueAttributes(_ context.Context, call *awsjson.Call, in setAttributesInput) (any, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if len(in.Attributes) == 0 {
		return nil, missing("Attributes")
	}
	return nil, s.set(name, in.Attributes)
}
