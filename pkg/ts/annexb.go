package ts

import (
	"encoding/binary"
	"fmt"
)

// Types of NAL units (ITU-T H.264, table 7-1).
const (
	nalSPS       = 7
	nalPPS       = 8
	nalDelimiter = 9
)

// delimiter is an access unit delimiter for slices of any type.
var delimiter = []byte{0, 0, 0, 1, nalDelimiter, 0xf0}

// appendAnnexB appends a sample as a byte stream (H.264, annex B): an access
// unit delimiter, which transport streams ask for, the parameter sets if they
// are given and the sample brings none, and the sample's NAL units, whose
// lengths of 4 bytes become start codes.
func appendAnnexB(b, sample []byte, sets [][]byte) ([]byte, error) {
	b = append(b, delimiter...)
	if len(sets) > 0 {
		own, err := has(sample, nalSPS)
		if err != nil {
			return b, err
		}
		if !own {
			for _, set := range sets {
				b = append(append(b, 0, 0, 0, 1), set...)
			}
		}
	}
	for len(sample) > 0 {
		nalu, rest, err := cutNALU(sample)
		if err != nil {
			return b, err
		}
		sample = rest
		switch nalu[0] & 0x1f {
		case nalDelimiter:
			continue
		case nalSPS, nalPPS:
			b = append(b, 0)
		}
		b = append(append(b, 0, 0, 1), nalu...)
	}
	return b, nil
}

func has(sample []byte, kind byte) (bool, error) {
	for len(sample) > 0 {
		nalu, rest, err := cutNALU(sample)
		if err != nil {
			return false, err
		}
		if nalu[0]&0x1f == kind {
			return true, nil
		}
		sample = rest
	}
	return false, nil
}

// cutNALU takes the first NAL unit, which is never empty, off a sample.
func cutNALU(sample []byte) (nalu, rest []byte, err error) {
	if len(sample) < 4 {
		return nil, nil, fmt.Errorf("%w: %d bytes behind the last NAL unit", ErrMalformed, len(sample))
	}
	size := binary.BigEndian.Uint32(sample)
	if size == 0 || uint64(size) > uint64(len(sample)-4) {
		return nil, nil, fmt.Errorf("%w: NAL unit of %d bytes in %d", ErrMalformed, size, len(sample)-4)
	}
	return sample[4 : 4+size], sample[4+size:], nil
}
