package stack

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"sealreel/local/iam"
	"sealreel/local/internal/gate"
	"sealreel/local/kms"
	"sealreel/local/s3"
	"sealreel/local/sns"
	"sealreel/local/sqs"
	"sealreel/local/sts"
)

// Request is one answered request to a service.
type Request struct {
	Service   string            // s3, sqs, sns, kms, sts or logs
	Operation string            // of the API, such as UploadPart
	Action    string            // the permission it needs, such as s3:PutObject
	Resource  string            // bucket/key, name of a queue, ARN of a topic, a key, a role or a log stream
	Context   map[string]string // KMS encryption context
	Via       string            // service that asked in the caller's name, such as s3.us-east-1.amazonaws.com
	Status    int               // HTTP status; 0 where the embedded AWS only asked whether it would be allowed

	// Caller is the logical id of a function, also where it assumed a role,
	// "user", or "lambda" for the service itself.
	Caller  string
	RoleARN string      // of a caller that has a role, also where Lambda acts in its name
	Session string      // ARN of its session
	Denied  bool        // policies didn't allow it, or the credentials aren't good
	By      []iam.Grant // what allowed it; empty for the user, who may do all
}

// Count is how often a caller asked for an operation.
type Count struct {
	Service, Operation, Caller string
	Requests                   int
}

// Requests returns the counts since the stack was made, in order of service, operation and
// caller.
func (s *Stack) Requests() []Count { return s.requests.all() }

// counter counts requests.
type counter struct {
	mu     sync.Mutex
	counts map[Count]int // by a Count with Requests 0
}

// count returns a function that counts a request and passes it on.
func (c *counter) count(next func(Request)) func(Request) {
	c.counts = map[Count]int{}
	return func(r Request) {
		c.mu.Lock()
		c.counts[Count{Service: r.Service, Operation: r.Operation, Caller: r.Caller}]++
		c.mu.Unlock()
		if next != nil {
			next(r)
		}
	}
}

// reset forgets what was counted.
func (c *counter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.counts)
}

func (c *counter) all() []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Count, 0, len(c.counts))
	for key := range maps.Keys(c.counts) {
		n := key
		n.Requests = c.counts[key]
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Caller, b.Caller))
	})
	return list
}

// made says who made a request, by the record of the gate.
func made(r Request, note gate.Record, accessKeyID string) Request {
	r.Caller = caller(cmp.Or(note.Who.Origin, accessKeyID))
	if note.Who.SessionARN != "" {
		r.RoleARN, r.Session = note.Who.ARN, note.Who.SessionARN
	}
	if r.Via == lambdaService {
		r.Caller = "lambda"
	}
	r.Denied, r.By = note.Denied, note.By
	return r
}

// caller names who has an access key id.
func caller(accessKeyID string) string {
	if accessKeyID == "" {
		return "lambda"
	}
	if id, ok := strings.CutPrefix(accessKeyID, functionKeyPrefix); ok {
		function, _, _ := strings.Cut(id, keySeparator)
		return function
	}
	return "user"
}

func fromS3(r s3.Request) Request {
	resource := r.Bucket
	if r.Key != "" {
		resource += "/" + r.Key
	}
	return made(Request{Service: "s3", Operation: r.Operation, Action: r.Action, Resource: resource, Status: r.Status}, r.Record, r.AccessKeyID)
}

func fromSQS(r sqs.Request) Request {
	return made(Request{Service: "sqs", Operation: r.Action, Action: "sqs:" + strings.TrimSuffix(r.Action, "Batch"), Resource: r.Queue,
		Via: r.Service, Status: r.Status}, r.Record, r.AccessKeyID)
}

func fromSNS(r sns.Request) Request {
	return made(Request{Service: "sns", Operation: r.Action, Action: "sns:" + r.Action, Resource: r.TopicARN, Status: r.Status}, r.Record, r.AccessKeyID)
}

func fromKMS(r kms.Request) Request {
	return made(Request{Service: "kms", Operation: r.Action, Action: "kms:" + r.Action, Resource: r.KeyARN, Context: r.EncryptionContext,
		Via: r.Service, Status: r.Status}, r.Record, r.AccessKeyID)
}

func fromSTS(r sts.Request) Request {
	note := gate.Record{Who: r.Caller, Denied: r.Denied(), By: r.By}
	return made(Request{Service: "sts", Operation: r.Action, Action: "sts:" + r.Action, Resource: r.RoleARN, Status: r.Status}, note, r.AccessKeyID)
}
