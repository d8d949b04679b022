package stack

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"sealreel/local/kms"
	"sealreel/local/s3"
	"sealreel/local/sqs"
)

// Request is one answered request to a service.
type Request struct {
	Service   string            // s3, sqs or kms
	Operation string            // of the API, such as UploadPart
	Action    string            // the permission it needs, such as s3:PutObject
	Resource  string            // bucket/key, name of a queue, ARN of a key
	Context   map[string]string // KMS encryption context
	Caller    string            // logical id of a function, "user", or "lambda" for the service itself
	Status    int               // HTTP status
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

// caller names who has an access key id.
func caller(accessKeyID string) string {
	if accessKeyID == "" {
		return "lambda"
	}
	if id, ok := strings.CutPrefix(accessKeyID, functionKeyPrefix); ok {
		return id
	}
	return "user"
}

func fromS3(r s3.Request) Request {
	resource := r.Bucket
	if r.Key != "" {
		resource += "/" + r.Key
	}
	return Request{Service: "s3", Operation: r.Operation, Action: r.Action, Resource: resource, Caller: caller(r.AccessKeyID), Status: r.Status}
}

func fromSQS(r sqs.Request) Request {
	return Request{Service: "sqs", Operation: r.Action, Action: "sqs:" + strings.TrimSuffix(r.Action, "Batch"), Resource: r.Queue,
		Caller: caller(r.AccessKeyID), Status: r.Status}
}

func fromKMS(r kms.Request) Request {
	return Request{Service: "kms", Operation: r.Action, Action: "kms:" + r.Action, Resource: r.KeyARN, Context: r.EncryptionContext,
		Caller: caller(r.AccessKeyID), Status: r.Status}
}
