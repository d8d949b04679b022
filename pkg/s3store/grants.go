package s3store

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"sealreel/pkg/pipeline"
)

// grants are what a request gives to others: the values of the headers
// x-amz-grant-*, nil for those that are not sent.
type grants struct{ fullControl, read, readACP, writeACP *string }

// groupURIs are S3's names of the groups of grantees.
var groupURIs = map[string]string{
	"AllUsers":           "http://acs.amazonaws.com/groups/global/AllUsers",
	"AuthenticatedUsers": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
	"LogDelivery":        "http://acs.amazonaws.com/groups/s3/LogDelivery",
}

// grantsOf writes permissions as S3's headers.
func grantsOf(permissions []pipeline.Permission) grants {
	grantees := map[string][]string{}
	for _, p := range permissions {
		grantee := "id=" + strconv.Quote(p.Grantee)
		switch p.GranteeType {
		case pipeline.GranteeEmail:
			grantee = "emailAddress=" + strconv.Quote(p.Grantee)
		case pipeline.GranteeGroup:
			grantee = "uri=" + strconv.Quote(groupURIs[p.Grantee])
		}
		for _, access := range p.Access {
			grantees[access] = append(grantees[access], grantee)
		}
	}
	header := func(access string) *string { return optional(strings.Join(grantees[access], ", ")) }
	return grants{header("FullControl"), header("Read"), header("ReadAcp"), header("WriteAcp")}
}

// sharing makes the request that makes an object, with the target's grants and,
// where S3 refuses it, without them. What S3 gives as the reason for refusing the
// grants is returned beside the answer.
//
// S3 has many reasons: the bucket has no ACLs, the writer may not give rights, the
// bucket lets none be given to the public, a grantee is not known. Which it is, it
// does not always tell; but when the same request is taken without the grants, it
// was they.
func sharing[Out any](t *UploadTarget, request func(grants) (Out, error)) (out Out, refused string, err error) {
	out, err = request(grantsOf(t.Permissions))
	if err == nil || len(t.Permissions) == 0 {
		return out, "", err
	}
	switch status(err) {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed:
		out, without := request(grants{})
		return out, reason(err), without
	}
	return out, "", err
}

// reason is S3's code for a refusal.
func reason(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return strconv.Itoa(status(err))
}

// storageClass is the class of a target; "" for S3's standard one.
func (t *UploadTarget) storageClass() types.StorageClass {
	if t.StorageClass == pipeline.ReducedRedundancy {
		return types.StorageClassReducedRedundancy
	}
	return ""
}
