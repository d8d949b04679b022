package sns

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sealreel/local/internal/atomicfile"
)

// topic is a topic at rest.
type topic struct {
	Subscriptions []subscription `json:"subscriptions,omitempty"` // in the order in which they were made
}

type subscription struct {
	ARN      string `json:"arn"`
	Endpoint string `json:"endpoint"` // ARN of a queue
	Raw      bool   `json:"raw,omitempty"`
}

func (s *Server) load() error {
	body, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(body, &s.topics)
	}
	if err != nil {
		return fmt.Errorf("sns: read the topics: %w", err)
	}
	return nil
}

// change makes a change that is written before anybody is told of it, or undone.
// The caller holds the lock.
func (s *Server) change(do func(topics map[string]*topic)) error {
	next := map[string]*topic{}
	for name, t := range s.topics {
		next[name] = &topic{slices.Clone(t.Subscriptions)}
	}
	do(next)
	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return fmt.Errorf("sns: make the folder of the topics: %w", err)
	}
	err := atomicfile.Write(s.file, 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(next) })
	if err != nil {
		return fmt.Errorf("sns: keep the topics: %w", err)
	}
	s.topics = next
	return nil
}

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CreateTopic makes a topic and returns its ARN. One that exists is left as it
// is.
func (s *Server) CreateTopic(name string) (arn string, err error) {
	switch {
	case strings.HasSuffix(name, ".fifo"):
		return "", invalid("Name Reason: the embedded SNS has no topics of first-in-first-out")
	case !topicName.MatchString(name):
		return "", invalid("Topic Name")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[name] == nil {
		err = s.change(func(topics map[string]*topic) { topics[name] = &topic{} })
	}
	return s.ARN(name), err
}

type createTopicResult struct {
	XMLName  xml.Name `xml:"CreateTopicResult"`
	TopicARN string   `xml:"TopicArn"`
}

func (s *Server) createTopic(c *call) (any, error) {
	name := c.parameters.Get("Name")
	if err := s.admit(c, s.ARN(name)); err != nil {
		return nil, err
	}
	arn, err := s.CreateTopic(name)
	return createTopicResult{TopicARN: arn}, err
}

func (s *Server) deleteTopic(c *call) (any, error) {
	name, err := s.topicOf(c)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[name] == nil {
		return nil, nil // as in AWS that is no error
	}
	return nil, s.change(func(topics map[string]*topic) { delete(topics, name) })
}

// topicOf takes the name from the TopicArn of a call that may do what it asks
// for.
func (s *Server) topicOf(c *call) (string, error) {
	arn := c.parameters.Get("TopicArn")
	name, ours := strings.CutPrefix(arn, s.ARN(""))
	if !ours || !topicName.MatchString(name) {
		return "", invalid("TopicArn Reason: %q is no topic of this account and region", arn)
	}
	return name, s.admit(c, arn)
}

type listTopicsResult struct {
	XMLName   xml.Name     `xml:"ListTopicsResult"`
	Topics    []listedName `xml:"Topics>member"`
	NextToken string       `xml:"NextToken,omitempty"`
}

type listedName struct {
	TopicARN string `xml:"TopicArn"`
}

func (s *Server) listTopics(c *call) (any, error) {
	if err := s.admit(c, ""); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []listedName
	for _, name := range slices.Sorted(maps.Keys(s.topics)) {
		all = append(all, listedName{s.ARN(name)})
	}
	var result listTopicsResult
	var err error
	result.Topics, result.NextToken, err = page(all, c.parameters.Get("NextToken"))
	return result, err
}

// pageSize is how much of a list one answer has (SNS API reference).
const pageSize = 100

// page is the part of a list behind a token, and the token for what follows.
func page[T any](all []T, token string) (part []T, next string, err error) {
	from := 0
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 {
			return nil, "", invalid("NextToken")
		}
	}
	from = min(from, len(all))
	until := min(from+pageSize, len(all))
	if until < len(all) {
		next = strconv.Itoa(until)
	}
	return all[from:until], next, nil
}
