// Package e2e runs whole jobs: the real functions with the real ffmpeg on the
// embedded AWS, deployed from the real template.yaml.
package e2e

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

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
	store                                         *s3store.Store
	ledger                                        *ledger.Ledger
	vault                                         *vault.Vault

	once  atomic.Bool // events are delivered once, where they are counted
	deaf  atomic.Bool // nobody hears that outputs are ready
	mu    sync.Mutex
	calls []stack.Request
}

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "aws" { // started by documented commands; see standInFor
		os.Exit(awsCommand(os.Args[1:]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sealreel-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	root, err := filepath.Abs("..")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	site.dir = dir
	environment := map[string]string{
		"SEALREEL_X264_PRESET":   "veryfast",
		"SEALREEL_CHUNK_SECONDS": cmp.Or(os.Getenv("SEALREEL_CHUNK_SECONDS"), "4"),
		"SEALREEL_LOG_LEVEL":     "DEBUG", // so that the canary sees all that can be logged
		// Reconcile, which tests run when they want it, steps in at once.
		"SEALREEL_LOST_SECONDS":    "2",
		"SEALREEL_STALLED_SECONDS": "2",
	}
	if hasStandIn() {
		if environment["SEALREEL_FFMPEG"], err = makeStandIn(filepath.Join(dir, "programs")); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			return 1
		}
		environment["SEALREEL_NO_SANDBOX"] = "yes" // the stand-in is a script
	}
	site.Stack, err = stack.Up(context.Background(), stack.Config{
		Root: root, Dir: dir, Workers: 2, Faults: &fault.Plan{},
		Parameters:  map[string]string{"PipelineRoleArns": listed(), "NotificationTopic": "yes", "ServiceThrottles": "2"},
		Environment: environment,
		Lambda:      lambda.Config{Deliveries: deliveries, RetryDelays: []time.Duration{time.Second}},
		OnRequest: func(r stack.Request) {
			site.mu.Lock()
			site.calls = append(site.calls, r)
			site.mu.Unlock()
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer func() {
		if err := site.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: closing:", err)
		}
	}()
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := m.Run()
	if lines := refused(); len(lines) > 0 {
		fmt.Fprintf(os.Stderr, "e2e: template.yaml does not allow what the functions did:\n%s\n", strings.Join(lines, "\n"))
		code = 1
	}
	if lines := unused(); len(lines) > 0 && wholeSuite() {
		fmt.Fprintf(os.Stderr, "e2e: template.yaml allows what no function did:\n%s\n", strings.Join(lines, "\n"))
		code = 1
	}
	return code
}

// wholeSuite says whether no test was left out.
func wholeSuite() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// listed are the ARNs of the roles that functions may assume.
func listed() string {
	var all []string
	for _, name := range pipelineRoles {
		all = append(all, roleARN(name))
	}
	return strings.Join(all, ",")
}

// deliveries says when an object's event is delivered, once for each element:
// S3 promises once at least and in no order. Keys under "often/" have theirs
// several times, and so has every output that is ready; those under "lost/" have
// none.
func deliveries(e lambda.ObjectEvent) []time.Duration {
	switch {
	case strings.HasPrefix(e.Key, lost), strings.HasPrefix(e.Key, "ready/") && site.deaf.Load():
		return nil
	case strings.HasPrefix(e.Key, "often/"):
		return []time.Duration{time.Second, 0, 0, 3 * time.Second, 0}
	case strings.HasPrefix(e.Key, "ready/") && !site.once.Load():
		return []time.Duration{0, 0}
	}
	return []time.Duration{0}
}

// connect makes clients as a user's, from the variables of the stack.
func connect() error {
	for name, value := range site.Exports() {
		if strings.HasPrefix(name, "AWS_") {
			os.Setenv(name, value)
		}
	}
	x := site.Exports()
	site.ingest, site.output, site.state, site.work = x["SEALREEL_INGEST_BUCKET"], x["SEALREEL_OUTPUT_BUCKET"], x["SEALREEL_STATE_BUCKET"], x["SEALREEL_WORK_BUCKET"]
	site.keyARN, site.pipeline = x["SEALREEL_KMS_KEY_ARN"], x["SEALREEL_PIPELINE_ID"]
	var err error
	if site.aws, err = awsconfig.LoadDefaultConfig(context.Background()); err != nil {
		return err
	}
	site.store = s3store.New(site.aws, s3store.Options{})
	site.ledger = ledger.New(site.store, site.state)
	site.vault = vault.New(site.store, kmskeys.New(site.aws), site.work, nil)
	return nil
}
