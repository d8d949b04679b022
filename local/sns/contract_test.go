package sns

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"sealreel/local/internal/moto"
	localsqs "sealreel/local/sqs"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
)

// contract is what a client of SNS relies on. Every case is put through the Go
// SDK to this package and to moto.
var contract = []struct {
	name string
	// motoDiffers says why the case is not put to moto.
	motoDiffers string
	run         func(t *testing.T, c *client)
}{
	{"topics", "", contractTopics},
	{"names", "", contractNames},
	{"delivery", "", contractDelivery},
	{"raw delivery", "", contractRaw},
	{"subscriptions", "", contractSubscriptions},
	{"pages", "", contractPages},
	{"messages", "", contractMessages},
	{"subjects", "moto takes most", contractSubjects},
	{"what is not there", "moto forgives", contractMissing},
	{"what is not supported", "moto supports it", contractUnsupported},
}

// client is those of SNS and SQS.
type client struct {
	*sns.Client
	queues *sqs.Client
}

func newClient(endpoint, queues, key string) *client {
	keys := credentials.NewStaticCredentialsProvider(key, "secret", "")
	return &client{
		sns.New(sns.Options{BaseEndpoint: &endpoint, Region: region, Credentials: keys}),
		sqs.New(sqs.Options{BaseEndpoint: &queues, Region: region, Credentials: keys}),
	}
}

// queuesOf lets topics send to queues, whatever their policies.
type queuesOf struct{ *localsqs.Server }

func (q queuesOf) Send(topicARN, queueARN, body string) error {
	_, err := q.SendFor(Principal, topicARN, localsqs.QueueName(queueARN), localsqs.SendInput{MessageBody: body})
	return err
}

func known(string) bool { return true }

func TestContract(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			queues, err := localsqs.Open(localsqs.Config{Dir: t.TempDir(), Region: region, Account: account, Known: known})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { queues.Close() })
			topics, err := Open(Config{Dir: t.TempDir(), Region: region, Account: account, Known: known, Queues: queuesOf{queues},
				Dropped: func(topic, queue string, err error) { t.Errorf("%s dropped by %s: %v", topic, queue, err) }})
			if err != nil {
				t.Fatal(err)
			}
			a, b := httptest.NewServer(topics), httptest.NewServer(queues)
			t.Cleanup(a.Close)
			t.Cleanup(b.Close)
			c.run(t, newClient(a.URL, b.URL, "AKIATEST"))
		})
	}
}

func TestContractOnMoto(t *testing.T) {
	endpoint := moto.Start(t)
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			if c.motoDiffers != "" {
				t.Skip("moto: " + c.motoDiffers)
			}
			c.run(t, newClient(endpoint, endpoint, "AKIATEST"))
		})
	}
}

func (c *client) topic(t *testing.T, name string) *string {
	t.Helper()
	out, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.TopicArn
}

// queue makes a queue and returns its URL and ARN.
func (c *client) queue(t *testing.T, name string) (url, arn *string) {
	t.Helper()
	out, err := c.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.QueueUrl, aws.String("arn:aws:sqs:" + region + ":" + account + ":" + name)
}

func (c *client) subscribe(t *testing.T, topic, queue *string, attributes map[string]string) *string {
	t.Helper()
	out, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: queue,
		Attributes: attributes, ReturnSubscriptionArn: true})
	if err != nil {
		t.Fatal(err)
	}
	return out.SubscriptionArn
}

// bodies are those of the messages that a queue has.
func (c *client) bodies(t *testing.T, url *string) []string {
	t.Helper()
	out, err := c.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range out.Messages {
		all = append(all, *m.Body)
	}
	return all
}

func wantError(t *testing.T, what string, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("%s: error %v, want %s: ...%s...", what, err, code, message)
	}
}

func contractTopics(t *testing.T, c *client) {
	arn := c.topic(t, "films-1")
	if want := "arn:aws:sns:eu-west-1:123456789012:films-1"; *arn != want {
		t.Errorf("%s, want %s", *arn, want)
	}
	if again := c.topic(t, "films-1"); *again != *arn {
		t.Errorf("the same topic is %s and %s", *arn, *again)
	}
	listed := func() (all []string) {
		out, err := c.ListTopics(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range out.Topics {
			all = append(all, *topic.TopicArn)
		}
		return all
	}
	if !slices.Contains(listed(), *arn) {
		t.Errorf("%q", listed())
	}
	for range 2 { // deleting what is not there is no error
		if _, err := c.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: arn}); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Contains(listed(), *arn) {
		t.Errorf("%q", listed())
	}
}

