package task

import (
	"sealreel/pkg/job"
	"sealreel/pkg/still"
)

// Segment is one stored segment of an output. Ticks are of 1/90000 second;
// Bytes are of plaintext.
type Segment struct {
	Key   string `json:"key"`
	Bytes int64  `json:"bytes"`
	Ticks int64  `json:"ticks"`
	IV    string `json:"iv,omitempty"`    // that it is sealed with, in the modes that take one
	Break bool   `json:"break,omitempty"` // it has other tracks than the segment before
}

// Thumbnail is one stored thumbnail of an output. Bytes are of plaintext; IV as of
// a Segment.
type Thumbnail struct {
	Key   string `json:"key"`
	Bytes int64  `json:"bytes"`
	IV    string `json:"iv,omitempty"`
}

// Sealed is what was stored of one file: the bytes of plaintext and the base64
// of the IV, which is the file's own.
type Sealed struct {
	Bytes int64
	IV    string
}

// Part is a stretch of one track, as two sealed objects of the work bucket: the
// samples back to back, and the index that describes them.
type Part struct {
	Data  WorkFile `json:"data"`
	Index WorkFile `json:"index"`
}

// WorkFile is one sealed object of the work bucket. Size is that of the object
// in bytes.
type WorkFile struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
}

// Artwork is one picture of an output's album. Bytes are of plaintext.
type Artwork struct {
	File  WorkFile `json:"file"`
	Bytes int64    `json:"bytes"`
	still.Info
}

// Made is what a task made of one output, or why it could not.
type Made struct {
	Segments []Segment `json:"segments,omitempty"`
	Part     *Part     `json:"part,omitempty"`
	Artwork  []Artwork `json:"artwork,omitempty"`
	Codecs   []string  `json:"codecs,omitempty"` // RFC 6381, as a master playlist names them
	// Thumbnails are those of the chunk, in order.
	Thumbnails []Thumbnail `json:"thumbnails,omitempty"`
	Failure    *Failure    `json:"failure,omitempty"`
}

// Failure is a job.Failure as a receipt keeps it: what the job may show.
type Failure struct {
	Code   job.Code `json:"code"`
	Detail string   `json:"detail"`
}

// Failed is the failure of err, without its cause.
func Failed(err error) *Failure {
	f := job.FailureOf(err)
	return &Failure{Code: f.Code, Detail: f.Detail}
}

// Err is the failure as an error, nil for nil.
func (f *Failure) Err() error {
	if f == nil {
		return nil
	}
	return &job.Failure{Code: f.Code, Detail: f.Detail}
}

// Receipt is the last act of a chunk's task: what it made of each output, by
// the output's place in the job. Chunk seconds measure the work.
type Receipt struct {
	Version      int          `json:"version"`
	Outputs      map[int]Made `json:"outputs"`
	Frames       int64        `json:"frames,omitempty"`
	Milliseconds int64        `json:"milliseconds"`
}

// Sound is the receipt for the encoded sound of one chunk: a part for each
// encoding of the plan, by its place there, or the failure of them all.
type Sound struct {
	Version int          `json:"version"`
	Parts   map[int]Part `json:"parts,omitempty"`
	Failure *Failure     `json:"failure,omitempty"`
}
