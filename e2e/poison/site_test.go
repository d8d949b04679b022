package poison

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"sealreel/local/lambda"
	"sealreel/local/stack"
	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// site is the deployment that takes the poison, the key that all of it is
// encrypted with, and what its documents name.
var site struct {
	*stack.Stack
	dir                             string
	ingest, output, state, pipeline string
	store                           *s3store.Store
	ledger                          *ledger.Ledger
	key                             *job.Encryption
	material                        *seal.Material
	lures                           Lures
	asked                           atomic.Int64 // connections to the lure
	watch                           *watch       // nil where there is no strace
	mu                              sync.Mutex
	reports                         []lambda.Report
}

// stallSeconds is after how long reconcile steps in for a job that stopped.
const stallSeconds = 40

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	if err := up(); err != nil {
		fmt.Fprintln(os.Stderr, "poison:", err)
		return 1
	}
	defer func() {
		if *keep {
			fmt.Fprintln(os.Stderr, "poison: logs and state are in", site.dir)
		} else {
			os.RemoveAll(site.dir)
		}
	}()
	defer func() {
		if err := site.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "poison: closing:", err)
		}
	}()
	return m.Run()
}

// up deploys the template and puts out the lures.
func up() error {
	var err error
	if site.dir, err = os.MkdirTemp("", "sealreel-poison-"); err != nil {
		return err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	ctx := context.Background()
	site.Stack, err = stack.Up(ctx, stack.Config{
		Root: root, Dir: filepath.Join(site.dir, "stack"), Workers: 2,
		Environment: map[string]string{
			"SEALREEL_X264_PRESET": "ultrafast", "SEALREEL_CHUNK_SECONDS": "30", "SEALREEL_LOG_LEVEL": "DEBUG",
			"SEALREEL_LOST_SECONDS": fmt.Sprint(stallSeconds), "SEALREEL_STALLED_SECONDS": fmt.Sprint(stallSeconds),
		},
		Lambda: lambda.Config{RetryDelays: []time.Duration{time.Second}, OnReport: func(r lambda.Report) {
			site.mu.Lock()
			defer site.mu.Unlock()
			site.reports = append(site.reports, r)
		}},
	})
	if err != nil {
		return err
	}
	if site.watch, err = newWatch(site.dir, filepath.Join(site.dir, "stack", "functions")); err != nil {
		return err
	}
	if err := lure(); err != nil {
		return err
	}
	return connect(ctx)
}

// lure puts out a server and a file that nothing should ever open.
func lure() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			site.asked.Add(1)
		}
	}}
	go func() { _ = server.Serve(listener) }() // until the process ends
	site.lures = Lures{Host: listener.Addr().String(), File: filepath.Join(site.dir, "lure.ts")}
	return os.WriteFile(site.lures.File, make([]byte, 188*10), 0o600)
}

// connect makes a user's clients, and a key.
func connect(ctx context.Context) error {
	x := site.Exports()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_CA_BUNDLE",
		"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL_STS"} {
		if value, ok := x[name]; ok {
			os.Setenv(name, value)
		}
	}
	config, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	site.ingest, site.output, site.state, site.pipeline = x["SEALREEL_INGEST_BUCKET"], x["SEALREEL_OUTPUT_BUCKET"], x["SEALREEL_STATE_BUCKET"], x["SEALREEL_PIPELINE_ID"]
	site.store = s3store.New(config, s3store.Options{})
	site.ledger = ledger.New(site.store, site.state)
	ring := seal.NewKeyring(kmskeys.New(config), x["SEALREEL_KMS_KEY_ARN"], map[string]string{"service": "elastictranscoder.amazonaws.com"})
	e, err := ring.Generate(ctx, job.ModeSSEC)
	if err != nil {
		return err
	}
	site.key = &e
	site.material, err = ring.Unwrap(ctx, e)
	return err
}
