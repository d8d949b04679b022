package s3

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/s3api/middlewares"
	"github.com/versity/versitygw/s3api/utils"
)

// checksum is an additional checksum of S3: over the plaintext, base64.
type checksum struct {
	Algorithm types.ChecksumAlgorithm `json:",omitempty"`
	Type      types.ChecksumType      `json:",omitempty"`
	Value     string                  `json:",omitempty"`
}

// checksumField returns the field of an S3 structure (pointer) that holds a checksum of the algorithm, or nil. The
// structures have one *string field an algorithm, named after it.
func checksumField(structure any, algorithm types.ChecksumAlgorithm) **string {
	field := reflect.ValueOf(structure).Elem().FieldByName("Checksum" + string(algorithm))
	if !field.IsValid() || !field.CanAddr() {
		return nil
	}
	pointer, _ := field.Addr().Interface().(**string)
	return pointer
}

// fill sets the structure's field for the checksum's algorithm.
func (c checksum) fill(structure any) {
	if field := checksumField(structure, c.Algorithm); field != nil && c.Value != "" {
		value := c.Value
		*field = &value
	}
}

// given returns the checksum of the algorithm that the structure holds, or "".
func given(structure any, algorithm types.ChecksumAlgorithm) string {
	if field := checksumField(structure, algorithm); field != nil && *field != nil {
		return **field
	}
	return ""
}

// trailing returns the algorithm of the checksum that follows the body, or "". The gateway verifies that one itself.
func trailing(body io.Reader) types.ChecksumAlgorithm {
	if r, ok := body.(middlewares.ChecksumReader); ok {
		return types.ChecksumAlgorithm(strings.ToUpper(r.Algorithm()))
	}
	return ""
}

// intake measures a body while it is read: checksum, ETag and length.
type intake struct {
	io.Reader // what to read the body from
	checksum  *utils.HashReader
	algorithm types.ChecksumAlgorithm
	md5       hash.Hash // nil where the ETag must say nothing about the content
	want      int64     // announced length, or -1
	read      int64
}

// newIntake wraps body. A checksum that was announced is verified when the body ends. opaque asks for an ETag that is
// not the MD5 of the content, as objects under SSE-C and SSE-KMS have it.
func newIntake(body io.Reader, algorithm types.ChecksumAlgorithm, announced string, length int64, opaque bool) (*intake, error) {
	if algorithm == "" {
		algorithm = types.ChecksumAlgorithmCrc64nvme
	}
	in := &intake{algorithm: algorithm, want: length}
	counted := io.TeeReader(body, (*counter)(&in.read))
	hashed, err := utils.NewHashReader(counted, announced, utils.HashType(strings.ToLower(string(algorithm))))
	if err != nil {
		return nil, err
	}
	in.checksum, in.Reader = hashed, hashed
	if !opaque {
		in.md5 = md5.New()
		in.Reader = io.TeeReader(hashed, in.md5)
	}
	return in, nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

// complete reports whether the body had the length that was announced.
func (in *intake) complete() bool { return in.want < 0 || in.read == in.want }

func (in *intake) sum() checksum {
	return checksum{Algorithm: in.algorithm, Type: types.ChecksumTypeFullObject, Value: in.checksum.Sum()}
}

// etag returns the quoted ETag of the content.
func (in *intake) etag() string {
	var tag [md5.Size]byte
	if in.md5 != nil {
		in.md5.Sum(tag[:0])
	} else {
		rand.Read(tag[:])
	}
	return `"` + hex.EncodeToString(tag[:]) + `"`
}

// combine returns the checksum of an object from those of its parts.
func combine(parts []part, algorithm types.ChecksumAlgorithm, kind types.ChecksumType) (checksum, error) {
	out := checksum{Algorithm: algorithm, Type: kind}
	if kind == types.ChecksumTypeComposite {
		sum, err := utils.NewCompositeChecksumReader(utils.HashType(strings.ToLower(string(algorithm))))
		if err != nil {
			return checksum{}, err
		}
		for _, p := range parts {
			if err := sum.Process(p.Checksum.Value); err != nil {
				return checksum{}, err
			}
		}
		out.Value = fmt.Sprintf("%s-%d", sum.Sum(), len(parts))
		return out, nil
	}
	out.Value = parts[0].Checksum.Value
	for _, p := range parts[1:] {
		value, err := utils.AddCRCChecksum(algorithm, out.Value, p.Checksum.Value, p.Blob.Size)
		if err != nil {
			return checksum{}, err
		}
		out.Value = value
	}
	return out, nil
}
