package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/ledger"
)

// Handle takes S3's notification of new objects in the bucket. Records of other
// buckets and other events are refused; a notification without records, as S3
// sends to test a configuration, is fine. An error makes Lambda deliver all of
// it again, which is harmless.
func (i *Ingester) Handle(bucket string) func(context.Context, events.S3Event) error {
	return func(ctx context.Context, event events.S3Event) error {
		var errs []error
		for _, r := range event.Records {
			o := r.S3.Object
			if r.S3.Bucket.Name != bucket || !strings.HasPrefix(r.EventName, "ObjectCreated:") {
				i.Log.WarnContext(ctx, "event refused: it is not of a new object in the ingest bucket", "event", r.EventName, "bucket", r.S3.Bucket.Name)
				continue
			}
			d := ledger.Drop{Bucket: bucket, Key: o.URLDecodedKey, VersionID: o.VersionID}
			if err := i.Drop(ctx, d, r.EventTime, false); err != nil {
				errs = append(errs, fmt.Errorf("object %q: %w", d.Key, err))
			}
		}
		return errors.Join(errs...)
	}
}
