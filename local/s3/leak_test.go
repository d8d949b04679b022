package s3

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func wrongSecret(o *s3.Options) {
	o.Credentials = credentials.NewStaticCredentialsProvider(testKey, "not the secret", "")
}

// spellings returns the ways in which a key may show up in text.
func spellings(encoded string, raw []byte) [][]byte {
	spaced := func(b []byte) []byte { return []byte(strings.Join(pairs(hex.EncodeToString(b)), " ")) }
	return [][]byte{[]byte(encoded), spaced([]byte(encoded)), []byte(hex.EncodeToString(raw)), spaced(raw), raw}
}

// tap is an HTTP client that keeps the body of the last answer.
type tap struct {
	under s3.HTTPClient
	body  []byte
}

func (p *tap) Do(r *http.Request) (*http.Response, error) {
	response, err := p.under.Do(r)
	if err != nil {
		return nil, err
	}
	var readErr error
	p.body, readErr = io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(p.body))
	return response, readErr
}

// refusalBody returns the raw answer to a put that must fail.
func refusalBody(t *testing.T, c *s3.Client, in *s3.PutObjectInput) []byte {
	t.Helper()
	spy := &tap{under: c.Options().HTTPClient}
	if _, err := c.PutObject(context.Background(), in, func(o *s3.Options) { o.HTTPClient = spy }); err == nil {
		t.Fatal("put succeeded")
	}
	return spy.body
}
