// Package drop puts a media file into the ingest bucket together with the job
// document that says what becomes of it.
//
// It guarantees that the file goes out encrypted as its job says, that the key
// made for it exists only while it is used, and that two drops of one file are
// two jobs that can't touch each other's objects. The document goes first: the
// file then finds a job that waits for it, and none is made of it by chance.
package drop

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/cmd/sealreel/internal/request"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/vault"
)

// DocumentSuffix is how the key of a job document ends.
const DocumentSuffix = ".job.json"

// Modes are those in which a file can be put.
var Modes = []string{job.ModeSSEC, job.ModeS3KMS, job.ModeS3, job.ModeCBC, job.ModeCTR, job.ModeGCM, job.ModeS3EC}

// CheckMode refuses what is none of the Modes.
func CheckMode(mode string) error {
	if slices.Contains(Modes, mode) {
		return nil
	}
	last := len(Modes) - 1
	return fmt.Errorf("mode %q does not exist; there are %s and %s", mode, strings.Join(Modes[:last], ", "), Modes[last])
}

// Order is one file to be transcoded.
type Order struct {
	File     string            // its path on this machine
	Name     string            // its path without Key, for keys and placeholders
	Key      string            // in the ingest bucket; "" makes one that is free
	Mode     string            // how the file is encrypted; "": as the template says, else sse-c
	OutMode  string            // of outputs without an Encryption; "" leaves them without
	Template *request.Document // what becomes of it
}

// Dropper drops files.
type Dropper struct {
	Site *site.Site
	Line *progress.Line // shows a long upload
	Wait time.Duration  // for the service to make the job
}

// Refused is a job that ended before it got its file, which was not uploaded.
type Refused struct{ Record *ledger.Record }

func (e *Refused) Error() string {
	return "the job was refused, and the file was not uploaded; the job says why:\n" + strings.Join(progress.Details(e.Record), "\n")
}

// Drop drops a file and returns the id of its job. With the id there may be an
// error: then the job is there and the file is not.
func (d *Dropper) Drop(ctx context.Context, o Order) (id string, err error) {
	f, size, err := openMedia(o.File)
	if err != nil {
		return "", err
	}
	defer f.Close()
	t, err := d.prepare(ctx, o)
	if err != nil {
		return "", err
	}
	defer t.ring.Close()
	if t.here != nil {
		if err := crypt.CheckSize(t.here, size); err != nil {
			return "", fmt.Errorf("%s: %w", o.File, err)
		}
	}
	rec, err := d.submit(ctx, t)
	if err != nil {
		return "", err
	}
	id = rec.Job.ID
	if job.Terminal(rec.Job.Status) {
		return id, &Refused{rec}
	}
	if err := d.upload(ctx, t, progress.NewTransfer(d.Line, o.Name, size), f); err != nil {
		return id, d.abandon(ctx, id, explain(err, t.target))
	}
	return id, nil
}

// upload stores the file, encrypted here where S3 does not do it.
func (d *Dropper) upload(ctx context.Context, t *ticket, transfer *progress.Transfer, f io.Reader) (err error) {
	defer transfer.End()
	body := transfer.Reader(f)
	if t.here != nil {
		if body, err = crypt.Encrypt(body, t.here); err != nil {
			return err
		}
	}
	_, err = d.Site.Store.Upload(ctx, t.target, body)
	return err
}

