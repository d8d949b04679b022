// Package s3store is Amazon S3 as the project uses it: pinned objects read by
// ranges, records advanced by conditional writes, and outputs streamed in
// constant memory.
//
// It guarantees that
//   - nothing is overwritten: Upload and Create store an object only where
//     there is none (If-None-Match: *);
//   - a ranged read is one of the version and entity tag that were asked for;
//   - a customer key (SSE-C) leaves the process only over TLS or to a loopback
//     address, never to where a redirect points, and is never logged: the AWS
//     client's logging of requests is off whatever the configuration says;
//   - an upload that fails leaves no parts behind that it could remove;
//   - what went wrong can be told apart by the errors of package object.
//
// A bucket may be in any region: S3 tells which, and requests are made there. A
// request that S3 may answer differently when tried again is tried up to five
// times before its failure is returned.
package s3store

import (
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// DefaultPartSize is how much of an upload is sent at a time, in bytes.
	DefaultPartSize = 8 << 20
	// maxParts of an upload (S3 quota).
	maxParts = 10000
	// maxAttempts is how often a request is made before its failure counts.
	maxAttempts = 5
	// readTimeout bounds the silence on a connection.
	readTimeout = 30 * time.Second
)

// Options change what New returns.
type Options struct {
	// PartSize in bytes; S3 allows 5 MiB and more. An upload holds at most
	// three parts in memory. 0 means DefaultPartSize.
	PartSize int
	// NameEncryption has every upload name an encryption: one that asks for none
	// names S3's own (AES256). Bucket policies that refuse uploads without a name
	// want it; otherwise the bucket's default is the better choice.
	NameEncryption bool
}

// Store is Amazon S3, or what the configuration's endpoint serves. It is safe
// for concurrent use.
type Store struct {
	client   *s3.Client
	partSize int
	maxParts int
	named    bool      // see Options.NameEncryption
	blocks   sync.Pool // of *block
	regions  *regions
}

// New returns the S3 of the configuration. With an endpoint of its own
// (AWS_ENDPOINT_URL_S3), buckets are addressed by path.
func New(cfg aws.Config, opts Options) *Store {
	s := &Store{partSize: opts.PartSize, maxParts: maxParts, named: opts.NameEncryption, regions: new(regions)}
	if s.partSize == 0 {
		s.partSize = DefaultPartSize
	}
	s.blocks.New = func() any { return new(block) }
	s.client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil
		o.ClientLogMode = 0
		o.DisableLogOutputChecksumValidationSkipped = true
		o.RetryMaxAttempts = maxAttempts
		o.HTTPClient = withoutRedirects(cfg.HTTPClient)
		o.APIOptions = append(o.APIOptions, addGate)
	})
	return s
}

// withoutRedirects is the configuration's HTTP client, or the SDK's, following
// no redirect: it would take the customer key, a header like any other, to a
// host that nobody named. A client that is not the SDK's is left as it is.
func withoutRedirects(c aws.HTTPClient) aws.HTTPClient {
	buildable, ok := c.(*awshttp.BuildableClient)
	if c == nil {
		buildable, ok = awshttp.NewBuildableClient(), true
	}
	if !ok {
		return c
	}
	if _, set := buildable.GetReadTimeout(); !set {
		buildable = buildable.WithReadTimeout(readTimeout)
	}
	frozen := buildable.Freeze()
	if client, ok := frozen.(*http.Client); ok {
		stay := *client
		stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return &stay
	}
	return frozen
}
