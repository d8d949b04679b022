package crash

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"sealreel/local/fault"
	"sealreel/local/stack"
	"sealreel/pkg/task"
)

// call is what a function asked of AWS, told by what it is about and not by when
// it came: jobs of one scenario make the same calls, in whatever order.
type call struct {
	Function  string // logical id
	Work      string // what the invocation is about: document, media, audio, chunk-0-00001, output 1 or sweep; "" for any
	Service   string
	Operation string
	Resource  string // with NAME, JOB and so on in place of what is a job's own
	Ordinal   int    // among the same calls of one invocation, from 1
}

func (c call) String() string {
	return fmt.Sprintf("%s (%s) %s:%s %s #%d", strings.TrimSuffix(c.Function, "Function"), cmp.Or(c.Work, "any"), c.Service, c.Operation, c.Resource, c.Ordinal)
}

// anywhere is the call of whichever invocation of the function makes it.
func (c call) anywhere() call {
	c.Work = ""
	return c
}

// of is a call of a trial; trial is nil for what a sweep does for no job.
type of struct {
	call
	trial *trial
}

// recorder tells each call of a function by its trial. It is told of every call
// before and after it is carried out.
type recorder struct {
	mu       sync.Mutex
	trials   map[string]*trial     // by name, by job id, and by the hashes of drops
	calls    map[uint64]of         // by number
	ordinals map[string]map[of]int // by attempt at an invocation, of calls with Ordinal 0
	receipts map[string]string     // receipt handles of messages, by invocation
	sweeping *trial                // for which reconcile is run
}

func newRecorder() *recorder {
	return &recorder{trials: map[string]*trial{}, calls: map[uint64]of{}, ordinals: map[string]map[of]int{}, receipts: map[string]string{}}
}

var (
	namePattern   = regexp.MustCompile(`crash-\d{6}`)
	jobPattern    = regexp.MustCompile(`\d{13}-[a-z0-9]{6}`)
	hashPattern   = regexp.MustCompile(`[0-9a-f]{32,64}`)
	idPattern     = regexp.MustCompile(`(\d{13}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`) // of invocations and KMS keys
	randomPattern = regexp.MustCompile(`-[A-Z2-7]{26}`)                                       // of rand.Text, in the names of work files
)

// know lets calls about the name, the job or the drop of a hash be those of a trial.
func (r *recorder) know(name string, t *trial) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trials[name] = t
}

// trialOf is the trial of a job.
func (r *recorder) trialOf(job string) *trial {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trials[job]
}

// receipt is the receipt handle of the message that an invocation worked on.
func (r *recorder) receipt(invocation string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.receipts[invocation]
}

// saw notes a call before it is carried out, and what it came to after.
func (r *recorder) saw(c fault.Call) {
	o, ok := r.tell(c)
	switch {
	case !ok:
	case !c.Done && o.trial != nil:
		o.trial.note(o.call)
	case o.trial != nil && c.Status >= 200 && c.Status < 300:
		o.trial.carriedOut(o.call)
	}
}

// stored notes an object that a function stored, whether it lived to hear of it or
// not.
func (r *recorder) stored(q stack.Request) {
	write := q.Operation == "PutObject" || q.Operation == "CompleteMultipartUpload"
	if !write || q.Status < 200 || q.Status > 299 || !strings.HasSuffix(q.Caller, "Function") || !strings.HasPrefix(q.Resource, site.output+"/") {
		return
	}
	if t := r.trialOf(namePattern.FindString(q.Resource)); t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.writes[q.Resource]++
	}
}

// services are those that functions call.
var services = []string{"s3", "kms", "sqs", "sns", "sts"}

// tell says what a call is; false for those that no function made.
func (r *recorder) tell(c fault.Call) (of, bool) {
	if c.Environment == "" || !slices.Contains(services, c.Service) {
		return of{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.calls[c.Number]; ok {
		return known, true
	}
	work, about, receipt := r.work(c)
	if receipt != "" {
		r.receipts[c.Invocation] = receipt
	}
	t := r.trials[about]
	if work == sweep {
		t = r.sweepsAt(c)
	}
	if id := jobIn(c.Resource); t != nil && id != "" && r.trials[id] == nil {
		r.trials[id] = t // the job that is made of the drop
	}
	o := of{call{Function: c.Caller, Work: work, Service: c.Service, Operation: c.Operation, Resource: plain(c.Resource)}, t}
	attempt := c.Environment + c.Invocation // a repeated event keeps its id
	if r.ordinals[attempt] == nil {
		r.ordinals[attempt] = map[of]int{}
	}
	r.ordinals[attempt][o]++
	o.Ordinal = r.ordinals[attempt][o]
	r.calls[c.Number] = o
	return o, true
}

// sweepsAt is the trial that a sweep's call is about: the one that it names, or
// else the one that the sweep is made for.
func (r *recorder) sweepsAt(c fault.Call) *trial {
	for _, name := range []string{namePattern.FindString(c.Resource), jobIn(c.Resource), hashPattern.FindString(c.Resource)} {
		if t := r.trials[name]; t != nil {
			return t
		}
	}
	return r.sweeping
}

// sweepFor lets the calls of sweeps that name no trial be those of one.
func (r *recorder) sweepFor(t *trial) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweeping = t
}

// jobIn is the id of the job that a resource names.
func jobIn(resource string) string {
	for _, id := range jobPattern.FindAllString(resource, -1) {
		if ownID(id) {
			return id
		}
	}
	return ""
}

// ownID tells the id of a job from those of pipelines and presets.
func ownID(id string) bool { return id != site.pipeline && !strings.HasPrefix(id, presetSeries) }

// sweep is the work of reconcile.
const sweep = "sweep"

// work reads from the payload of a call's invocation what it is about, whose it
// is, and the receipt handle of its message where it has one.
func (r *recorder) work(c fault.Call) (work, about, receipt string) {
	var event struct {
		Records []struct {
			Body, ReceiptHandle string
			S3                  struct{ Object struct{ Key string } }
		}
	}
	if err := json.Unmarshal([]byte(c.Event), &event); err != nil || len(event.Records) == 0 {
		return sweep, "", ""
	}
	record := event.Records[0]
	if m, err := task.ParseMessage(record.Body); err == nil {
		return m.Task, m.Job, record.ReceiptHandle
	}
	key, err := url.QueryUnescape(record.S3.Object.Key)
	switch {
	case err != nil:
		return "", "", ""
	case strings.HasPrefix(key, "ready/"):
		return "output " + strings.TrimSuffix(key[strings.LastIndex(key, "/")+1:], ".json"), jobPattern.FindString(key), ""
	case strings.HasSuffix(key, ".job.json"):
		return "document", namePattern.FindString(key), ""
	}
	return "media", namePattern.FindString(key), ""
}

// plain is a resource without what is a job's own.
func plain(resource string) string {
	for bucket, name := range map[string]string{site.ingest: "ingest", site.output: "output", site.state: "state", site.work: "work"} {
		if rest, ok := strings.CutPrefix(resource, bucket); ok {
			resource = name + rest
		}
		resource = strings.ReplaceAll(resource, "/"+bucket+"/", "/"+name+"/") // in the catalogue
	}
	resource = idPattern.ReplaceAllString(resource, "ID")
	resource = namePattern.ReplaceAllString(resource, "NAME")
	resource = jobPattern.ReplaceAllStringFunc(resource, func(id string) string {
		if ownID(id) {
			return "JOB"
		}
		return id
	})
	resource = randomPattern.ReplaceAllString(resource, "-RANDOM")
	return hashPattern.ReplaceAllString(resource, "HASH")
}
