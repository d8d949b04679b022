package sns

import (
	"encoding/xml"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sealreel/local/internal/awsjson"
)

var queueARN = regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$`)

type subscribeResult struct {
	XMLName         xml.Name `xml:"SubscribeResult"`
	SubscriptionARN string   `xml:"SubscriptionArn"`
}

// subscribe lets a queue hear of a topic. Of one that does already nothing
// changes.
func (s *Server) subscribe(c *call) (any, error) {
	name, err := s.topicOf(c)
	if err != nil {
		return nil, err
	}
	endpoint := c.parameters.Get("Endpoint")
	switch {
	case c.parameters.Get("Protocol") != "sqs":
		return nil, invalid("Protocol Reason: the embedded SNS delivers to sqs only")
	case !queueARN.MatchString(endpoint):
		return nil, invalid("SQS endpoint ARN")
	}
	raw, err := rawDelivery(c)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[name]
	if t == nil {
		return nil, notFound("Topic")
	}
	for _, sub := range t.Subscriptions {
		if sub.Endpoint != endpoint {
			continue
		}
		if sub.Raw != raw {
			return nil, invalid("Attributes Reason: Subscription already exists with different attributes")
		}
		return subscribeResult{SubscriptionARN: sub.ARN}, nil
	}
	made := subscription{s.ARN(name) + ":" + awsjson.UUID(), endpoint, raw}
	err = s.change(func(topics map[string]*topic) { topics[name].Subscriptions = append(topics[name].Subscriptions, made) })
	return subscribeResult{SubscriptionARN: made.ARN}, err
}

// rawDelivery reads the one attribute of subscriptions that is known here.
func rawDelivery(c *call) (raw bool, err error) {
	for name := range c.parameters {
		number, isKey := strings.CutSuffix(name, ".key")
		if !isKey {
			continue
		}
		if attribute := c.parameters.Get(name); attribute != "RawMessageDelivery" {
			return false, invalid("Attributes Reason: the embedded SNS has no attribute %s of subscriptions", attribute)
		}
		if raw, err = strconv.ParseBool(c.parameters.Get(number + ".value")); err != nil {
			return false, invalid("Attributes Reason: RawMessageDelivery: Invalid value [%s]. Must be true or false.", c.parameters.Get(number+".value"))
		}
	}
	return raw, nil
}

// unsubscribe ends a subscription.
func (s *Server) unsubscribe(c *call) (any, error) {
	arn := c.parameters.Get("SubscriptionArn")
	topicARN := arn[:max(strings.LastIndex(arn, ":"), 0)]
	name, ours := strings.CutPrefix(topicARN, s.ARN(""))
	if !ours || !topicName.MatchString(name) {
		return nil, invalid("SubscriptionArn")
	}
	if err := s.admit(c, topicARN); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	is := func(sub subscription) bool { return sub.ARN == arn }
	if t := s.topics[name]; t == nil || !slices.ContainsFunc(t.Subscriptions, is) {
		return nil, notFound("Subscription")
	}
	return nil, s.change(func(topics map[string]*topic) {
		topics[name].Subscriptions = slices.DeleteFunc(topics[name].Subscriptions, is)
	})
}

// listSubscriptionsResult is the result of two actions.
type listSubscriptionsResult struct {
	XMLName       xml.Name
	Subscriptions []listedSubscription `xml:"Subscriptions>member"`
	NextToken     string               `xml:"NextToken,omitempty"`
}

type listedSubscription struct {
	SubscriptionARN string `xml:"SubscriptionArn"`
	Owner           string
	Protocol        string
	Endpoint        string
	TopicARN        string `xml:"TopicArn"`
}

// listSubscriptions lists those of a topic, or all.
func (s *Server) listSubscriptions(c *call) (any, error) {
	of := ""
	var err error
	if c.Action == "ListSubscriptionsByTopic" {
		of, err = s.topicOf(c)
	} else {
		err = s.admit(c, "")
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if of != "" && s.topics[of] == nil {
		return nil, notFound("Topic")
	}
	var all []listedSubscription
	for _, name := range slices.Sorted(maps.Keys(s.topics)) {
		if of != "" && name != of {
			continue
		}
		for _, sub := range s.topics[name].Subscriptions {
			all = append(all, listedSubscription{sub.ARN, s.config.Account, "sqs", sub.Endpoint, s.ARN(name)})
		}
	}
	result := listSubscriptionsResult{XMLName: xml.Name{Local: c.Action + "Result"}}
	result.Subscriptions, result.NextToken, err = page(all, c.parameters.Get("NextToken"))
	return result, err
}
