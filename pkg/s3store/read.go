package s3store

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sealreel/pkg/object"
	"sealreel/pkg/seal"
)

// Object names an object. VersionID and ETag pin it: a request is answered for
// that version and with that content, or not at all. Both may be empty.
type Object struct {
	Bucket, Key     string
	VersionID, ETag string
}

func (o Object) String() string { return "s3://" + o.Bucket + "/" + o.Key }

// Info is what S3 tells about an object. Size is in bytes of what reading it
// gives. SSE is the encryption by S3's keys: "AES256", "aws:kms" or, for
// SSE-C, "". Metadata is user metadata with its names in lower case.
type Info struct {
	Size         int64
	ETag         string
	VersionID    string
	LastModified time.Time
	ContentType  string
	Metadata     map[string]string
	SSE          string
}

// Head describes an object. A customer key is sent when the material, which may
// be nil, is of mode sse-c.
func (s *Store) Head(ctx context.Context, o Object, m *seal.Material) (Info, error) {
	key := customerKeyOf(m)
	out, err := inRegion(ctx, s, o.Bucket, func(where func(*s3.Options)) (*s3.HeadObjectOutput, error) {
		return s.client.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: &o.Bucket, Key: &o.Key, VersionId: optional(o.VersionID), IfMatch: optional(o.ETag),
			SSECustomerAlgorithm: key.algorithm, SSECustomerKey: key.key, SSECustomerKeyMD5: key.md5,
		}, where)
	})
	if err != nil {
		return Info{}, fmt.Errorf("looking at %s: %w", o, s.explain(ctx, o, m, err))
	}
	info := Info{
		Size: aws.ToInt64(out.ContentLength), ETag: aws.ToString(out.ETag), VersionID: aws.ToString(out.VersionId),
		LastModified: aws.ToTime(out.LastModified), ContentType: aws.ToString(out.ContentType),
		Metadata: make(map[string]string, len(out.Metadata)), SSE: string(out.ServerSideEncryption),
	}
	for name, value := range out.Metadata {
		info.Metadata[strings.ToLower(name)] = value
	}
	return info, nil
}

// explain classifies a failed HEAD. Its answer has no body, so S3 says nothing
// about why; a GET of the first byte does.
func (s *Store) explain(ctx context.Context, o Object, m *seal.Material, err error) error {
	switch status(err) {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		body, why := s.get(ctx, o, m, "bytes=0-0")
		if why == nil {
			body.Body.Close()
		} else if status(why) == status(err) {
			err = why
		}
	}
	return classify(err, mustMatch)
}

// ReadRange reads n bytes from the offset off of a pinned object. The body may
// end early when the connection breaks; the reader must count. An object that
// has changed is object.ErrChanged, one that is gone object.ErrNotExist.
func (s *Store) ReadRange(ctx context.Context, o Object, m *seal.Material, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n <= 0 {
		return nil, fmt.Errorf("reading %s: no range of %d bytes at %d exists", o, n, off)
	}
	out, err := s.get(ctx, o, m, fmt.Sprintf("bytes=%d-%d", off, off+n-1))
	if err != nil {
		return nil, fmt.Errorf("reading %d bytes at %d of %s: %w", n, off, o, classify(err, mustMatch))
	}
	got := aws.ToString(out.ContentRange)
	if !strings.HasPrefix(got, fmt.Sprintf("bytes %d-", off)) && (got != "" || off != 0) {
		out.Body.Close()
		return nil, fmt.Errorf("reading %d bytes at %d of %s: S3 answered with the range %q", n, off, o, got)
	}
	if o.ETag != "" && aws.ToString(out.ETag) != o.ETag {
		out.Body.Close()
		return nil, fmt.Errorf("reading %s: %w", o, object.ErrChanged)
	}
	return limited{io.LimitReader(out.Body, n), out.Body}, nil
}

func (s *Store) get(ctx context.Context, o Object, m *seal.Material, byteRange string) (*s3.GetObjectOutput, error) {
	key := customerKeyOf(m)
	return inRegion(ctx, s, o.Bucket, func(where func(*s3.Options)) (*s3.GetObjectOutput, error) {
		return s.client.GetObject(ctx, &s3.GetObjectInput{
			Bucket: &o.Bucket, Key: &o.Key, VersionId: optional(o.VersionID), IfMatch: optional(o.ETag), Range: optional(byteRange),
			SSECustomerAlgorithm: key.algorithm, SSECustomerKey: key.key, SSECustomerKeyMD5: key.md5,
		}, where)
	})
}

// limited is a body that gives no more than was asked for.
type limited struct {
	io.Reader
	io.Closer
}

// optional leaves a member out when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