func contractNames(t *testing.T, c *client) {
	for name, ok := range map[string]bool{strings.Repeat("n", 256): true, "A_b-9": true, strings.Repeat("n", 257): false, "a b": false, "a/b": false, "ä": false} {
		_, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
		if ok && err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if !ok {
			wantError(t, name, err, "InvalidParameter", "")
		}
	}
}

func contractDelivery(t *testing.T, c *client) {
	topic := c.topic(t, "delivery")
	url, arn := c.queue(t, "delivery-a")
	other, otherARN := c.queue(t, "delivery-b")
	c.subscribe(t, topic, arn, nil)
	c.subscribe(t, topic, otherARN, nil)
	c.subscribe(t, topic, otherARN, nil)
	message := "{\"a\": \"<ä> & \\\"b\\\"\"}\n"
	before := time.Now()
	out, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Subject: aws.String("About <it>."), Message: &message})
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(aws.ToString(out.MessageId)) {
		t.Fatalf("%+v, %v", out, err)
	}
	for _, queue := range []*string{url, other} {
		bodies := c.bodies(t, queue)
		if len(bodies) != 1 {
			t.Fatalf("%d messages", len(bodies))
		}
		var e envelope
		if err := json.Unmarshal([]byte(bodies[0]), &e); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse("2006-01-02T15:04:05.000Z", e.Timestamp)
		if e.Type != "Notification" || e.MessageId != *out.MessageId || e.TopicArn != *topic || e.Subject != "About <it>." || e.Message != message ||
			!slices.Contains([]string{"1", "2"}, e.SignatureVersion) || e.Signature == "" || e.UnsubscribeURL == "" || err != nil || at.Sub(before).Abs() > time.Minute {
			t.Errorf("%+v", e)
		}
	}
	if _, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: &message}); err != nil {
		t.Fatal(err)
	}
	if bodies := c.bodies(t, url); len(bodies) != 1 || strings.Contains(bodies[0], `"Subject"`) {
		t.Errorf("without a subject: %q", bodies)
	}
}

func contractRaw(t *testing.T, c *client) {
	topic := c.topic(t, "raw")
	url, arn := c.queue(t, "raw")
	c.subscribe(t, topic, arn, map[string]string{"RawMessageDelivery": "true"})
	if _, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Subject: aws.String("x"), Message: aws.String("as it is")}); err != nil {
		t.Fatal(err)
	}
	if bodies := c.bodies(t, url); !slices.Equal(bodies, []string{"as it is"}) {
		t.Errorf("%q", bodies)
	}
}

func contractSubscriptions(t *testing.T, c *client) {
	topic, other := c.topic(t, "subscriptions"), c.topic(t, "subscriptions-other")
	url, arn := c.queue(t, "subscriptions")
	first := c.subscribe(t, topic, arn, nil)
	if again := c.subscribe(t, topic, arn, nil); *again != *first || !strings.HasPrefix(*first, *topic+":") {
		t.Errorf("%s, %s", *first, *again)
	}
	c.subscribe(t, other, arn, nil)
	listed := func() (count int) {
		out, err := c.ListSubscriptions(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.Subscriptions { // others are of other cases
			if *s.TopicArn == *topic || *s.TopicArn == *other {
				count++
			}
		}
		return count
	}
	if n := listed(); n != 2 {
		t.Errorf("%d subscriptions", n)
	}
	of, err := c.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: topic})
	if err != nil || len(of.Subscriptions) != 1 {
		t.Fatalf("%+v, %v", of, err)
	}
	if s := of.Subscriptions[0]; *s.SubscriptionArn != *first || *s.Owner != account || *s.Protocol != "sqs" || *s.Endpoint != *arn || *s.TopicArn != *topic {
		t.Errorf("%+v", s)
	}
	if _, err := c.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: first}); err != nil {
		t.Fatal(err)
	}
	for _, to := range []*string{topic, other} {
		if _, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: to, Message: to}); err != nil {
			t.Fatal(err)
		}
	}
	if bodies := c.bodies(t, url); len(bodies) != 1 || !strings.Contains(bodies[0], *other) {
		t.Errorf("%q", bodies)
	}
	for _, topic := range []*string{topic, other} {
		if _, err := c.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: topic}); err != nil {
			t.Fatal(err)
		}
	}
	if n := listed(); n != 0 {
		t.Errorf("%d subscriptions of topics that are gone", n)
	}
}

