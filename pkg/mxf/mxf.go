// Package mxf completes the head of an MXF file while it is written.
//
// A muxer that cannot go back leaves in the head what it learns at the end only:
// how long the material is, and how its groups of pictures are built. A Writer
// knows these from the start and puts them in their place as the head passes, so
// that the file is complete from its first byte: the head's partition says that
// it is open, which is to say that it does not know where the footer is, and
// complete. All else passes unchanged. Layout: SMPTE ST 377-1; the head is held in
// memory, never more than MaxHead bytes.
package mxf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxHead is the most bytes of a head.
const MaxHead = 1 << 20

// ErrMalformed is wrapped when what is written does not begin as MXF does.
var ErrMalformed = errors.New("malformed head of MXF")

// Facts are what the head should say. Frames is the material's duration in units
// of its edit rate; a group of pictures has at most LongestGOP frames, and at most
// Between of them lie between two that they depend on.
type Facts struct {
	Frames     int64
	LongestGOP int
	Between    int
}

// Writer writes a file to another writer.
type Writer struct {
	w     io.Writer
	facts Facts
	head  []byte // what was written of it so far, nil once it has passed
	past  bool
}

// NewWriter returns a writer of one file. Close tells whether it had a head.
func NewWriter(w io.Writer, facts Facts) *Writer { return &Writer{w: w, facts: facts} }

