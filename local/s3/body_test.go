package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// sendChunked puts content in the aws-chunked encoding inside HTTP chunks, as botocore does over TLS. secret signs it.
func sendChunked(t *testing.T, c *s3.Client, key string, content []byte, secret string) (status int, reused bool) {
	t.Helper()
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(content))
	body := fmt.Sprintf("%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n", len(content), content, base64.StdEncoding.EncodeToString(sum))
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPut, *c.Options().BaseEndpoint+"/media/"+key, struct{ io.Reader }{strings.NewReader(body)}))
	for name, value := range map[string]string{
		"X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
		"X-Amz-Decoded-Content-Length": fmt.Sprint(len(content)), "X-Amz-Trailer": "x-amz-checksum-crc32",
	} {
		request.Header.Set(name, value)
	}
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: testKey, SecretAccessKey: secret}, request,
		"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "s3", "us-east-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }}
	response := must[*http.Response](t)(c.Options().HTTPClient.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace))))
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return response.StatusCode, reused
}

// TestConnectionsStayInStep sends requests whose bodies the handler does not read to the end, each followed by others
// on the same connection.
func TestConnectionsStayInStep(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{})
	content := pattern(100_000)
	reused := false
	for round := range 4 {
		key := fmt.Sprint("k", round)
		status, again := sendChunked(t, c, key, content, testSecret)
		if status != 200 {
			t.Fatalf("round %d: status %d", round, status)
		}
		reused = reused || again
		if !bytes.Equal(getBytes(t, c, bucket, key), content) {
			t.Fatal("content differs")
		}
		if status, _ := sendChunked(t, c, "refused", content, "not the secret"); status != 403 {
			t.Fatalf("round %d: status %d with a wrong secret", round, status)
		}
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("no-such-bucket"), Key: &key, Body: bytes.NewReader(content)})
		wantFailure(t, err, 404, "NoSuchBucket")
		_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content), ServerSideEncryption: "rot13"},
			func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired })
		wantFailure(t, err, 400, "InvalidArgument")
	}
	if !reused {
		t.Fatal("no connection was used twice, so this test shows nothing")
	}
}

// TestMemoryDoesNotGrow allows far less than the object's size for all that is allocated on both sides together.
func TestMemoryDoesNotGrow(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	const size, limit = 128 << 20, 32 << 20
	k := newTrio()
	putAndGet := func(size int64) {
		must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), k.put(&s3.PutObjectInput{
			Bucket: &bucket, Key: aws.String("k"), Body: struct{ io.Reader }{io.LimitReader(zero{}, size)}, ContentLength: &size,
		}), s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware), func(o *s3.Options) {
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		}))
		out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), k.get(&s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k")})))
		defer out.Body.Close()
		if n, err := io.Copy(io.Discard, out.Body); err != nil || n != size {
			t.Fatalf("%d bytes, error %v", n, err)
		}
	}
	putAndGet(1 << 20) // the pools are filled now
	before := allocated()
	putAndGet(size)
	if grown := allocated() - before; grown > limit {
		t.Fatalf("%d MiB allocated for %d MiB of content", grown>>20, size>>20)
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}
