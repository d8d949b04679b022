// Package e2e runs whole jobs: the real functions with the real ffmpeg on the
// embedded AWS, deployed from the real template.yaml.
package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

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

	mu    sync.Mutex
	calls []stack.Request
}

func TestMain(m *testing.M) {
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
	site.Stack, err = stack.Up(context.Background(), stack.Config{
		Root: root, Dir: dir, Workers: 2,
		Environment: map[string]string{"SEALREEL_X264_PRESET": "veryfast", "SEALREEL_CHUNK_SECONDS": "4"},
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
	return m.Run()
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
	site.vault = vault.New(site.store, kmskeys.New(site.aws), site.work)
	return nil
}
