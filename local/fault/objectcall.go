package fault

import (
	"net/http"
	"net/url"
	"strings"
)

// objectCall names what a request to S3 asks for, and about what: bucket/key.
func objectCall(r *http.Request) (operation, resource string) {
	resource = strings.TrimPrefix(r.URL.Path, "/")
	bucket, key, _ := strings.Cut(resource, "/")
	query := r.URL.Query()
	switch {
	case bucket == "":
		return "ListBuckets", ""
	case key == "":
		return bucketCall(r.Method, query), bucket
	case r.Header.Get("X-Amz-Copy-Source") != "" && query.Has("partNumber"):
		return "UploadPartCopy", resource
	case r.Header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject", resource
	}
	return keyCall(r.Method, query), resource
}

// verbs start the names of operations.
var verbs = map[string]string{http.MethodGet: "Get", http.MethodHead: "Head", http.MethodPut: "Put", http.MethodPost: "Post", http.MethodDelete: "Delete"}

// aspects are the parts of an object that have operations of their own.
var aspects = map[string]string{"tagging": "Tagging", "acl": "Acl", "attributes": "Attributes", "retention": "Retention", "legal-hold": "LegalHold"}

func keyCall(method string, query url.Values) string {
	switch {
	case query.Has("uploads"):
		return "CreateMultipartUpload"
	case query.Has("partNumber") && method == http.MethodPut:
		return "UploadPart"
	case query.Has("uploadId"):
		return map[string]string{http.MethodGet: "ListParts", http.MethodPost: "CompleteMultipartUpload", http.MethodDelete: "AbortMultipartUpload"}[method]
	}
	for name, aspect := range aspects {
		if query.Has(name) {
			return verbs[method] + "Object" + aspect
		}
	}
	return verbs[method] + "Object"
}

// settings are the parts of a bucket that have operations of their own.
var settings = map[string]string{
	"acl": "Acl", "cors": "Cors", "encryption": "Encryption", "lifecycle": "LifecycleConfiguration", "location": "Location",
	"notification": "NotificationConfiguration", "ownershipControls": "OwnershipControls", "policy": "Policy", "tagging": "Tagging", "versioning": "Versioning",
}

func bucketCall(method string, query url.Values) string {
	for name, setting := range settings {
		if query.Has(name) {
			return verbs[method] + "Bucket" + setting
		}
	}
	switch {
	case method == http.MethodPut:
		return "CreateBucket"
	case method == http.MethodPost && query.Has("delete"):
		return "DeleteObjects"
	case method != http.MethodGet:
		return verbs[method] + "Bucket"
	case query.Has("uploads"):
		return "ListMultipartUploads"
	case query.Has("versions"):
		return "ListObjectVersions"
	case query.Get("list-type") == "2":
		return "ListObjectsV2"
	}
	return "ListObjects"
}
