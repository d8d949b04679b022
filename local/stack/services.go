package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sealreel/local/fault"
	"sealreel/local/iam"
	"sealreel/local/internal/gate"
	"sealreel/local/kms"
	"sealreel/local/s3"
	"sealreel/local/sns"
	"sealreel/local/sqs"
	"sealreel/local/sts"
)

// services are the servers that functions and users talk to.
type services struct {
	objects    *s3.Server
	queues     *sqs.Server
	topics     *sns.Server
	keys       *kms.Server
	authority  *s3.Authority
	objectsURL string
	queuesURL  string
	topicsURL  string
	keysURL    string
	tokensURL  string // of STS
	watchURL   string // of CloudWatch
	servers    []*http.Server

	faults    *fault.Engine  // nil: none
	gateway   *fault.Gateway // in front of S3, if there are faults
	directory *iam.Directory
	gate      *gate.Gate
	known     known
	ready     chan struct{} // closed when events can be taken
	release   func()        // closes ready
	deliver   func(s3.Event)
}

// known is the set of access key ids that may call.
type known struct {
	mu  sync.RWMutex
	ids map[string]bool
}

func (k *known) add(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ids[id] = true
}

func (k *known) remove(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.ids, id)
}

func (k *known) has(id string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.ids[id]
}

func openServices(ctx context.Context, c Config, st *state, faults *fault.Engine, count func(Request)) (_ *services, err error) {
	v := &services{faults: faults, known: known{ids: map[string]bool{st.User.AccessKeyID: true}}, ready: make(chan struct{}), directory: iam.NewDirectory()}
	v.gate = &gate.Gate{Directory: v.directory}
	v.release = sync.OnceFunc(func() { close(v.ready) })
	defer func() {
		if err != nil {
			v.release()
			err = errors.Join(err, v.close())
		}
	}()
	if err := v.directory.AddUser(st.User.AccessKeyID, "arn:aws:iam::"+Account+":user/sealreel"); err != nil {
		return nil, fmt.Errorf("stack: make the user: %w", err)
	}
	if v.authority, err = s3.OpenAuthority(filepath.Join(c.Dir, "tls")); err != nil {
		return nil, fmt.Errorf("stack: make the certificates: %w", err)
	}
	config := sqs.Config{Dir: filepath.Join(c.Dir, "sqs"), Region: Region, Account: Account, Known: v.known.has, Gate: v.gate,
		OnRequest: func(r sqs.Request) { count(fromSQS(r)) }}
	if faults != nil {
		config.Arrivals = faults.Sent
		faults.Know(st.User.AccessKeyID, st.User.SecretAccessKey, "")
	}
	v.queues, err = sqs.Open(config)
	if err != nil {
		return nil, fmt.Errorf("stack: start SQS: %w", err)
	}
	v.keys, err = kms.Open(kms.Config{Dir: filepath.Join(c.Dir, "kms"), Region: Region, Account: Account, Known: v.known.has, Gate: v.gate,
		OnRequest: func(r kms.Request) { count(fromKMS(r)) }})
	if err != nil {
		return nil, fmt.Errorf("stack: start KMS: %w", err)
	}
	if v.queuesURL, err = v.serve(st, "sqs", v.queues); err != nil {
		return nil, err
	}
	if v.keysURL, err = v.serve(st, "kms", v.keys); err != nil {
		return nil, err
	}
	if err := v.openS3(ctx, c, st, count); err != nil {
		return nil, err
	}
	if err := v.openSNS(c, st, count); err != nil {
		return nil, err
	}
	return v, v.openSTS(st, count)
}

