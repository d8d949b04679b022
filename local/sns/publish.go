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

// publish gives a message to every subscribed queue.
func (s *Server) publish(c *call) (any, error) {
	name, err := s.topicOf(c)
	if err != nil {
		return nil, err
	}
	subject, message := c.parameters.Get("Subject"), c.parameters.Get("Message")
	switch {
	case message == "":
		return nil, invalid("Empty message")
	case len(message)+len(subject) > maxMessage:
		return nil, invalid("Message too long")
	case !utf8.ValidString(message):
		return nil, invalid("Message Reason: it is not UTF-8")
	case c.parameters.Has("Subject") && !subjectText.MatchString(subject):
		return nil, invalid("Subject")
	}
	s.mu.Lock()
	t := s.topics[name]
	s.mu.Unlock()
	if t == nil {
		return nil, notFound("Topic")
	}
	e := envelope{Type: "Notification", MessageId: awsjson.UUID(), TopicArn: s.ARN(name), Subject: subject, Message: message,
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
	return publishResult{MessageID: e.MessageId}, nil
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
