package s3store

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

const (
	bucket  = "bucket"
	rawKey  = "a secret key of 32 bytes, truly!"
	otherID = "another secret key of 32 bytes.."
)

// fakeS3 is one bucket with the answers of S3 that this package depends on.
type fakeS3 struct {
	// before, when set, may answer a request itself by returning true. It is
	// called with the operation's name and how often that was asked for.
	before func(w http.ResponseWriter, op string, times int) bool
	// lose, when set, says whether the answer to an operation gets lost after
	// it was done.
	lose func(op string, times int) bool

	mu       sync.Mutex
	objects  map[string]*fakeObject
	uploads  map[string]*fakeUpload
	made     int
	requests []fakeRequest
}

type fakeObject struct {
	body   []byte
	etag   string
	keyMD5 string // of the customer key, "" for none
	header http.Header
}

type fakeUpload struct {
	fakeObject
	parts map[int][]byte
}

type fakeRequest struct {
	op     string
	header http.Header
	path   string
	query  string
}

func (f *fakeS3) ops() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ops []string
	for _, r := range f.requests {
		ops = append(ops, r.op)
	}
	return ops
}

func (f *fakeS3) put(key, body string, header http.Header) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.store(key, &fakeObject{body: []byte(body), header: header, keyMD5: header.Get(keyHeader + "-Md5")})
}

func (f *fakeS3) store(key string, o *fakeObject) {
	f.made++
	o.etag = fmt.Sprintf(`"%d"`, f.made)
	if f.objects == nil {
		f.objects = map[string]*fakeObject{}
	}
	f.objects[key] = o
}

func operation(r *http.Request) string {
	q := r.URL.Query()
	switch {
	case r.Method == "POST" && q.Has("uploads"):
		return "Create"
	case r.Method == "PUT" && q.Has("partNumber"):
		return "Part"
	case r.Method == "POST" && q.Has("uploadId"):
		return "Complete"
	case r.Method == "DELETE" && q.Has("uploadId"):
		return "Abort"
	case q.Get("list-type") == "2":
		return "List"
	}
	return r.Method
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := content(r)
	op := operation(r)
	f.mu.Lock()
	f.requests = append(f.requests, fakeRequest{op, r.Header.Clone(), r.URL.Path, r.URL.RawQuery})
	times := 0
	for _, done := range f.requests {
		if done.op == op {
			times++
		}
	}
	f.mu.Unlock()
	if f.before != nil && f.before(w, op, times) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	answer := httptest.NewRecorder()
	f.serve(answer, r, op, body)
	if f.lose != nil && f.lose(op, times) {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	if r.Method != "HEAD" {
		w.Write(answer.Body.Bytes())
	}
}

// content is the body without the framing that the SDK adds for checksums.
func content(r *http.Request) []byte {
	if !strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		body, _ := io.ReadAll(r.Body)
		return body
	}
	var body []byte
	in := bufio.NewReader(r.Body)
	for {
		line, err := in.ReadString('\n')
		n, bad := strconv.ParseInt(strings.TrimSpace(line), 16, 64)
		if err != nil || bad != nil || n == 0 {
			io.Copy(io.Discard, in)
			return body
		}
		chunk := make([]byte, n+2)
		io.ReadFull(in, chunk)
		body = append(body, chunk[:n]...)
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

func (f *fakeS3) serve(w http.ResponseWriter, r *http.Request, op string, body []byte) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if name != bucket {
		refuse(w, 404, "NoSuchBucket", "The specified bucket does not exist")
		return
	}
	keyMD5 := r.Header.Get(keyHeader + "-Md5")
	upload := f.uploads[r.URL.Query().Get("uploadId")]
	switch op {
	case "PUT":
		if f.allowed(w, r, key) {
			f.store(key, &fakeObject{body: body, keyMD5: keyMD5, header: r.Header.Clone()})
			w.Header().Set("ETag", f.objects[key].etag)
		}
	case "Create":
		if f.uploads == nil {
			f.uploads = map[string]*fakeUpload{}
		}
		id := fmt.Sprintf("upload-%d", len(f.uploads)+1)
		f.uploads[id] = &fakeUpload{fakeObject{keyMD5: keyMD5, header: r.Header.Clone()}, map[int][]byte{}}
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
	case "Part", "Complete":
		switch {
		case upload == nil:
			refuse(w, 404, "NoSuchUpload", "The specified upload does not exist.")
		case upload.keyMD5 != keyMD5:
			refuse(w, 400, "InvalidRequest", "The provided encryption parameters did not match the ones used originally.")
		case op == "Part":
			number, _ := strconv.Atoi(r.URL.Query().Get("partNumber"))
			upload.parts[number] = body
			w.Header().Set("ETag", fmt.Sprintf(`"part-%d"`, number))
		case f.allowed(w, r, key):
			f.complete(w, r, upload, key, body)
		}
	case "Abort":
		delete(f.uploads, r.URL.Query().Get("uploadId"))
		w.WriteHeader(204)
	case "GET", "HEAD":
		f.get(w, r, key, keyMD5)
	case "DELETE":
		delete(f.objects, key)
		w.WriteHeader(204)
	case "List":
		f.list(w, r)
	}
}

// allowed holds a write against its conditions.
func (f *fakeS3) allowed(w http.ResponseWriter, r *http.Request, key string) bool {
	there := f.objects[key]
	if r.Header.Get("If-None-Match") == "*" && there != nil || r.Header.Get("If-Match") != "" && (there == nil || there.etag != r.Header.Get("If-Match")) {
		refuse(w, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return false
	}
	return true
}

func (f *fakeS3) complete(w http.ResponseWriter, r *http.Request, u *fakeUpload, key string, body []byte) {
	var list struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.Unmarshal(body, &list); err != nil || len(list.Part) != len(u.parts) {
		refuse(w, 400, "InvalidPart", "One or more of the specified parts could not be found.")
		return
	}
	o := u.fakeObject
	for i, p := range list.Part {
		if p.PartNumber != i+1 || p.ETag != fmt.Sprintf(`"part-%d"`, i+1) {
			refuse(w, 400, "InvalidPartOrder", "The list of parts was not in ascending order.")
			return
		}
		o.body = append(o.body, u.parts[p.PartNumber]...)
	}
	if size := r.Header.Get("X-Amz-Mp-Object-Size"); size != strconv.Itoa(len(o.body)) {
		refuse(w, 400, "InvalidRequest", "The object size does not match.")
		return
	}
	f.store(key, &o)
	delete(f.uploads, r.URL.Query().Get("uploadId"))
	fmt.Fprintf(w, "<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>", strings.ReplaceAll(o.etag, `"`, "&quot;"))
}

func (f *fakeS3) get(w http.ResponseWriter, r *http.Request, key, keyMD5 string) {
	o := f.objects[key]
	switch {
	case o == nil:
		refuse(w, 404, "NoSuchKey", "The specified key does not exist.")
	case o.keyMD5 != "" && keyMD5 == "":
		refuse(w, 400, "InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	case o.keyMD5 == "" && keyMD5 != "":
		refuse(w, 400, "InvalidRequest", "The encryption parameters are not applicable to this object.")
	case o.keyMD5 != keyMD5:
		refuse(w, 403, "AccessDenied", "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.")
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != o.etag:
		refuse(w, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	default:
		for name, values := range o.header {
			if strings.HasPrefix(name, "X-Amz-Meta-") || name == "Content-Type" {
				w.Header()[name] = values
			}
		}
		w.Header().Set("ETag", o.etag)
		w.Header().Set("X-Amz-Version-Id", "v"+strings.Trim(o.etag, `"`))
		var from, to int
		if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); n == 2 && from < len(o.body) {
			to = min(to, len(o.body)-1)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(o.body)))
			w.WriteHeader(206)
			w.Write(o.body[from : to+1])
			return
		} else if n == 2 {
			refuse(w, 416, "InvalidRange", "The requested range is not satisfiable")
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(o.body)))
		w.Write(o.body)
	}
}

