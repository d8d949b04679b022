package sns

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"sealreel/local/internal/awsjson"
)

const maxMessage = 256 << 10 // bytes

// subjectText is what SNS takes as a subject (API reference, Publish).
var subjectText = regexp.MustCompile(`^[!-~][ -~]{0,99}$`)

// envelope is what a queue gets that is not subscribed for the raw message.
type envelope struct {
	Type             string
	MessageId        string
	TopicArn         string
	Subject          string `json:",omitempty"`
	Message          string
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
	UnsubscribeURL   string
}

type publishResult struct {
	XMLName   xml.Name `xml:"PublishResult"`
	MessageID string   `xml:"MessageId"`
}

// Publish gives a message to every queue that is subscribed to the topic of an
// ARN. It is for services of the same account, such as CloudWatch, which a topic
// without a policy of its own lets in.
func (s *Server) Publish(topicARN, subject, message string) error {
	name, ours := strings.CutPrefix(topicARN, s.ARN(""))
	if !ours {
		return notFound("Topic")
	}
	if err := checkMessage(subject, message); err != nil {
		return err
	}
	_, err := s.deliver(name, subject, message)
	return err
}

func (s *Server) publish(c *call) (any, error) {
	name, err := s.topicOf(c)
	if err != nil {
		return nil, err
	}
	subject, message := c.parameters.Get("Subject"), c.parameters.Get("Message")
	if c.parameters.Has("Subject") && subject == "" {
		return nil, invalid("Subject")
	}
	if err := checkMessage(subject, message); err != nil {
		return nil, err
	}
	id, err := s.deliver(name, subject, message)
	if err != nil {
		return nil, err
	}
	return publishResult{MessageID: id}, nil
}

// checkMessage says what is wrong with a message; a subject may be empty.
func checkMessage(subject, message string) error {
	switch {
	case message == "":
		return invalid("Empty message")
	case len(message)+len(subject) > maxMessage:
		return invalid("Message too long")
	case !utf8.ValidString(message):
		return invalid("Message Reason: it is not UTF-8")
	case subject != "" && !subjectText.MatchString(subject):
		return invalid("Subject")
	}
	return nil
}

// deliver gives a message to every subscribed queue and returns its id.
func (s *Server) deliver(topicName, subject, message string) (id string, err error) {
	s.mu.Lock()
	t := s.topics[topicName]
	s.mu.Unlock()
	if t == nil {
		return "", notFound("Topic")
	}
	e := envelope{Type: "Notification", MessageId: awsjson.UUID(), TopicArn: s.ARN(topicName), Subject: subject, Message: message,
		Timestamp: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "1", Signature: "none", SigningCertURL: "none"}
	for _, sub := range t.Subscriptions { // a change makes another topic
		body := message
		if !sub.Raw {
			e.UnsubscribeURL = "none:" + sub.ARN
			body = wrap(e)
		}
		if err := s.config.Queues.Send(e.TopicArn, sub.Endpoint, body); err != nil && s.config.Dropped != nil {
			s.config.Dropped(e.TopicArn, sub.Endpoint, err)
		}
	}
	return e.MessageId, nil
}

func wrap(e envelope) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		panic(fmt.Sprintf("sns: encode an envelope: %v", err)) // texts always can be
	}
	return strings.TrimSuffix(b.String(), "\n")
}
