package s3store

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
)

var permissions = []pipeline.Permission{
	{GranteeType: pipeline.GranteeCanonical, Grantee: "79a5", Access: []string{"FullControl"}},
	{GranteeType: pipeline.GranteeCanonical, Grantee: "8b\"6", Access: []string{"Read", "ReadAcp"}},
	{GranteeType: pipeline.GranteeEmail, Grantee: "a@example.com", Access: []string{"Read", "WriteAcp"}},
	{GranteeType: pipeline.GranteeGroup, Grantee: "AllUsers", Access: []string{"Read"}},
	{GranteeType: pipeline.GranteeGroup, Grantee: "LogDelivery", Access: []string{"ReadAcp"}},
}

var grantHeaders = map[string]string{
	"X-Amz-Grant-Full-Control": `id="79a5"`,
	"X-Amz-Grant-Read":         `id="8b\"6", emailAddress="a@example.com", uri="http://acs.amazonaws.com/groups/global/AllUsers"`,
	"X-Amz-Grant-Read-Acp":     `id="8b\"6", uri="http://acs.amazonaws.com/groups/s3/LogDelivery"`,
	"X-Amz-Grant-Write-Acp":    `emailAddress="a@example.com"`,
	"X-Amz-Storage-Class":      "REDUCED_REDUNDANCY",
}

// bodies are stored in one request and in parts.
var bodies = map[string]string{"one": "abc", "parts": "abcdefghijk"}

func TestStorageClassAndPermissions(t *testing.T) {
	f := &fakeS3{}
	store := serve(t, f, 4)
	for key, body := range bodies {
		full := UploadTarget{Bucket: bucket, Key: key, StorageClass: pipeline.ReducedRedundancy, Permissions: permissions}
		stored, err := store.Upload(t.Context(), full, strings.NewReader(body))
		if err != nil || stored.Unshared != "" {
			t.Fatalf("%s: %+v, %v", key, stored, err)
		}
		for name, want := range grantHeaders {
			if got := f.objects[key].header.Get(name); got != want {
				t.Errorf("%s: %s is %s, want %s", key, name, got, want)
			}
		}
		plain := UploadTarget{Bucket: bucket, Key: key + "-plain", StorageClass: pipeline.Standard}
		if _, err := store.Upload(t.Context(), plain, strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		for name := range grantHeaders {
			if got := f.objects[plain.Key].header.Values(name); len(got) > 0 {
				t.Errorf("%s: %s is %s", plain.Key, name, got)
			}
		}
	}
}

// What S3 refuses because of the grants is stored without them, and nothing else
// is tried twice.
func TestRefusedPermissions(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		code     string
		always   bool // also without grants
		none     bool // no permissions were asked for
		want     error
		unshared string
		requests int // that make the object
	}{
		"no ACLs":          {status: 400, code: "AccessControlListNotSupported", unshared: "AccessControlListNotSupported", requests: 2},
		"may not":          {status: 403, code: "AccessDenied", unshared: "AccessDenied", requests: 2},
		"e-mail addresses": {status: 405, code: "MethodNotAllowed", unshared: "MethodNotAllowed", requests: 2},
		"may not at all":   {status: 403, code: "AccessDenied", always: true, want: object.ErrAccess, requests: 2},
		"nothing asked":    {status: 403, code: "AccessDenied", always: true, none: true, want: object.ErrAccess, requests: 1},
		"no bucket":        {status: 404, code: "NoSuchBucket", always: true, want: object.ErrNoBucket, requests: 1},
	} {
		for key, body := range bodies {
			f := &fakeS3{}
			f.before = func(w http.ResponseWriter, op string, _ int) bool {
				last := f.requests[len(f.requests)-1]
				shares := last.header.Get("X-Amz-Grant-Read") != ""
				if op != "PUT" && op != "Create" || !shares && !c.always {
					return false
				}
				w.WriteHeader(c.status)
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", c.code)
				return true
			}
			target := UploadTarget{Bucket: bucket, Key: key, Permissions: permissions, Writer: "me"}
			if c.none {
				target.Permissions = nil
			}
			store := serve(t, f, 4)
			stored, err := store.Upload(t.Context(), target, strings.NewReader(body))
			if !errors.Is(err, c.want) || stored.Unshared != c.unshared {
				t.Errorf("%s, %s: %+v, %v", name, key, stored, err)
			}
			ops := f.ops()
			if made := len(slices.DeleteFunc(ops, func(op string) bool { return op != "PUT" && op != "Create" })); made != c.requests {
				t.Errorf("%s, %s: %d requests, want %d", name, key, made, c.requests)
			}
			if err != nil {
				continue
			}
			if string(f.objects[key].body) != body {
				t.Errorf("%s, %s: stored %q", name, key, f.objects[key].body)
			}
			if again, err := store.Upload(t.Context(), target, strings.NewReader(body)); err != nil || !again.Earlier || again.Unshared != c.unshared {
				t.Errorf("%s, %s: again: %+v, %v", name, key, again, err)
			}
		}
	}
}