// Write takes the next bytes. An error wraps ErrMalformed or is the other
// writer's.
func (w *Writer) Write(p []byte) (int, error) {
	if w.past {
		return w.w.Write(p)
	}
	if len(w.head) > MaxHead {
		return 0, fmt.Errorf("%w: it has more than %d bytes", ErrMalformed, MaxHead)
	}
	w.head = append(w.head, p...)
	length, err := headLength(w.head)
	if err != nil {
		return 0, err
	}
	if length == 0 || len(w.head) < length {
		return len(p), nil
	}
	if err := w.facts.complete(w.head[:length]); err != nil {
		return 0, err
	}
	head := w.head
	w.head, w.past = nil, true
	if _, err := w.w.Write(head); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close says io.ErrUnexpectedEOF where the file ended within its head.
func (w *Writer) Close() error {
	if !w.past {
		return io.ErrUnexpectedEOF
	}
	return nil
}

const (
	keyLength = 16

	// Of a partition's pack (ST 377-1, 7.1): what the key says of it, and where its
	// fields tell how many bytes of metadata follow.
	statusAt       = 14
	openIncomplete = 1
	openComplete   = 3
	metadataAt     = 32
	leastPack      = 88
)

var (
	partition = []byte{6, 0x0e, 0x2b, 0x34, 2, 5, 1, 1, 0x0d, 1, 2, 1, 1, 2} // a head's, up to its status
	primer    = []byte{6, 0x0e, 0x2b, 0x34, 2, 5, 1, 1, 0x0d, 1, 2, 1, 1, 5, 1, 0}
	set       = []byte{6, 0x0e, 0x2b, 0x34, 2, 0x53, 1, 1, 0x0d, 1, 1, 1, 1, 1} // of any kind
	fill      = []byte{6, 0x0e, 0x2b, 0x34, 1, 1, 1}                            // up to its version
)

// triplet is a key with its value; next is where the one behind it begins.
type triplet struct {
	key, value []byte
	next       int
}

// read reads the triplet at a place in b, false when b ends before it does.
func read(b []byte, at int) (triplet, bool, error) {
	rest := b[at:]
	if len(rest) <= keyLength {
		return triplet{}, false, nil
	}
	length, used := int(rest[keyLength]), keyLength+1
	if length >= 0x80 {
		n := length - 0x80
		if n == 0 || n > 8 {
			return triplet{}, false, fmt.Errorf("%w: a length of %d bytes at %d", ErrMalformed, n, at)
		}
		if len(rest) < used+n {
			return triplet{}, false, nil
		}
		var wide [8]byte
		copy(wide[8-n:], rest[used:used+n])
		value := binary.BigEndian.Uint64(wide[:])
		if value > MaxHead {
			return triplet{}, false, fmt.Errorf("%w: %d bytes at %d", ErrMalformed, value, at)
		}
		length, used = int(value), used+n
	}
	if len(rest) < used+length {
		return triplet{}, false, nil
	}
	return triplet{rest[:keyLength], rest[used : used+length], at + used + length}, true, nil
}

// headLength is how many bytes the partition's pack and the metadata behind it
// take, 0 while that can't be told.
func headLength(b []byte) (int, error) {
	pack, whole, err := read(b, 0)
	if err != nil {
		return 0, err
	}
	if n := min(len(b), len(partition)); !bytes.Equal(b[:n], partition[:n]) {
		return 0, fmt.Errorf("%w: it does not begin with a partition", ErrMalformed)
	}
	if !whole {
		return 0, nil
	}
	if len(pack.value) < leastPack {
		return 0, fmt.Errorf("%w: a partition pack of %d bytes", ErrMalformed, len(pack.value))
	}
	metadata := binary.BigEndian.Uint64(pack.value[metadataAt:])
	after, whole, err := read(b, pack.next)
	if err != nil || !whole {
		return 0, err
	}
	length := pack.next
	if bytes.HasPrefix(after.key, fill) { // up to the grid; it is not counted
		length = after.next
	}
	if metadata > MaxHead-uint64(length) {
		return 0, fmt.Errorf("%w: %d bytes of metadata", ErrMalformed, metadata)
	}
	return length + int(metadata), nil
}

// complete puts the facts into a head.
func (f Facts) complete(head []byte) error {
	tags := map[uint16]item{durationTag: duration}
	for at := 0; at < len(head); {
		t, whole, err := read(head, at)
		if err != nil {
			return err
		}
		if !whole {
			return fmt.Errorf("%w: the metadata ends within a set", ErrMalformed)
		}
		at = t.next
		switch {
		case bytes.HasPrefix(t.key, partition):
			if t.key[statusAt] == openIncomplete {
				t.key[statusAt] = openComplete
			}
		case bytes.Equal(t.key, primer):
			learn(tags, t.value)
		case bytes.HasPrefix(t.key, set):
			f.fill(t.value, tags)
		}
	}
	return nil
}

// item is a property that is filled in.
type item int

const (
	duration item = iota + 1
	longestGOP
	between
)

// durationTag is the property's own in every file; those of the other two are
// given by the primer, which names properties by their labels without a version.
const durationTag = 0x0202

var labels = map[[keyLength]byte]item{
	{6, 0x0e, 0x2b, 0x34, 1, 1, 1, 0, 4, 1, 6, 2, 1, 8, 0, 0}: longestGOP,
	{6, 0x0e, 0x2b, 0x34, 1, 1, 1, 0, 4, 1, 6, 2, 1, 9, 0, 0}: between,
}

// learn reads the tags of a primer.
func learn(tags map[uint16]item, b []byte) {
	const head, entry, versionAt = 8, 2 + keyLength, 7
	for b = b[min(head, len(b)):]; len(b) >= entry; b = b[entry:] {
		label := [keyLength]byte(b[2:entry])
		label[versionAt] = 0
		if i, known := labels[label]; known {
			tags[binary.BigEndian.Uint16(b)] = i
		}
	}
}

// fill sets the properties of a set that are known.
func (f Facts) fill(b []byte, tags map[uint16]item) {
	const head = 4
	for len(b) >= head {
		tag, length := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if length > len(b)-head {
			return
		}
		value := b[head : head+length]
		switch what := tags[tag]; {
		case what == duration && length == 8 && int64(binary.BigEndian.Uint64(value)) < 0:
			binary.BigEndian.PutUint64(value, uint64(f.Frames))
		case what == longestGOP && length == 2:
			binary.BigEndian.PutUint16(value, uint16(f.LongestGOP))
		case what == between && length == 2:
			binary.BigEndian.PutUint16(value, uint16(f.Between))
		}
		b = b[head+length:]
	}
}
