package fragment

import (
	"encoding/binary"
	"fmt"
)

// box is an ISO box in memory: raw is all of it, body what follows its header.
type box struct {
	name string
	raw  []byte
	body []byte
}

// cut takes the first box off b, which must not be empty.
func cut(b []byte) (box, []byte, error) {
	if len(b) < 8 {
		return box{}, nil, fmt.Errorf("%w: %d bytes are too few for a box", ErrMalformed, len(b))
	}
	size, header := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	name := string(b[4:8])
	if size == 1 && len(b) >= 16 {
		size, header = binary.BigEndian.Uint64(b[8:]), 16
	}
	if size < header || size > uint64(len(b)) {
		return box{}, nil, fmt.Errorf("%w: box %q of %d bytes in %d", ErrMalformed, name, size, len(b))
	}
	return box{name: name, raw: b[:size], body: b[header:size]}, b[size:], nil
}

// children returns the boxes in body that have the name.
func children(body []byte, name string) ([]box, error) {
	var found []box
	for len(body) > 0 {
		b, rest, err := cut(body)
		if err != nil {
			return nil, err
		}
		if b.name == name {
			found = append(found, b)
		}
		body = rest
	}
	return found, nil
}

// descend follows a path of names, of which each must occur once.
func descend(body []byte, path ...string) ([]byte, error) {
	for _, name := range path {
		found, err := children(body, name)
		if err != nil {
			return nil, err
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("%w: %d boxes %q where one must be", ErrMalformed, len(found), name)
		}
		body = found[0].body
	}
	return body, nil
}

// fields reads big-endian numbers. Reading past the end sets short and yields
// zero, so that a caller checks once.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.short = true
		f.b = nil
		return make([]byte, n)
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) u32() uint32 { return binary.BigEndian.Uint32(f.take(4)) }
func (f *fields) u64() uint64 { return binary.BigEndian.Uint64(f.take(8)) }

// full reads the version and flags of a full box.
func (f *fields) full() (version byte, flags uint32) {
	v := f.u32()
	return byte(v >> 24), v & 0xffffff
}

// err says that box name is too short, if it was.
func (f *fields) err(name string) error {
	if f.short {
		return fmt.Errorf("%w: box %q ends too early", ErrMalformed, name)
	}
	return nil
}
