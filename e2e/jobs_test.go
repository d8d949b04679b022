package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// elasticContext is the encryption context of the default pipeline.
var elasticContext = map[string]string{"service": "elastictranscoder.amazonaws.com"}

const systemPreset = "1351620000001-"

var counter atomic.Int64

// unique is a name that no other test uses.
func unique(t *testing.T) string {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name())
	return fmt.Sprintf("%s-%d", name, counter.Add(1))
}

// keyring unwraps keys as a user does.
func keyring(t *testing.T) *seal.Keyring {
	t.Helper()
	ring := seal.NewKeyring(kmskeys.New(site.aws), site.keyARN, elasticContext)
	t.Cleanup(ring.Close)
	return ring
}

// wrapped is a new key for SSE-C, as a job names it.
func wrapped(t *testing.T) *job.Encryption {
	t.Helper()
	e, err := keyring(t).Generate(t.Context(), job.ModeSSEC)
	if err != nil {
		t.Fatal(err)
	}
	return &e
}

// upload puts a file into the ingest bucket, encrypted as e says.
func upload(t *testing.T, key, file string, e *job.Encryption) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	target := s3store.UploadTarget{Bucket: site.ingest, Key: key}
	if e != nil {
		if target.Material, err = keyring(t).Unwrap(t.Context(), *e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := site.store.Upload(t.Context(), target, f); err != nil {
		t.Fatal(err)
	}
}

// submit drops a job document and returns the id of the job that it becomes.
func submit(t *testing.T, req job.Request) string {
	t.Helper()
	if req.PipelineID == "" {
		req.PipelineID = site.pipeline
	}
	doc, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	return submitDocument(t, doc)
}

func submitDocument(t *testing.T, doc []byte) string {
	t.Helper()
	key := unique(t) + ".job.json"
	stored, err := site.store.Upload(t.Context(), s3store.UploadTarget{Bucket: site.ingest, Key: key}, bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return claimed(t, ledger.Drop{Bucket: site.ingest, Key: key, VersionID: stored.VersionID})
}

// claimed waits for the job that a drop becomes.
func claimed(t *testing.T, d ledger.Drop) string {
	t.Helper()
	var id string
	eventually(t, time.Minute, "a job for "+d.Key, func() bool {
		claim, err := site.ledger.Claimed(t.Context(), d)
		id = claim.Job
		return err == nil
	})
	return id
}

// ended waits until a job has ended.
func ended(t *testing.T, id string) *ledger.Record {
	t.Helper()
	var rec *ledger.Record
	eventually(t, 3*time.Minute, "the end of job "+id, func() bool {
		var err error
		if rec, err = site.ledger.Job(t.Context(), id); err != nil && !errors.Is(err, object.ErrNotExist) {
			t.Fatal(err)
		}
		return err == nil && job.Terminal(rec.Job.Status)
	})
	return rec
}

// completed waits for a job's end, which must be a good one.
func completed(t *testing.T, id string) *ledger.Record {
	t.Helper()
	rec := ended(t, id)
	if rec.Job.Status != job.Complete {
		t.Fatalf("job %s is %s: %s", id, rec.Job.Status, details(rec))
	}
	return rec
}

// details are all that a job says of its failure.
func details(rec *ledger.Record) string {
	all := append([]string{}, rec.Warnings...)
	for _, o := range rec.Job.Outputs {
		all = append(all, o.StatusDetail)
	}
	for _, p := range rec.Job.Playlists {
		all = append(all, p.StatusDetail)
	}
	return strings.Join(all, "\n")
}

func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s in vain\n%s", limit, what, logs())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// logs are the last lines of the functions.
func logs() string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(site.dir, "logs", "*.log"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if len(b) > 4000 {
			b = b[len(b)-4000:]
		}
		fmt.Fprintf(&all, "== %s\n%s\n", filepath.Base(f), b)
	}
	return all.String()
}

// fetch reads an object of an output as its owner, who has the key.
func fetch(t *testing.T, rec *ledger.Record, output int, key string) []byte {
	t.Helper()
	var m *seal.Material
	var err error
	if e := rec.Job.Outputs[output].Encryption; e != nil && !strings.HasSuffix(key, ".m3u8") {
		if m, err = keyring(t).Unwrap(t.Context(), *e); err != nil {
			t.Fatal(err)
		}
	}
	o := s3store.Object{Bucket: site.output, Key: key}
	info, err := site.store.Head(t.Context(), o, m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := site.store.ReadRange(t.Context(), o, m, 0, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil || int64(len(b)) != info.Size {
		t.Fatalf("%d of %d bytes: %v", len(b), info.Size, err)
	}
	return b
}

// keys are the objects of the output bucket under a prefix.
func keys(t *testing.T, prefix string) []string {
	t.Helper()
	var all []string
	for k, err := range site.store.Keys(t.Context(), site.output, prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	return all
}

func planOf(t *testing.T, id string) *plan.Plan {
	t.Helper()
	p, err := site.ledger.Plan(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