// list answers with two keys a page.
func (f *fakeS3) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	var page bytes.Buffer
	n := 0
	last, truncated := "", false
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		if !strings.HasPrefix(key, q.Get("prefix")) || key <= after {
			continue
		}
		if n == 2 {
			truncated = true
			break
		}
		n, last = n+1, key
		fmt.Fprintf(&page, "<Contents><Key>%s</Key><Size>%d</Size></Contents>", key, len(f.objects[key].body))
	}
	fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%v</IsTruncated><NextContinuationToken>%s</NextContinuationToken>%s</ListBucketResult>", truncated, last, page.String())
}

// serve runs the fake behind TLS and returns a store with parts of partSize.
func serve(t *testing.T, f *fakeS3, partSize int) *Store {
	t.Helper()
	server := httptest.NewUnstartedServer(f)
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	return New(configOf(server), Options{PartSize: partSize})
}

func configOf(server *httptest.Server) aws.Config {
	roots := x509.NewCertPool()
	if server.Certificate() != nil {
		roots.AddCert(server.Certificate())
	}
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		// What the SDK's configuration loader sets by default.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		})}
}

// customer is material of mode sse-c.
func customer(t testing.TB, raw string) *seal.Material {
	t.Helper()
	key, err := seal.NewKey([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return materialOf(t, job.ModeSSEC, key)
}

func materialOf(t testing.TB, mode string, key seal.Key) *seal.Material {
	t.Helper()
	m, err := seal.ModeOf(mode)
	if err != nil {
		t.Fatal(err)
	}
	return &seal.Material{Mode: m, Key: key}
}

// trioOf are the headers of a customer key.
func trioOf(raw string) http.Header {
	sum := md5.Sum([]byte(raw))
	h := http.Header{}
	h.Set(algorithmHeader, "AES256")
	h.Set(keyHeader, base64Of([]byte(raw)))
	h.Set(keyHeader+"-Md5", base64Of(sum[:]))
	return h
}