// openS3 starts S3, behind a gateway if there are faults.
func (v *services) openS3(ctx context.Context, c Config, st *state, count func(Request)) (err error) {
	address := st.address("s3")
	if v.faults != nil {
		address = "127.0.0.1:0"
	}
	v.objects, err = s3.Open(ctx, s3.Config{Dir: filepath.Join(c.Dir, "s3"), Region: Region, AccessKey: st.User.AccessKeyID,
		SecretKey: st.User.SecretAccessKey, Addr: address, TLS: v.authority, Log: c.Log,
		Account: Account, Gate: v.gate, Keys: v.keys.Through("s3")})
	if err != nil {
		return fmt.Errorf("stack: start S3: %w", err)
	}
	v.objects.OnRequest(func(r s3.Request) { count(fromS3(r)) })
	v.objects.OnEvent(func(e s3.Event) { // a writer that comes early waits
		<-v.ready
		if v.deliver != nil {
			v.deliver(e)
		}
	})
	v.objectsURL = v.objects.URL()
	if v.faults != nil {
		trusted, err := v.authority.CAPEM()
		if err != nil {
			return fmt.Errorf("stack: read the certificates: %w", err)
		}
		v.gateway, err = v.faults.Open(fault.Gate{Service: "s3", Addr: st.address("s3"), Behind: v.objects.URL(),
			CertFile: v.authority.CertFile(), KeyFile: v.authority.KeyFile(), CAPEM: trusted})
		if err != nil {
			return fmt.Errorf("stack: start the gateway of S3: %w", err)
		}
		v.objectsURL = "https://" + v.gateway.Addr()
	}
	return st.keep("s3", strings.TrimPrefix(v.objectsURL, "https://"))
}

// openSNS starts SNS, which sends to queues as far as their policies let it.
func (v *services) openSNS(c Config, st *state, count func(Request)) (err error) {
	v.topics, err = sns.Open(sns.Config{Dir: filepath.Join(c.Dir, "sns"), Region: Region, Account: Account, Queues: listeners{v.queues},
		Known: v.known.has, Gate: v.gate, OnRequest: func(r sns.Request) { count(fromSNS(r)) },
		Dropped: func(topic, queue string, err error) {
			c.Log.Error("a message of a topic is dropped", "topic", topic, "queue", queue, "error", err)
		}})
	if err != nil {
		return fmt.Errorf("stack: start SNS: %w", err)
	}
	v.topicsURL, err = v.serve(st, "sns", v.topics)
	return err
}

// listeners are the queues that listen to topics.
type listeners struct{ queues *sqs.Server }

func (l listeners) Send(topicARN, queueARN, body string) error {
	_, err := l.queues.SendFor(sns.Principal, topicARN, sqs.QueueName(queueARN), sqs.SendInput{MessageBody: body})
	return err
}

// openSTS starts STS, whose sessions every other service must know.
func (v *services) openSTS(st *state, count func(Request)) error {
	tokens, err := sts.New(sts.Config{Directory: v.directory, OnRequest: func(r sts.Request) { count(fromSTS(r)) },
		Issued: func(id, secret, by string) {
			if v.faults != nil {
				v.faults.Know(id, secret, by)
			}
			v.known.add(id)
			v.objects.AddAccount(id, secret)
		}})
	if err != nil {
		return fmt.Errorf("stack: start STS: %w", err)
	}
	v.tokensURL, err = v.serve(st, "sts", tokens)
	return err
}

// serve listens on the loopback interface for a service and returns its
// endpoint.
func (v *services) serve(st *state, name string, handler http.Handler) (string, error) {
	l, err := net.Listen("tcp", st.address(name))
	if err != nil {
		return "", fmt.Errorf("stack: listen for %s: %w", name, err)
	}
	if v.faults != nil {
		handler = v.faults.Front(name, handler)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	v.servers = append(v.servers, server)
	go server.Serve(l) // ends with close
	return "http://" + l.Addr().String(), st.keep(name, l.Addr().String())
}

func (v *services) queueURL(name string) string { return v.queues.QueueURL(v.queuesURL, name) }

// close stops the servers; what was answered before is kept.
func (v *services) close() error {
	var errs []error
	if v.gateway != nil {
		errs = append(errs, v.gateway.Close())
	}
	if v.objects != nil {
		errs = append(errs, v.objects.Close())
	}
	for _, server := range v.servers {
		errs = append(errs, server.Close())
	}
	if v.queues != nil {
		errs = append(errs, v.queues.Close())
	}
	return errors.Join(errs...)
}
