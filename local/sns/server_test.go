package sns

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sealreel/local/iam"
	"sealreel/local/internal/gate"
	localsqs "sealreel/local/sqs"
)

const roleARN = "arn:aws:iam::" + account + ":role/worker"

// policed is SNS and SQS that WORKER may use as a policy says.
func policed(t *testing.T, dir, statements string) (c *client, queues *localsqs.Server, seen *[]Request, dropped *[]string) {
	t.Helper()
	document, err := iam.ParseIdentity([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	d := iam.NewDirectory()
	if err := errors.Join(d.AddRole(iam.Role{ARN: roleARN, Policies: []iam.Policy{{Name: "p", Document: document}}}),
		d.AddFunction("WORKER", "session", roleARN)); err != nil {
		t.Fatal(err)
	}
	g := &gate.Gate{Directory: d}
	if queues, err = localsqs.Open(localsqs.Config{Dir: t.TempDir(), Region: region, Account: account, Known: known, Gate: g}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { queues.Close() })
	seen, dropped = &[]Request{}, &[]string{}
	s, err := Open(Config{Dir: dir, Region: region, Account: account, Known: func(id string) bool { return id == "WORKER" || id == "STRANGER" },
		Gate: g, Queues: queuesOf{queues}, OnRequest: func(r Request) { *seen = append(*seen, r) },
		Dropped: func(_, queue string, err error) { *dropped = append(*dropped, queue+" "+err.Error()) }})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return newClient(web.URL, web.URL, "WORKER"), queues, seen, dropped
}

func allow(action, resource string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
}

// TestActionsNeedTheirPermission asks for each action with the permission for it
// on the topic, and with that for all others.
func TestActionsNeedTheirPermission(t *testing.T) {
	topic := aws.String("arn:aws:sns:" + region + ":" + account + ":films")
	queue := aws.String("arn:aws:sqs:" + region + ":" + account + ":q")
	for action, c := range map[string]struct {
		resource string
		do       func(*client) error
	}{
		"CreateTopic": {*topic, func(c *client) error {
			_, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("films")})
			return err
		}},
		"DeleteTopic": {*topic, func(c *client) error {
			_, err := c.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: topic})
			return err
		}},
		"ListTopics": {"*", func(c *client) error { _, err := c.ListTopics(t.Context(), nil); return err }},
		"Subscribe": {*topic, func(c *client) error {
			_, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: queue})
			return err
		}},
		"Unsubscribe": {*topic, func(c *client) error {
			_, err := c.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: aws.String(*topic + ":x")})
			return err
		}},
		"ListSubscriptions": {"*", func(c *client) error { _, err := c.ListSubscriptions(t.Context(), nil); return err }},
		"ListSubscriptionsByTopic": {*topic, func(c *client) error {
			_, err := c.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: topic})
			return err
		}},
		"Publish": {*topic, func(c *client) error {
			_, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: aws.String("m")})
			return err
		}},
	} {
		var others []string
		for name := range actions {
			if name != action {
				others = append(others, `"sns:`+name+`"`)
			}
		}
		mine, _, seen, _ := policed(t, t.TempDir(), allow("sns:"+action, c.resource))
		err := c.do(mine)
		if err != nil && !strings.Contains(err.Error(), "NotFound") {
			t.Errorf("%s: %v", action, err)
		}
		if r := (*seen)[0]; r.Action != action || r.Denied || len(r.By) != 1 || r.Who.ARN != roleARN || r.TopicARN != strings.TrimPrefix(c.resource, "*") {
			t.Errorf("%s: %+v", action, r)
		}
		theirs, _, seen, _ := policed(t, t.TempDir(), `{"Effect":"Allow","Action":[`+strings.Join(others, ",")+`],"Resource":"*"}`)
		wantError(t, action, c.do(theirs), "AuthorizationError", "is not authorized to perform: SNS:"+action+" on resource: "+c.resource+
			" because no identity-based policy allows the SNS:"+action+" action")
		if r := (*seen)[0]; !r.Denied || r.Status != 403 {
			t.Errorf("%s: %+v", action, r)
		}
	}
}

// TestQueueMustLetSNSIn by its policy; else what SNS has for it is dropped.
func TestQueueMustLetSNSIn(t *testing.T) {
	const all = `{"Effect":"Allow","Action":"sns:*","Resource":"*"}`
	c, queues, _, dropped := policed(t, t.TempDir(), all)
	topic, other := c.topic(t, "films"), c.topic(t, "other")
	arn := "arn:aws:sqs:" + region + ":" + account + ":q"
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `",
		"Condition":{"ArnEquals":{"aws:SourceArn":"` + *topic + `"}}}}`
	publish := func(to *string) {
		t.Helper()
		if _, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: to, Message: aws.String("m")}); err != nil {
			t.Fatal(err)
		}
	}
	c.subscribe(t, topic, &arn, nil)
	c.subscribe(t, other, &arn, nil)
	publish(topic) // there is no queue
	if err := queues.CreateQueue("q", nil); err != nil {
		t.Fatal(err)
	}
	publish(topic) // it lets nobody in
	if err := queues.SetAttributes("q", map[string]string{"Policy": policy}); err != nil {
		t.Fatal(err)
	}
	publish(other) // it lets another in
	for i, want := range []string{"NonExistentQueue", "no resource-based policy allows the sqs:sendmessage action", "no resource-based policy"} {
		if len(*dropped) != 3 || !strings.Contains((*dropped)[i], want) {
			t.Fatalf("dropped %q, want %s", *dropped, want)
		}
	}
	publish(topic)
	messages, err := queues.Receive(t.Context(), "q", localsqs.ReceiveOptions{Max: 10})
	if err != nil || len(messages) != 1 || len(*dropped) != 3 {
		t.Errorf("%d messages, %v", len(messages), err)
	}
}

// TestStateSurvives the death of the process.
func TestStateSurvives(t *testing.T) {
	const all = `{"Effect":"Allow","Action":"sns:*","Resource":"*"}`
	dir := t.TempDir()
	c, _, _, _ := policed(t, dir, all)
	topic := c.topic(t, "films")
	arn := "arn:aws:sqs:" + region + ":" + account + ":q"
	first := c.subscribe(t, topic, &arn, map[string]string{"RawMessageDelivery": "true"})
	again, _, _, _ := policed(t, dir, all)
	out, err := again.ListSubscriptions(t.Context(), nil)
	if err != nil || len(out.Subscriptions) != 1 || *out.Subscriptions[0].SubscriptionArn != *first {
		t.Errorf("%+v, %v", out, err)
	}
	if second := again.subscribe(t, topic, &arn, map[string]string{"RawMessageDelivery": "true"}); *second != *first {
		t.Errorf("%s, then %s", *first, *second)
	}
}

func TestCallers(t *testing.T) {
	c, _, seen, _ := policed(t, t.TempDir(), allow("sns:*", "*"))
	for key, code := range map[string]string{"NOBODY": "InvalidClientTokenId", "STRANGER": "InvalidClientTokenId"} {
		other := newClient(*c.Options().BaseEndpoint, *c.Options().BaseEndpoint, key)
		_, err := other.ListTopics(t.Context(), nil)
		wantError(t, key, err, code, "security token")
	}
	if slices.ContainsFunc(*seen, func(r Request) bool { return r.Status == 200 }) {
		t.Errorf("%+v", *seen)
	}
}
