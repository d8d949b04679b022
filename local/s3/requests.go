package s3

import (
	"bytes"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
	"github.com/versity/versitygw/metrics"
	"github.com/versity/versitygw/s3log"

	"sealreel/local/internal/gate"
)

// Request is a request that was answered. The body of an answer may still be on its way.
type Request struct {
	Operation   string // as the API names it, such as UploadPart; empty if it was not recognised
	Action      string // the permission that IAM would ask for, such as s3:PutObject; "" as Operation
	Bucket, Key string
	VersionID   string // that was asked for
	AccessKeyID string // that the request claims to be signed with
	UserAgent   string
	Status      int // HTTP status
	gate.Record
}

// permissions names the IAM action of each operation whose action is not called like it.
var permissions = map[string]string{
	"ListAllMyBuckets": "ListAllMyBuckets", "ListBuckets": "ListAllMyBuckets",
	"HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
	"ListObjectVersions": "ListBucketVersions", "ListMultipartUploads": "ListBucketMultipartUploads",
	"ListParts": "ListMultipartUploadParts", "HeadObject": "GetObject", "CopyObject": "PutObject",
	"CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "UploadPartCopy": "PutObject",
	"CompleteMultipartUpload": "PutObject", "DeleteObjects": "DeleteObject",
	"GetBucketEncryption": "GetEncryptionConfiguration", "PutBucketEncryption": "PutEncryptionConfiguration",
	"DeleteBucketEncryption": "PutEncryptionConfiguration",
}

// perVersion are the actions that have one of their own for requests with a version id.
var perVersion = map[string]string{
	"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion", "GetObjectAttributes": "GetObjectVersionAttributes",
	"GetObjectAcl": "GetObjectVersionAcl", "GetObjectTagging": "GetObjectVersionTagging", "PutObjectTagging": "PutObjectVersionTagging",
	"DeleteObjectTagging": "DeleteObjectVersionTagging",
}

func permission(operation, versionID string) string {
	if operation == "" {
		return ""
	}
	action := operation
	if other, ok := permissions[operation]; ok {
		action = other
	}
	if other, ok := perVersion[action]; ok && versionID != "" {
		action = other
	}
	return "s3:" + action
}

// operationKey is where the auditor leaves the operation for the recorder.
const operationKey = "sealreel-operation"

// auditor is told by the gateway which operation it took a request for.
type auditor struct{}

var _ s3log.AuditLogger = auditor{}

// Log implements s3log.AuditLogger.
func (auditor) Log(ctx fiber.Ctx, _ error, _ []byte, meta s3log.LogMeta) {
	ctx.Locals(operationKey, metrics.ActionMap[meta.Action].Name)
}

// HangUp implements s3log.AuditLogger.
func (auditor) HangUp() error { return nil }

// Shutdown implements s3log.AuditLogger.
func (auditor) Shutdown() error { return nil }

// record is the middleware around everything: it tells the hooks of each request and keeps keys out of refusals.
func (srv *Server) record(ctx fiber.Ctx) error {
	path, _, _ := strings.Cut(string(ctx.Request().Header.RequestURI()), "?")
	err := ctx.Next()
	redactKeys(ctx.RequestCtx())
	operation, _ := ctx.Locals(operationKey).(string)
	version := string(ctx.Request().URI().QueryArgs().Peek("versionId"))
	bucket, key := splitPath(path)
	srv.requests.call(Request{
		Operation: operation, Action: permission(operation, version), Bucket: bucket, Key: key, VersionID: version,
		AccessKeyID: claimedKey(ctx), UserAgent: string(ctx.Request().Header.UserAgent()), Status: ctx.Response().StatusCode(),
		Record: *exchange{ctx.RequestCtx()}.note(),
	})
	return err
}

// splitPath returns bucket and key of an escaped request path.
func splitPath(path string) (bucket, key string) {
	unescaped, err := url.PathUnescape(path)
	if err != nil {
		unescaped = path
	}
	bucket, key, _ = strings.Cut(strings.TrimPrefix(unescaped, "/"), "/")
	return strings.Clone(bucket), strings.Clone(key)
}

// claimedKey returns the access key id of a signed request, header or query.
func claimedKey(ctx fiber.Ctx) string {
	credential := string(ctx.Request().URI().QueryArgs().Peek("X-Amz-Credential"))
	if _, after, ok := strings.Cut(ctx.Get("Authorization"), "Credential="); ok {
		credential = after
	}
	id, _, _ := strings.Cut(credential, "/")
	return strings.Clone(id)
}

// redactKeys removes customer keys from the body of a refusal: one for a wrong signature quotes the signed headers, as
// text and as hexadecimal.
func redactKeys(rc *fasthttp.RequestCtx) {
	if rc.Response.StatusCode() < 400 || rc.Response.IsBodyStream() {
		return
	}
	for _, prefix := range []string{customerPrefix, copySourcePrefix} {
		key := bytes.TrimSpace(rc.Request.Header.Peek(prefix + "Key"))
		if len(key) == 0 {
			continue
		}
		body := bytes.ReplaceAll(rc.Response.Body(), key, []byte("(redacted)"))
		spaced := strings.Join(pairs(hex.EncodeToString(key)), " ")
		body = bytes.ReplaceAll(body, []byte(spaced), []byte("(redacted)"))
		rc.Response.SetBody(bytes.ReplaceAll(body, bytes.ToUpper([]byte(spaced)), []byte("(redacted)")))
	}
}

func pairs(text string) []string {
	var out []string
	for ; len(text) >= 2; text = text[2:] {
		out = append(out, text[:2])
	}
	return out
}
