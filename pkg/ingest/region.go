package ingest

import (
	"context"

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
			i.Log.DebugContext(ctx, "the region of a bucket is not known", "bucket", bucket, "err", err)
			continue
		}
		where.Buckets[bucket] = region
	}
	return where
}

// warn puts the pipeline's warnings on the job.
func (i *Ingester) warn(ctx context.Context, rec *ledger.Record, warnings []pipeline.Warning) error {
	texts := make([]string, len(warnings))
	for n, w := range warnings {
		texts[n] = w.String()
	}
	return i.Ledger.Warn(ctx, rec.Job.ID, texts...)
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
