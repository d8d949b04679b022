package soundfile

import (
	"bytes"
	"testing"
)

// FuzzHeader: a header that is taken gives sizes that can be worked with, and is
// written as it was read but for check sum, padding and the bits of no concern.
func FuzzHeader(f *testing.F) {
	f.Add([]byte{0xff, 0xfb, 0x90, 0x64})
	f.Add([]byte{0xff, 0xf3, 0x14, 0xc4})
	f.Add([]byte{0xff, 0xfb, 0xf0, 0x00})
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, err := parseHeader(frame)
		if err != nil {
			return
		}
		if h.kbps() <= 0 || h.sampleRate() < 16000 || h.samples() <= 0 {
			t.Errorf("%x: %d kbit/s, %d Hz, %d samples", frame[:4], h.kbps(), h.sampleRate(), h.samples())
		}
		var b [headerBytes]byte
		h.put(b[:])
		if again, err := parseHeader(b[:]); err != nil || again != h {
			t.Errorf("%x is written as %x: %v", frame[:4], b, err)
		}
		if want := []byte{frame[0], frame[1] | 1, frame[2] &^ 3, frame[3] & 0xc0}; !bytes.Equal(b[:4], want) {
			t.Errorf("%x is written as %x, want %x", frame[:4], b[:4], want)
		}
	})
}
