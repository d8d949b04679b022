package job

import "fmt"

const (
	maxS3Key = 1024 // bytes of an S3 object key

	// MaxOutputName is the longest key of an output object in bytes: S3's limit
	// less the room that its record in the state bucket takes, which is named
	// catalog/{bucket}/{key}.json.
	MaxOutputName = maxS3Key - len("catalog/") - maxBucket - len("/.json")
	maxBucket     = 63 // bytes of a bucket's name (S3)

	// MaxSegments is how many segments an output may have, so that a segment's
	// number has five digits and "a" and "a1" can't give the same name.
	MaxSegments = 100000

	// longestSuffix is the longest text put behind a key: "00000.ts".
	longestSuffix = len("00000.ts")
)

// Names are the keys of the objects of one output. Either Single is set, or
// Playlist is and segments are named by Segment.
type Names struct {
	Single   string // a single media file
	Playlist string // the media playlist of a segmented output
	stem     string
}

// OutputNames returns the keys that an output of the container writes to:
// {prefix}{Key} as it stands, or, for ts with a SegmentDuration,
// {prefix}{Key}.m3u8 and {prefix}{Key}00000.ts onwards (developer guide, job
// settings, output key).
func OutputNames(prefix string, o Output, container string) Names {
	stem := prefix + o.Key
	if _, segmented := o.SegmentSeconds(); !segmented || container != "ts" {
		return Names{Single: stem}
	}
	return Names{Playlist: stem + ".m3u8", stem: stem}
}

// Segmented says whether the output is a playlist with segments.
func (n Names) Segmented() bool { return n.Playlist != "" }

// Segment is the key of the segment with the index, from 0 and below
// MaxSegments, of a segmented output.
func (n Names) Segment(index int) string { return fmt.Sprintf("%s%05d.ts", n.stem, index) }

// IsSegment says whether key is one of the output's segments.
func (n Names) IsSegment(key string) bool {
	if !n.Segmented() || len(key) != len(n.stem)+longestSuffix || key[:len(n.stem)] != n.stem {
		return false
	}
	number := key[len(n.stem) : len(key)-len(".ts")]
	for _, c := range []byte(number) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return key[len(key)-len(".ts"):] == ".ts"
}

// MasterName is the key of a master playlist: {prefix}{Name}.m3u8.
func MasterName(prefix string, p Playlist) string { return prefix + p.Name + ".m3u8" }
