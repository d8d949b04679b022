package s3

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/metrics"
	"github.com/versity/versitygw/s3api/controllers"
	"github.com/versity/versitygw/s3err"
)

// grantHeaders are what a request gives to others by each header.
var grantHeaders = map[string]types.Permission{
	"X-Amz-Grant-Full-Control": types.PermissionFullControl, "X-Amz-Grant-Read": types.PermissionRead,
	"X-Amz-Grant-Read-Acp": types.PermissionReadAcp, "X-Amz-Grant-Write-Acp": types.PermissionWriteAcp,
}

// grant is one right that an object's writer gave to somebody.
type grant struct {
	Kind       string // of grantee: id, uri or emailAddress
	Grantee    string
	Permission types.Permission
}

// S3's answers about storage classes and ACLs. Grants to e-mail addresses are refused since October 2025.
var (
	errStorageClass = s3err.APIError{Code: "InvalidStorageClass", Description: "The storage class you specified is not valid",
		HTTPStatusCode: http.StatusBadRequest}
	errGrantee      = invalidArgument("Argument format not recognized")
	errEmailGrantee = s3err.APIError{Code: "MethodNotAllowed", Description: "Email Grantee ACLs are not supported.",
		HTTPStatusCode: http.StatusMethodNotAllowed}
)

// shares reports whether a request gives rights to others.
func (x exchange) shares() bool {
	for header := range grantHeaders {
		if x.header(header) != "" {
			return true
		}
	}
	return x.header("X-Amz-Acl") != ""
}

// place sets what a request says of how the object is kept: its storage class and who else has rights to it. A bucket
// without ACLs refuses all of those, but for the canned one that says what is so anyway.
func (a *attributes) place(x exchange, bucket *bucketRecord) error {
	a.StorageClass, a.Grants = types.StorageClass(x.header("X-Amz-Storage-Class")), nil
	switch {
	case a.StorageClass == types.StorageClassStandard:
		a.StorageClass = ""
	case a.StorageClass != "" && !slices.Contains(a.StorageClass.Values(), a.StorageClass):
		return errStorageClass
	}
	canned := x.header("X-Amz-Acl")
	switch enforced := bucket.Ownership == "" || bucket.Ownership == types.ObjectOwnershipBucketOwnerEnforced; {
	case !x.shares(), canned == string(types.ObjectCannedACLBucketOwnerFullControl):
		return nil
	case enforced:
		return s3err.GetAPIError(s3err.ErrAclNotSupported)
	case canned != "":
		return s3err.GetAPIError(s3err.ErrNotImplemented)
	}
	var err error
	a.Grants, err = readGrants(x)
	return err
}

// readGrants reads the headers: id="...", uri="..." and so on.
func readGrants(x exchange) (all []grant, err error) {
	for header, permission := range grantHeaders {
		value := x.header(header)
		if value == "" {
			continue
		}
		for item := range strings.SplitSeq(value, ",") {
			kind, grantee, ok := strings.Cut(strings.TrimSpace(item), "=")
			grantee, quoted := strings.CutPrefix(grantee, `"`)
			switch {
			case !ok || !quoted || !strings.HasSuffix(grantee, `"`) || kind != "id" && kind != "uri" && kind != "emailAddress":
				return nil, errGrantee
			case kind == "emailAddress":
				return nil, errEmailGrantee
			}
			all = append(all, grant{kind, strings.TrimSuffix(grantee, `"`), permission})
		}
	}
	slices.SortFunc(all, func(a, b grant) int {
		return strings.Compare(string(a.Permission)+" "+a.Grantee, string(b.Permission)+" "+b.Grantee)
	})
	return all, nil
}

// The gateway knows the ACLs of buckets only, so GetObjectAcl is answered before its routes are reached.

// accessControlPolicy is what GetObjectAcl answers.
type accessControlPolicy struct {
	XMLName xml.Name    `xml:"AccessControlPolicy"`
	Xmlns   string      `xml:"xmlns,attr"`
	Owner   string      `xml:"Owner>ID"`
	Grants  []wireGrant `xml:"AccessControlList>Grant"`
}

type wireGrant struct {
	Grantee    wireGrantee
	Permission types.Permission
}

type wireGrantee struct {
	Xsi  string     `xml:"xmlns:xsi,attr"`
	Type types.Type `xml:"xsi:type,attr"`
	ID   string     `xml:",omitempty"`
	URI  string     `xml:",omitempty"`
}

const xsi = "http://www.w3.org/2001/XMLSchema-instance"

// policy is the ACL of a version: its owner's right to everything, and what was granted.
func (v *version) policy(owner string) accessControlPolicy {
	p := accessControlPolicy{Xmlns: "http://s3.amazonaws.com/doc/2006-03-01/", Owner: owner, Grants: []wireGrant{
		{wireGrantee{Xsi: xsi, Type: types.TypeCanonicalUser, ID: owner}, types.PermissionFullControl}}}
	for _, g := range v.Attributes.Grants {
		grantee := wireGrantee{Xsi: xsi, Type: types.TypeCanonicalUser, ID: g.Grantee}
		if g.Kind == "uri" {
			grantee = wireGrantee{Xsi: xsi, Type: types.TypeGroup, URI: g.Grantee}
		}
		p.Grants = append(p.Grants, wireGrant{grantee, g.Permission})
	}
	return p
}

// objectACL is the middleware that serves ?acl of objects.
func (srv *Server) objectACL() fiber.Handler {
	services, verify := srv.verified()
	serve := controllers.ProcessHandlers(srv.getObjectACL, metrics.ActionGetObjectAcl, services, verify...)
	return func(ctx fiber.Ctx) error {
		if _, key := splitPath(ctx.Path()); ctx.Method() != http.MethodGet || key == "" || !ctx.Request().URI().QueryArgs().Has("acl") {
			return ctx.Next()
		}
		return serve(ctx)
	}
}

func (srv *Server) getObjectACL(ctx fiber.Ctx) (*controllers.Response, error) {
	x := exchange{ctx.RequestCtx()}
	bucket, key := splitPath(ctx.Path())
	id := ctx.Query("versionId")
	if err := srv.store.admitVersion(x, "GetObjectAcl", bucket, key, id); err != nil {
		return &controllers.Response{}, err
	}
	v, err := srv.store.look(bucket, key, id)
	if err != nil {
		return &controllers.Response{}, guarded{srv.store}.missing(x, bucket, srv.store.answerable("GetObjectAcl", err))
	}
	body, err := xml.Marshal(v.policy(srv.store.owner))
	ctx.Response().Header.SetContentType(fiber.MIMEApplicationXML)
	return &controllers.Response{Data: append([]byte(xml.Header), body...)}, err
}
