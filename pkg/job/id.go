package job

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var idPattern = regexp.MustCompile(`^\d{13}-\w{6}$`)

// ValidID says whether s has the form of a job's, pipeline's or preset's id.
// Ids become parts of object keys: check one that comes from outside.
func ValidID(s string) bool { return idPattern.MatchString(s) }

// NewID is the id of the job that a dropped object version becomes: the
// event's time in milliseconds since 1970 and six characters of a hash of the
// object's name, so that every delivery of the event finds the same job.
func NewID(eventTime time.Time, bucket, key, versionID string) string {
	sum := dropSum(bucket, key, versionID)
	return makeID(eventTime, binary.BigEndian.Uint64(sum[:]))
}

// RandomID is an id for what is made at a time and has no name of its own, such
// as a pipeline or a preset.
func RandomID(at time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // it never fails
	return makeID(at, binary.BigEndian.Uint64(random[:]))
}

func makeID(at time.Time, number uint64) string {
	const span = 36 * 36 * 36 * 36 * 36 * 36
	suffix := strconv.FormatUint(number%span, 36)
	millis := min(max(at.UnixMilli(), 0), 9_999_999_999_999)
	return fmt.Sprintf("%013d-%s%s", millis, strings.Repeat("0", 6-len(suffix)), suffix)
}

// DropHash names a dropped object version by 64 hexadecimal digits. Different
// (bucket, key, version) give different hashes, wherever the parts end.
func DropHash(bucket, key, versionID string) string {
	sum := dropSum(bucket, key, versionID)
	return hex.EncodeToString(sum[:])
}

func dropSum(parts ...string) [sha256.Size]byte {
	var b []byte
	for _, part := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

// statusUUID is the UUID in a StatusDetail. It is derived (RFC 9562, version
// 8) from what failed, so that a retry writes the same detail.
func statusUUID(jobID, part string) string {
	u := dropSum("status", jobID, part)
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
