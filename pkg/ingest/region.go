package ingest

import (
	"context"
	"slices"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/pipeline"
)

// regions are where the pipeline's buckets are, as far as that can be learnt: a
// job does not fail for a warning that can't be made.
func (i *Ingester) regions(ctx context.Context, v Vault, p *pipeline.Pipeline) pipeline.Regions {
	where := pipeline.Regions{Pipeline: i.Region, Buckets: map[string]string{}}
	for _, bucket := range p.Buckets() {
		region, err := v.Region(ctx, bucket)
		if err != nil {
			i.Log.Debug("the region of a bucket is not known", "bucket", bucket, "err", err)
			continue
		}
		where.Buckets[bucket] = region
	}
	return where
}

// warn puts the pipeline's warnings on the job, each once.
func (i *Ingester) warn(ctx context.Context, rec *ledger.Record, warnings []pipeline.Warning) error {
	missing := func(r *ledger.Record) (texts []string) {
		for _, w := range warnings {
			if !slices.Contains(r.Warnings, w.String()) {
				texts = append(texts, w.String())
			}
		}
		return texts
	}
	if len(missing(rec)) == 0 {
		return nil
	}
	_, err := i.Ledger.UpdateJob(ctx, rec.Job.ID, func(r *ledger.Record) error {
		r.Warnings = append(slices.Clip(r.Warnings), missing(r)...)
		return nil
	})
	return err
}

// refuseApart fails each output with files in s3-aws-kms whose bucket is in
// another region than the pipeline's key: S3 would refuse them after all the work
// (3006). The others go on.
func refuseApart(j job.Job, p *pipeline.Pipeline, where pipeline.Regions, refused map[int]*job.Failure) {
	apart := func(e *job.Encryption, bucket string) bool {
		return e != nil && e.Mode == job.ModeS3KMS && pipeline.Apart(pipeline.ARNRegion(p.AwsKmsKeyArn), where.Buckets[bucket])
	}
	for n, o := range j.Outputs {
		switch {
		case apart(o.Encryption, p.ContentBucket()):
			refused[n] = job.KeyOfOtherRegion(nil, p.ContentBucket(), j.OutputKeyPrefix+o.Key)
		case o.ThumbnailPattern != "" && apart(o.ThumbnailEncryption, p.ThumbnailBucket()):
			refused[n] = job.KeyOfOtherRegion(nil, p.ThumbnailBucket(), j.OutputKeyPrefix+o.ThumbnailPattern)
		case o.Captions != nil:
			for _, f := range o.Captions.CaptionFormats {
				if apart(f.Encryption, p.ContentBucket()) {
					refused[n] = job.KeyOfOtherRegion(nil, p.ContentBucket(), j.OutputKeyPrefix+f.Pattern)
				}
			}
		}
	}
}