// openMedia opens a file that can be uploaded.
func openMedia(name string) (io.ReadCloser, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder: name a media file", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// ticket is a drop that is ready to go.
type ticket struct {
	ring        *seal.Keyring
	document    []byte
	documentKey string
	target      s3store.UploadTarget
	here        *seal.Material // what the file is encrypted with on this machine, if it is
}

// prepare makes the key, the document and where both go.
func (d *Dropper) prepare(ctx context.Context, o Order) (_ *ticket, err error) {
	id := o.Template.Pipeline()
	if id == "" {
		id = d.Site.Value(site.PipelineID)
	}
	p, err := d.Site.Pipeline(ctx, id)
	if err != nil {
		return nil, err
	}
	_, base, stem := request.Parts(clean(o.Name))
	folder := uniqueFolder(stem)
	key := o.Key
	if key == "" {
		key = folder + base
	}
	if err := d.checkFree(ctx, p.InputBucket, key, o.Key != ""); err != nil {
		return nil, err
	}
	t := &ticket{ring: d.Site.Keyring(p), documentKey: folder + base + DocumentSuffix}
	defer func() {
		if err != nil {
			t.ring.Close()
		}
	}()
	t.target = s3store.UploadTarget{Bucket: p.InputBucket, Key: key, KMSKeyARN: p.AwsKmsKeyArn, Writer: folder + "drop"}
	e, err := t.seal(ctx, o, p)
	if err != nil {
		return nil, err
	}
	name := o.Name
	if o.Key != "" {
		name = o.Key
	}
	t.document, err = o.Template.Complete(request.Filling{
		PipelineID: id, Key: key, Encryption: e, Name: name, Prefix: folder, OutMode: o.OutMode,
	})
	return t, err
}

// element is the input's as the order and its template have it.
func (o *Order) element() (job.Encryption, seal.Mode, error) {
	e := o.Template.Encryption()
	if o.Mode != "" && e.Mode != "" && e.Mode != o.Mode {
		return e, seal.Mode{}, fmt.Errorf("the template says that its input is in mode %s, and --mode says %s: leave one out", e.Mode, o.Mode)
	}
	e.Mode = cmp.Or(o.Mode, e.Mode, job.ModeSSEC)
	if err := CheckMode(e.Mode); err != nil {
		return e, seal.Mode{}, fmt.Errorf("the template's input: %w", err)
	}
	mode, err := seal.ModeOf(e.Mode)
	if err == nil && mode.OnceOnly() && e.InitializationVector != "" {
		err = fmt.Errorf("the template has an InitializationVector for its input in mode %s, in which a second file under the same key would give both away: leave it out, and each file gets its own", e.Mode)
	}
	return e, mode, err
}

// seal decides how the file is encrypted: as the order says, with a new key where
// it names none, and with a new IV. It returns the input's element.
func (t *ticket) seal(ctx context.Context, o Order, p *pipeline.Pipeline) (job.Encryption, error) {
	e, mode, err := o.element()
	if err != nil {
		return e, err
	}
	if mode.TakesKey() && e.Key == "" || mode.Enveloped {
		if _, _, err := site.Wrapping(p); err != nil {
			return e, err
		}
	}
	if mode.Enveloped {
		return e, t.envelop(ctx)
	}
	if e, err = t.complete(ctx, e, mode); err != nil {
		return e, err
	}
	m, err := t.ring.Unwrap(ctx, e)
	if err != nil {
		return e, fmt.Errorf("the key of the file: %w", err)
	}
	if crypt.Here(m) {
		t.here, t.target.Metadata = m, vault.Describe(m, e, t.target.Bucket, t.target.Key)
	} else {
		t.target.Material = m
	}
	return e, nil
}

// envelop makes a key that is the object's own and goes with it.
func (t *ticket) envelop(ctx context.Context) error {
	e, m, err := t.ring.Envelop(ctx)
	if err != nil {
		return fmt.Errorf("making a key for the file: %w", err)
	}
	t.here, t.target.Metadata = m, vault.DescribeEnvelope(e, m, t.target.Bucket, t.target.Key)
	t.target.SizeMetadata = envelope.Length
	return nil
}

// complete makes the key and the IV that an element lacks.
func (t *ticket) complete(ctx context.Context, e job.Encryption, mode seal.Mode) (job.Encryption, error) {
	switch {
	case mode.TakesKey() && e.Key == "":
		made, err := t.ring.GenerateBits(ctx, e.Mode, crypt.KeyBits)
		if err != nil {
			return e, fmt.Errorf("making a key for the file: %w", err)
		}
		return made, nil
	case mode.IVSize > 0 && e.InitializationVector == "":
		e.InitializationVector = base64.StdEncoding.EncodeToString(seal.NewIV(mode))
	}
	return e, nil
}

// checkFree refuses a key that an object has already: its job would begin with
// that one. Where looking is not allowed, the upload finds out.
func (d *Dropper) checkFree(ctx context.Context, bucket, key string, chosen bool) error {
	if !chosen {
		return nil
	}
	_, err := d.Site.Store.Head(ctx, s3store.Object{Bucket: bucket, Key: key}, nil)
	switch {
	case err == nil, errors.Is(err, object.ErrNeedsKey):
		return fmt.Errorf("the ingest bucket %s has an object %s already: choose another --key, or leave it out", bucket, key)
	case errors.Is(err, object.ErrNotExist), errors.Is(err, object.ErrAccess):
		return nil
	}
	return err
}

// Document drops a job document under a key that is free, waits for its job and
// returns the job's id.
func (d *Dropper) Document(ctx context.Context, key string, document []byte) (id string, err error) {
	rec, err := d.submit(ctx, &ticket{documentKey: key, document: document})
	if err != nil {
		return "", err
	}
	return rec.Job.ID, nil
}

// submit drops the document and waits until its job can take the file or has
// ended.
func (d *Dropper) submit(ctx context.Context, t *ticket) (*ledger.Record, error) {
	bucket := d.Site.Value(site.IngestBucket)
	target := s3store.UploadTarget{Bucket: bucket, Key: t.documentKey, ContentType: "application/json"}
	stored, err := d.Site.Store.Upload(ctx, target, bytes.NewReader(t.document))
	if err != nil {
		return nil, explain(err, target)
	}
	return d.await(ctx, ledger.Drop{Bucket: bucket, Key: t.documentKey, VersionID: stored.VersionID})
}

func explain(err error, t s3store.UploadTarget) error {
	switch {
	case errors.Is(err, object.ErrAccess):
		return fmt.Errorf("storing %s in bucket %s was denied: your AWS identity needs s3:PutObject there: %w", t.Key, t.Bucket, err)
	case errors.Is(err, object.ErrExists):
		return fmt.Errorf("somebody else stored %s in bucket %s meanwhile: choose another --key, or leave it out: %w", t.Key, t.Bucket, err)
	}
	return err
}

// maxStem is the longest part of a file's name in a folder's name, in bytes.
const maxStem = 80

// uniqueFolder is a folder that no other drop has, named after the file.
func uniqueFolder(stem string) string {
	for len(stem) > maxStem {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	return stem + "-" + strings.ToLower(rand.Text()[:8]) + "/"
}

// clean is a file's name without what a key can't have.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
}
