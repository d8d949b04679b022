// Package crash kills each function at each of its calls: immediately before the
// call reaches AWS, and immediately after AWS has done what it asks, before the
// answer arrives. The embedded AWS does the rest: it delivers messages again,
// repeats events, and runs reconcile.
//
// It shows, for every such point, that the job ends as one that nobody disturbed:
// the same objects with the same plaintext, each state told, no key used twice
// with one IV, and nothing left behind that lifecycle rules do not collect. The
// points are not chosen but recorded: jobs run undisturbed first, and the harness
// notes their calls.
package crash

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/local/fault"
	"sealreel/local/lambda"
	"sealreel/local/stack"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/s3store"
	"sealreel/pkg/vault"
)

// site is the deployment that all tests share: one S3 runs in a process.
var site struct {
	*stack.Stack
	dir                                           string
	ingest, output, state, work, keyARN, pipeline string
	aws                                           aws.Config
	queues                                        *sqs.Client
	objects                                       *s3.Client
	store                                         *s3store.Store
	ledger                                        *ledger.Ledger
	vault                                         *vault.Vault
	recorder                                      *recorder
	topic                                         *listener
	deaf                                          sync.Map // keys whose events are lost
}

// atOnce is how many jobs run at a time.
const atOnce = 4

func TestMain(m *testing.M) {
	flag.Parse()
	if raced {
		fmt.Println("crash: left to a run without the race detector, which takes half as long (make unit has one)")
		os.Exit(0)
	}
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil { // whatever the machine has
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sealreel-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	site.dir, site.recorder = dir, newRecorder()
	if err := up(); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		return 1
	}
	defer func() {
		if err := site.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "crash: closing:", err)
		}
	}()
	return m.Run()
}

// up deploys the stack. Reconcile, which runs only when a test says so, steps in
// at once.
func up() (err error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	site.Stack, err = stack.Up(context.Background(), stack.Config{
		Root: root, Dir: site.dir, Workers: atOnce,
		Parameters: map[string]string{"NotificationTopic": "yes"},
		Environment: map[string]string{
			"SEALREEL_X264_PRESET":     "ultrafast",
			"SEALREEL_CHUNK_SECONDS":   "4",
			"SEALREEL_LOST_SECONDS":    "1",
			"SEALREEL_STALLED_SECONDS": "1",
		},
		Lambda:    lambda.Config{Deliveries: deliveries, RetryDelays: []time.Duration{50 * time.Millisecond}, OnReport: redeliver},
		Faults:    &fault.Plan{},
		OnRequest: site.recorder.stored,
	})
	if err != nil {
		return err
	}
	for name, value := range site.Exports() {
		if strings.HasPrefix(name, "AWS_") {
			os.Setenv(name, value)
		}
	}
	x := site.Exports()
	site.ingest, site.output, site.state, site.work = x["SEALREEL_INGEST_BUCKET"], x["SEALREEL_OUTPUT_BUCKET"], x["SEALREEL_STATE_BUCKET"], x["SEALREEL_WORK_BUCKET"]
	site.keyARN, site.pipeline = x["SEALREEL_KMS_KEY_ARN"], x["SEALREEL_PIPELINE_ID"]
	if site.aws, err = awsconfig.LoadDefaultConfig(context.Background()); err != nil {
		return err
	}
	site.queues = sqs.NewFromConfig(site.aws)
	site.objects = s3.NewFromConfig(site.aws, func(o *s3.Options) { o.UsePathStyle = true })
	site.store = s3store.New(site.aws, s3store.Options{})
	site.ledger = ledger.New(site.store, site.state)
	site.vault = vault.New(site.store, kmskeys.New(site.aws), site.work, nil)
	site.OnCall(site.recorder.saw)
	if _, err = site.AddFaults(fault.Rule{Name: "reconcile runs when a test says so", When: fault.When{Service: "schedule"}, Then: fault.Then{Lost: true}}); err != nil {
		return err
	}
	site.topic, err = listen(context.Background(), site.Template().Topics[0].ARN)
	return err
}

// deliveries has each event delivered once, but for those that a test loses.
func deliveries(e lambda.ObjectEvent) []time.Duration {
	lost := false
	site.deaf.Range(func(part, _ any) bool {
		lost = strings.Contains(e.Key, part.(string))
		return !lost
	})
	if lost {
		return nil
	}
	return []time.Duration{0}
}

// redeliver ends the visibility timeout of a message whose worker died, which
// would take 45 seconds by itself.
func redeliver(r lambda.Report) {
	handle := site.recorder.receipt(r.RequestID)
	if r.FunctionError == "" || handle == "" {
		return
	}
	go func() {
		url := site.Exports()["SEALREEL_QUEUE_URL"]
		_, err := site.queues.ChangeMessageVisibility(context.Background(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: &handle})
		if err != nil {
			fmt.Fprintln(os.Stderr, "crash: a message stays hidden:", err)
		}
	}()
}
