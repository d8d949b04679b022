// Package fetch reads outputs of jobs as their owner: it finds out how an object
// is encrypted from the job that wrote it, unwraps the key, and gives the
// plaintext. It also reads objects of AWS's S3 Encryption Client.
//
// It guarantees that a file is there whole or not at all, and that nothing is
// decrypted of an object that is not what its job says.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"sealreel/pkg/caption"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
)

// Catalogue is what tells whose an object is. Errors wrap those of package
// object.
type Catalogue interface {
	Owner(ctx context.Context, bucket, outputKey string) (ledger.Entry, error)
	Plan(ctx context.Context, job string) (*plan.Plan, error)
}

// Place is an object and how it is read.
type Place struct {
	Bucket, Key string
	Encryption  *job.Encryption // nil: S3 gives it as it is
	Keys        plan.Keys       // how Encryption's key is unwrapped
	Owned       bool            // a job of this stack wrote it, or has its name
	Single      bool            // it is sealed with the IV of Encryption, and not with one of its own
}

// enveloped says whether the key is in the object's metadata.
func (p Place) enveloped() bool { return p.Encryption != nil && p.Encryption.Mode == job.ModeS3EC }

// Enveloped is the place of an object that the caller says AWS's S3 Encryption
// Client wrote, or that is written like it, with a key that keys unwrap. What a job
// says of an object of its own stands above what the caller says.
func (p Place) Enveloped(keys plan.Keys) (Place, error) {
	switch {
	case p.enveloped():
		return p, nil
	case p.Owned:
		return p, fmt.Errorf("%s is an output of a job, which does not have it in mode %s: leave --mode out", p.Key, job.ModeS3EC)
	}
	p.Encryption, p.Keys = &job.Encryption{Mode: job.ModeS3EC}, keys
	return p, nil
}

// segment is the end of a segment's key behind that of its output.
var segment = regexp.MustCompile(`\d{5}\.ts$`)

// Locate finds out how the object with the key in the bucket is read: an output's file,
// segment, playlist, thumbnail or captions. What no output owns, such as a master
// playlist, is taken to be an unencrypted object of the bucket.
func Locate(ctx context.Context, c Catalogue, bucket, key string) (Place, error) {
	for _, name := range owners(key) {
		o, keys, err := output(ctx, c, bucket, name)
		if errors.Is(err, object.ErrNotExist) {
			continue
		}
		if err != nil {
			return Place{}, err
		}
		names := o.Names()
		switch {
		case key == names.Playlist:
			return Place{Bucket: o.Bucket, Key: key, Owned: true}, nil
		case key == names.Single, names.IsSegment(key):
			return Place{Bucket: o.Bucket, Key: key, Encryption: o.Encryption, Keys: keys, Owned: true, Single: !names.Segmented()}, nil
		case o.Thumbnails != nil && o.Thumbnails.Names.Is(key):
			return Place{Bucket: o.Thumbnails.Bucket, Key: key, Encryption: o.Thumbnails.Encryption, Keys: keys, Owned: true}, nil
		}
		for _, c := range o.CaptionFiles() {
			if c.Is(key) {
				return Place{Bucket: o.Bucket, Key: key, Encryption: c.Format.Encryption, Keys: keys, Owned: true}, nil
			}
		}
	}
	return Place{Bucket: bucket, Key: key}, nil
}

// owners are the names under which the catalogue may know the output of a key.
func owners(key string) []string {
	names := caption.Sets(key)
	if stem, ok := strings.CutSuffix(key, ".m3u8"); ok && stem != "" {
		names = append(names, stem)
	}
	if at := segment.FindStringIndex(key); at != nil && at[0] > 0 {
		names = append(names, key[:at[0]])
	}
	return append(names, job.ThumbnailSets(key)...)
}

// output is the output that the catalogue has under a name.
func output(ctx context.Context, c Catalogue, bucket, name string) (plan.Output, plan.Keys, error) {
	owner, err := c.Owner(ctx, bucket, name)
	if err != nil {
		return plan.Output{}, plan.Keys{}, err
	}
	p, err := c.Plan(ctx, owner.Job)
	if err != nil {
		return plan.Output{}, plan.Keys{}, err
	}
	for _, o := range p.Outputs {
		if o.ID == owner.Output {
			return o, p.Keys, nil
		}
	}
	return plan.Output{}, plan.Keys{}, object.ErrNotExist
}
