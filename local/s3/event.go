package s3

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Event is a change of a bucket, with what S3 puts into a notification of it.
type Event struct {
	Name      string // as in a record: no "s3:" in front, such as ObjectCreated:Put
	Time      time.Time
	Bucket    string
	Key       string // as it was stored; a notification has it URL-encoded
	Size      int64  // bytes of plaintext
	ETag      string // no quotes
	VersionID string // empty while the bucket has no versioning
	Sequencer string // hexadecimal, always 16 digits; a later write to the same key has the greater one
	AccessKey string // who did it, empty for a call from Go
}

// Names of events.
const (
	CreatedPut          = "ObjectCreated:Put"
	CreatedCopy         = "ObjectCreated:Copy"
	CreatedMultipart    = "ObjectCreated:CompleteMultipartUpload"
	RemovedDelete       = "ObjectRemoved:Delete"
	RemovedDeleteMarker = "ObjectRemoved:DeleteMarkerCreated"
)

func newEvent(name, bucket string, v *version, accessKey string) Event {
	// The gateway's strings lie in buffers that the next request overwrites.
	e := Event{
		Name: name, Time: time.Now().UTC(), Size: v.Size,
		Bucket: strings.Clone(bucket), Key: strings.Clone(v.Key), AccessKey: strings.Clone(accessKey),
		ETag: strings.Trim(v.ETag, `"`), Sequencer: fmt.Sprintf("%016X", v.Seq),
	}
	if v.ID != nullVersion {
		e.VersionID = strings.Clone(v.ID)
	}
	return e
}

// hooks is a list of functions to be told of something. The zero value is ready to use.
type hooks[T any] struct {
	mu  sync.RWMutex
	all []func(T)
}

func (h *hooks[T]) add(f func(T)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, f)
}

func (h *hooks[T]) call(value T) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, f := range h.all {
		f(value)
	}
}