func contractPages(t *testing.T, c *client) {
	for i := range pageSize + 1 {
		c.topic(t, fmt.Sprintf("page-%03d", i))
	}
	seen := map[string]bool{}
	pages := sns.NewListTopicsPaginator(c.Client, nil)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil || len(page.Topics) > pageSize {
			t.Fatalf("%d topics, %v", len(page.Topics), err)
		}
		for _, topic := range page.Topics {
			seen[*topic.TopicArn] = strings.Contains(*topic.TopicArn, ":page-")
		}
	}
	count := 0
	for _, ours := range seen {
		if ours {
			count++
		}
	}
	if count != pageSize+1 {
		t.Errorf("%d topics", count)
	}
}

func contractMessages(t *testing.T, c *client) {
	topic := c.topic(t, "messages")
	for what, m := range map[string]struct {
		message string
		ok      bool
	}{
		"longest": {strings.Repeat("m", maxMessage), true}, "too long": {strings.Repeat("m", maxMessage+1), false}, "unicode": {"世\n😀", true},
	} {
		_, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: &m.message})
		if m.ok && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if !m.ok {
			wantError(t, what, err, "InvalidParameter", "Message too long")
		}
	}
	_, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(*topic + "-other"), Message: aws.String("m")})
	wantError(t, "no such topic", err, "NotFound", "does not exist")
}

func contractSubjects(t *testing.T, c *client) {
	topic := c.topic(t, "subjects")
	for subject, ok := range map[string]bool{"a": true, strings.Repeat("s", 100): true, strings.Repeat("s", 101): false, "": false, " a": false, "a\nb": false, "ä": false} {
		_, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Subject: &subject, Message: aws.String("m")})
		if ok && err != nil {
			t.Errorf("%q: %v", subject, err)
		}
		if !ok {
			wantError(t, subject, err, "InvalidParameter", "Subject")
		}
	}
	_, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: aws.String("")})
	wantError(t, "empty", err, "InvalidParameter", "Empty message")
}

func contractMissing(t *testing.T, c *client) {
	topic := c.topic(t, "missing")
	_, arn := c.queue(t, "missing")
	gone := aws.String(*topic + "-gone")
	_, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: gone, Protocol: aws.String("sqs"), Endpoint: arn})
	wantError(t, "subscribe", err, "NotFound", "Topic does not exist")
	_, err = c.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: gone})
	wantError(t, "list", err, "NotFound", "Topic does not exist")
	_, err = c.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: aws.String(*topic + ":x")})
	wantError(t, "unsubscribe", err, "NotFound", "Subscription does not exist")
	for _, other := range []string{"topic", "arn:aws:sns:us-east-1:123456789012:missing", "arn:aws:sns:eu-west-1:999999999999:missing"} {
		_, err = c.Publish(t.Context(), &sns.PublishInput{TopicArn: &other, Message: aws.String("m")})
		wantError(t, other, err, "InvalidParameter", "TopicArn")
	}
	_, err = c.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: aws.String("x")})
	wantError(t, "no ARN", err, "InvalidParameter", "SubscriptionArn")
}

func contractUnsupported(t *testing.T, c *client) {
	topic := c.topic(t, "unsupported")
	_, arn := c.queue(t, "unsupported")
	subscribe := func(protocol, endpoint string, attributes map[string]string) error {
		_, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: &protocol, Endpoint: &endpoint, Attributes: attributes})
		return err
	}
	wantError(t, "email", subscribe("email", "a@example.com", nil), "InvalidParameter", "sqs only")
	wantError(t, "no queue", subscribe("sqs", "http://127.0.0.1/q", nil), "InvalidParameter", "SQS endpoint ARN")
	wantError(t, "filter", subscribe("sqs", *arn, map[string]string{"FilterPolicy": "{}"}), "InvalidParameter", "no attribute FilterPolicy")
	wantError(t, "raw", subscribe("sqs", *arn, map[string]string{"RawMessageDelivery": "perhaps"}), "InvalidParameter", "Must be true or false")
	_, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("a.fifo")})
	wantError(t, "fifo", err, "InvalidParameter", "first-in-first-out")
	_, err = c.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: aws.String("m"), MessageStructure: aws.String("json")})
	wantError(t, "structure", err, "InvalidParameter", "MessageStructure is not supported")
	_, err = c.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: topic})
	wantError(t, "action", err, "InvalidAction", "GetTopicAttributes")
	if err := subscribe("sqs", *arn, nil); err != nil {
		t.Fatal(err)
	}
	wantError(t, "other attributes", subscribe("sqs", *arn, map[string]string{"RawMessageDelivery": "true"}), "InvalidParameter", "different attributes")
}
