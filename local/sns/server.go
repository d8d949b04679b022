// Package sns is an embedded Amazon SNS: standard topics over the Query
// protocol, with subscriptions of SQS queues.
//
// A message whose Publish was answered is in every subscribed queue that lets
// SNS in: as in AWS a queue's policy must allow sqs:SendMessage to
// sns.amazonaws.com, and what a queue refuses is dropped. Topics and
// subscriptions survive the death of the process: they are in a file before the
// answer.
//
// Who may do what is for the gate of its Config to say. The envelope that a
// queue gets has AWS's members; its signature is none, since there is no
// certificate to check one with. What AWS's SNS takes and this one does not is
// refused by name, never ignored: other protocols than sqs, filter policies,
// message attributes, topics of first-in-first-out, and every other action.
package sns

import (
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/awsquery"
	"sealreel/local/internal/gate"
)

var service = awsquery.Service{Name: "SNS", Version: "2010-03-31", Namespace: "http://sns.amazonaws.com/doc/2010-03-31/", MaxBody: 2 << 20}

// Principal is the service as policies call it.
const Principal = "sns.amazonaws.com"

// Queues is where subscribed queues are.
type Queues interface {
	// Send puts a message on the queue of an ARN in the name of SNS, for the
	// topic of an ARN.
	Send(topicARN, queueARN, body string) error
}

// Config says where and for whom a Server keeps topics.
type Config struct {
	Dir     string // folder of the state, made if missing; one Server at a time
	Region  string // for ARNs
	Account string // twelve digits, for ARNs
	Queues  Queues

	// Known reports whether an access key id may call.
	Known func(accessKeyID string) bool
	// Gate says who may do what; nil admits every known access key id.
	Gate *gate.Gate
	// OnRequest, when set, hears of every request when it is answered. It is
	// called from many goroutines.
	OnRequest func(Request)
	// Dropped, when set, hears of every message that a queue did not take.
	Dropped func(topicARN, queueARN string, err error)
}

// Request is one answered request. Requests without a known action or caller are
// none.
type Request struct {
	Action      string // for example Publish
	TopicARN    string // empty for the lists of all
	AccessKeyID string // of the caller
	Status      int    // HTTP status
	gate.Record
}

// Server holds the topics of one account and region. It is an http.Handler.
type Server struct {
	config Config
	file   string

	mu     sync.Mutex
	topics map[string]*topic // by name
}

// Open starts a Server on the state in config.Dir.
func Open(config Config) (*Server, error) {
	if config.Dir == "" || config.Region == "" || config.Account == "" || config.Known == nil || config.Queues == nil {
		return nil, errors.New("sns: Config needs Dir, Region, Account, Known and Queues")
	}
	s := &Server{config: config, file: filepath.Join(config.Dir, "topics.json"), topics: map[string]*topic{}}
	return s, s.load()
}

// ARN returns the ARN of the topic of a name.
func (s *Server) ARN(name string) string {
	return "arn:aws:sns:" + s.config.Region + ":" + s.config.Account + ":" + name
}

// call is a request of a known caller for a known action.
type call struct {
	Request
	parameters   url.Values
	sessionToken string
	secure       bool // over TLS
}

// action answers a call with what its Result element holds.
type action struct {
	takes string // pattern of names of parameters
	run   func(*Server, *call) (result any, err error)
}

var actions = map[string]action{
	"CreateTopic":              {`Name`, (*Server).createTopic},
	"DeleteTopic":              {`TopicArn`, (*Server).deleteTopic},
	"ListTopics":               {`NextToken`, (*Server).listTopics},
	"Subscribe":                {`TopicArn|Protocol|Endpoint|ReturnSubscriptionArn|Attributes\.entry\.\d+\.(key|value)`, (*Server).subscribe},
	"Unsubscribe":              {`SubscriptionArn`, (*Server).unsubscribe},
	"ListSubscriptions":        {`NextToken`, (*Server).listSubscriptions},
	"ListSubscriptionsByTopic": {`TopicArn|NextToken`, (*Server).listSubscriptions},
	"Publish":                  {`TopicArn|Subject|Message`, (*Server).publish},
}

// ServeHTTP answers a client of the Query protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := awsjson.UUID()
	c, err := s.accept(w, r)
	if err != nil {
		service.Fail(w, id, err)
		return
	}
	result, err := actions[c.Action].run(s, c)
	c.Status = service.Answer(w, id, c.Action, result, err)
	if s.config.OnRequest != nil {
		s.config.OnRequest(c.Request)
	}
}

// accept reads the request as far as every action needs it.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) (*call, error) {
	caller, err := awsjson.AccessKeyID(r.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	if !s.config.Known(caller) {
		return nil, &awsquery.Error{Status: http.StatusForbidden, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	}
	parameters, err := service.Parameters(w, r, func(action string) bool { return actions[action].run != nil })
	if err != nil {
		return nil, err
	}
	name := parameters.Get("Action")
	takes := regexp.MustCompile(`^(` + actions[name].takes + `)$`)
	if err := service.Check(parameters, takes.MatchString, "InvalidParameter"); err != nil {
		return nil, err
	}
	return &call{Request: Request{Action: name, AccessKeyID: caller}, parameters: parameters,
		sessionToken: r.Header.Get("X-Amz-Security-Token"), secure: r.TLS != nil}, nil
}

// admit notes the topic of a call, empty for the lists of all, and asks the gate
// whether the caller may.
func (s *Server) admit(c *call, topicARN string) error {
	c.TopicARN = topicARN
	attempt := gate.Attempt{Action: "sns:" + c.Action, Resource: topicARN, Kind: iam.AnyResource,
		Context: map[string][]string{"aws:SecureTransport": {strconv.FormatBool(c.secure)}}}
	if topicARN == "" {
		attempt.Resource = "*"
	}
	err := s.config.Gate.Admit(gate.Caller{AccessKeyID: c.AccessKeyID, SessionToken: c.sessionToken}, attempt, &c.Record)
	return refused(err)
}
