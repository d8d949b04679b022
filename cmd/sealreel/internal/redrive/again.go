package redrive

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"sealreel/cmd/sealreel/internal/drop"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
	"sealreel/pkg/vault"
)

// Again drops the document of a job that ended in Error or Canceled once more, or
// for a dropped media file the one that its pipeline makes of it now, and returns
// the id of the new job. It does not when an object is in the way, for the new
// job would end in error 3002.
func Again(ctx context.Context, s *site.Site, d *drop.Dropper, id string) (string, error) {
	rec, err := s.Ledger.Job(ctx, id)
	if err != nil {
		return "", err
	}
	switch rec.Job.Status {
	case job.Complete:
		return "", &EndedError{id, rec.Job.Status}
	case job.Error, job.Canceled:
	default:
		return "", fmt.Errorf("job %s is %s and has not ended: leave --again out to set it going, or cancel it first", id, rec.Job.Status)
	}
	taken, err := inTheWay(ctx, s, rec)
	if err != nil {
		return "", err
	}
	if len(taken) > 0 {
		return "", fmt.Errorf("of job %s, or under its names, there is %s: a new job would end in error 3002; delete what you don't need, or drop a document with another OutputKeyPrefix",
			id, strings.Join(taken, ", "))
	}
	key, document, err := documentOf(ctx, s, rec)
	if err != nil {
		return "", err
	}
	return d.Document(ctx, key, document)
}

// documentOf is the document of a job and a key for it that is free.
func documentOf(ctx context.Context, s *site.Site, rec *ledger.Record) (key string, document []byte, err error) {
	from := rec.Drop
	stem, isDocument := strings.CutSuffix(from.Key, drop.DocumentSuffix)
	key = stem + "-" + strings.ToLower(rand.Text()[:8]) + drop.DocumentSuffix
	if isDocument {
		document, err = vault.New(s.Store, s.Keys, "", nil).Document(ctx, from.Bucket, from.Key, from.VersionID, job.MaxDocument)
		if errors.Is(err, object.ErrNotExist) {
			err = fmt.Errorf("the document of job %s, %s in version %s, is not in the ingest bucket any more: drop another: %w", rec.Job.ID, from.Key, from.VersionID, err)
		}
		return key, document, err
	}
	p, err := s.Ledger.Pipeline(ctx, rec.Job.PipelineID)
	if err != nil {
		return "", nil, err
	}
	req, err := p.DropRequest(from.Key)
	if err != nil {
		return "", nil, err
	}
	document, err = json.Marshal(req)
	return key, document, err
}

// inTheWay are the objects under names that the job's outputs need.
func inTheWay(ctx context.Context, s *site.Site, rec *ledger.Record) ([]string, error) {
	p, err := s.Ledger.Plan(ctx, rec.Job.ID)
	if errors.Is(err, object.ErrNotExist) {
		return nil, nil // nothing was made without a plan
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, o := range names(p, rec.Job) {
		_, err := s.Store.Head(ctx, o, nil)
		switch {
		case err == nil, errors.Is(err, object.ErrNeedsKey):
			found = append(found, "s3://"+o.Bucket+"/"+o.Key)
		case errors.Is(err, object.ErrNotExist), errors.Is(err, object.ErrAccess): // the new job will see
		default:
			return nil, err
		}
	}
	return found, nil
}

// names are those that stand for what a job makes: of each output the playlist or
// file, the first segment, thumbnail and caption file, and the master playlists.
func names(p *plan.Plan, j job.Job) []s3store.Object {
	var all []s3store.Object
	for _, o := range p.Outputs {
		all = append(all, s3store.Object{Bucket: o.Bucket, Key: o.MainKey()})
		if n := o.Names(); n.Segmented() {
			all = append(all, s3store.Object{Bucket: o.Bucket, Key: n.Segment(0)})
		}
		if t := o.Thumbnails; t != nil {
			all = append(all, s3store.Object{Bucket: t.Bucket, Key: t.Names.Key(1)})
		}
		for _, c := range o.CaptionFiles() {
			all = append(all, s3store.Object{Bucket: o.Bucket, Key: c.Key(0)})
		}
	}
	for _, m := range j.Playlists {
		if len(p.Outputs) > 0 {
			all = append(all, s3store.Object{Bucket: p.Outputs[0].Bucket, Key: job.MasterName(j.OutputKeyPrefix, m)})
		}
	}
	return all
}
