package s3

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// nullVersion is the id of every version written while versioning was off.
const nullVersion = "null"

// bucketRecord is what is stored of a bucket.
type bucketRecord struct {
	Name       string
	Created    time.Time
	Versioning types.BucketVersioningStatus // "", Enabled or Suspended
	BlockSSEC  bool
	Default    encryption // of objects written without asking for one
	ACL        []byte     // the gateway's own JSON
	Ownership  types.ObjectOwnership
}

// attributes is what a writer says about an object besides its content.
type attributes struct {
	ContentType        string            `json:",omitempty"`
	ContentEncoding    string            `json:",omitempty"`
	ContentDisposition string            `json:",omitempty"`
	ContentLanguage    string            `json:",omitempty"`
	CacheControl       string            `json:",omitempty"`
	Expires            string            `json:",omitempty"`
	Redirect           string            `json:",omitempty"`
	Metadata           map[string]string `json:",omitempty"` // without the x-amz-meta- prefix
	Tags               map[string]string `json:",omitempty"`

	StorageClass types.StorageClass `json:",omitempty"` // "" for STANDARD
	Grants       []grant            `json:",omitempty"`
}

// version is one version of an object: its content, or a delete marker.
type version struct {
	Key          string
	ID           string
	Seq          uint64 // grows with every write to any bucket
	Modified     time.Time
	DeleteMarker bool       `json:",omitempty"`
	Size         int64      `json:",omitempty"`
	ETag         string     `json:",omitempty"` // in double quotes, as on the wire
	Attributes   attributes `json:",omitzero"`
	Encryption   encryption `json:",omitzero"`
	Checksum     checksum   `json:",omitzero"`
	Parts        []part     `json:",omitempty"` // at least one, unless it is a delete marker
	Multipart    bool       `json:",omitempty"`
}

func (v *version) blobs() []blob {
	all := make([]blob, len(v.Parts))
	for i, p := range v.Parts {
		all[i] = p.Blob
	}
	return all
}

// live reports whether a plain GET would find content here. A nil version is not live.
func (v *version) live() bool { return v != nil && !v.DeleteMarker }

// upload is a multipart upload in progress. Its parts are stored beside it.
type upload struct {
	ID           string
	Key          string
	Started      time.Time
	Owner        string
	Attributes   attributes
	Encryption   encryption
	Algorithm    types.ChecksumAlgorithm // "" if the client named none
	ChecksumType types.ChecksumType
}

// part is a part of a multipart upload, or the whole content of a simple object.
type part struct {
	Number   int32
	Blob     blob
	ETag     string
	Modified time.Time
	Checksum checksum
	Checked  bool `json:",omitempty"` // the client sent a checksum with it
}
