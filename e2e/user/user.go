// Package user does what a user of a stack does: it encrypts files under keys of
// its own, drops them and the jobs for them, and reads what became of these.
package user

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"sealreel/pkg/aesstream"
	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// User is a user of one stack.
type User struct {
	AWS      aws.Config
	Store    *s3store.Store
	Ledger   *ledger.Ledger
	Pipeline string // id of the default pipeline
	Ingest   string // bucket

	ring *seal.Keyring
}

// Of is the user that a stack's variables are for. They become the process's, so
// that there is one user at a time.
func Of(ctx context.Context, exports map[string]string) (*User, error) {
	for name, value := range exports {
		if strings.HasPrefix(name, "AWS_") {
			if err := os.Setenv(name, value); err != nil {
				return nil, err
			}
		}
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	u := &User{AWS: cfg, Store: s3store.New(cfg, s3store.Options{}), Pipeline: exports["SEALREEL_PIPELINE_ID"], Ingest: exports["SEALREEL_INGEST_BUCKET"]}
	u.Ledger = ledger.New(u.Store, exports["SEALREEL_STATE_BUCKET"])
	u.ring = seal.NewKeyring(kmskeys.New(cfg), exports["SEALREEL_KMS_KEY_ARN"], map[string]string{"service": "elastictranscoder.amazonaws.com"})
	return u, nil
}

// Close forgets the user's keys.
func (u *User) Close() { u.ring.Close() }

// Upload encrypts what r reads in a mode, under a new key, and stores it in the
// ingest bucket. The result is what a job says of it, nil where the mode has no
// key.
func (u *User) Upload(ctx context.Context, key, mode string, r io.Reader) (*job.Encryption, error) {
	e, err := u.Seal(ctx, mode)
	if err != nil {
		return nil, err
	}
	return e, u.Put(ctx, key, e, r)
}

// Seal makes a key for a file in a mode, nil where the mode has none.
func (u *User) Seal(ctx context.Context, mode string) (*job.Encryption, error) {
	if mode == job.ModeS3 {
		return nil, nil
	}
	e, err := u.ring.Generate(ctx, mode)
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// Put encrypts what r reads and stores it in the ingest bucket.
func (u *User) Put(ctx context.Context, key string, e *job.Encryption, r io.Reader) error {
	target := s3store.UploadTarget{Bucket: u.Ingest, Key: key}
	if e != nil {
		material, err := u.ring.Unwrap(ctx, *e)
		if err != nil {
			return err
		}
		if e.Mode == job.ModeSSEC {
			target.Material = material
		} else if r, err = sealing(material, r); err != nil {
			return err
		}
	}
	if _, err := u.Store.Upload(ctx, target, r); err != nil {
		return fmt.Errorf("uploading %s: %w", key, err)
	}
	return nil
}

// sealing is r in one of the AES modes.
func sealing(m *seal.Material, r io.Reader) (io.Reader, error) {
	out, in := io.Pipe()
	w, err := aesstream.NewWriter(in, aesstream.Params{Mode: aesstream.Mode(m.Mode.Name), Key: m.Key, IV: m.IV})
	if err != nil {
		return nil, err
	}
	go func() {
		_, err := io.Copy(w, r)
		if err == nil {
			err = w.Close()
		}
		in.CloseWithError(err)
	}()
	return out, nil
}

// Drop stores a job document.
func (u *User) Drop(ctx context.Context, key string, req job.Request) (ledger.Drop, error) {
	doc, err := json.Marshal(req)
	if err != nil {
		return ledger.Drop{}, err
	}
	stored, err := u.Store.Upload(ctx, s3store.UploadTarget{Bucket: u.Ingest, Key: key}, bytes.NewReader(doc))
	if err != nil {
		return ledger.Drop{}, fmt.Errorf("dropping %s: %w", key, err)
	}
	return ledger.Drop{Bucket: u.Ingest, Key: key, VersionID: stored.VersionID}, nil
}

// Job reads what a drop became, nil as long as it is no job.
func (u *User) Job(ctx context.Context, d ledger.Drop) (*ledger.Record, error) {
	claim, err := u.Ledger.Claimed(ctx, d)
	if err == nil {
		var rec *ledger.Record
		if rec, err = u.Ledger.Job(ctx, claim.Job); err == nil {
			return rec, nil
		}
	}
	if errors.Is(err, object.ErrNotExist) {
		return nil, nil
	}
	return nil, err
}

// Await waits until the job of a drop has ended.
func (u *User) Await(ctx context.Context, d ledger.Drop) (*ledger.Record, error) {
	for {
		rec, err := u.Job(ctx, d)
		if err != nil || rec != nil && job.Terminal(rec.Job.Status) {
			return rec, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
