package caption

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// ccData is cc_data with a pair of the first field between others.
func ccData(pair [2]byte) []byte {
	return []byte{0x40 | 4, 0xff, 0xf8 | 4, pair[0], pair[1], 0xf8 | 4 | 1, 'x', 'y', 0xf8, 'n', 'o', 0xf8 | 4 | 2, 1, 2, 0xff}
}

func nal(b ...byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

func TestFieldPairs(t *testing.T) {
	want := [][2]byte{{0x94, 0x2c}}
	data := append([]byte("\xb5\x00\x31GA94\x03"), ccData(want[0])...)
	message := append([]byte{6, 5, 1, 0, 4, byte(len(data))}, data...)
	picture := slices.Concat(nal(0x09, 0xf0), nal(append(message, 0x80)...), nal(0x65, 1, 2, 3))
	if got := FieldPairs(picture); !slices.Equal(got, want) {
		t.Errorf("%x", got)
	}
	for cut := range picture {
		FieldPairs(picture[:cut])
		FieldPairs(picture[cut:])
	}
	zeros := append([]byte("\xb5\x00\x31GA94\x03"), 0x41, 0xff, 0xfc, 0, 0, 0xff)
	escaped := append([]byte{6, 4, byte(len(zeros))}, "\xb5\x00\x31GA94\x03\x41\xff\xfc\x00\x00\x03\xff"...)
	if got := FieldPairs(nal(escaped...)); !slices.Equal(got, [][2]byte{{0, 0}}) {
		t.Errorf("escaped: %x", got)
	}
	for name, other := range map[string][]byte{
		"another provider": append([]byte{6, 4, 13}, "\xb5\x00\x32GA94\x03\x41\xff\xfc\x94\x2c"...),
		"another type":     append([]byte{6, 5, 13}, "\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x2c"...),
		"without cc_data":  append([]byte{6, 4, 13}, "\xb5\x00\x31GA94\x03\x01\xff\xfc\x94\x2c"...),
		"not valid":        append([]byte{6, 4, 13}, "\xb5\x00\x31GA94\x03\x41\xff\xf8\x94\x2c"...),
		"nothing":          nil,
	} {
		if got := FieldPairs(nal(other...)); got != nil {
			t.Errorf("%s: %x", name, got)
		}
	}
	mpeg2 := slices.Concat([]byte{0, 0, 1, 0, 1, 2, 0, 0, 1, 0xb2}, []byte("GA94\x03"), ccData(want[0]), []byte{0, 0, 1, 0xb2, 'D', 'T', 'G', '1', 0, 0, 1, 1})
	if got := FieldPairsMPEG2(mpeg2); !slices.Equal(got, want) {
		t.Errorf("MPEG-2: %x", got)
	}
}

func FuzzFieldPairs(f *testing.F) {
	f.Add(nal(append([]byte{6, 4, 13}, "\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x2c"...)...))
	f.Fuzz(func(t *testing.T, picture []byte) {
		if n := len(FieldPairs(picture)) + len(FieldPairsMPEG2(picture)); n > len(picture) {
			t.Errorf("%d pairs in %d bytes", n, len(picture))
		}
	})
}

func TestPackedCuesAreTheSame(t *testing.T) {
	cues := []Cue{{-time.Second, time.Millisecond, "a < b & \"c\"\n— ü"}, {2, 3, "x"}}
	packed, err := Pack(cues)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Unpack(packed); err != nil || !slices.Equal(got, cues) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Unpack(packed[:len(packed)-1]); err == nil {
		t.Error("cut: no error")
	}
}
