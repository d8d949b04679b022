package cover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"sealreel/pkg/still"
)

func picture(format, content string) Cover {
	return Cover{Format: format, Width: 40, Height: 20, Size: int64(len(content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

func written(t *testing.T, b Block, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.Stream(&out); err != nil {
		t.Fatal(err)
	}
	if int64(out.Len()) != b.Size() {
		t.Errorf("%d bytes, Size says %d", out.Len(), b.Size())
	}
	return out.Bytes()
}

var two = []Cover{picture(still.JPEG, "the front"), picture(still.PNG, "and the back")}

// TestMP4 walks the boxes.
func TestMP4(t *testing.T) {
	b, err := MP4(two)
	data := written(t, b, err)
	inside := func(name string, b []byte, skip int) []byte {
		t.Helper()
		if len(b) < 8 || string(b[4:8]) != name || int(binary.BigEndian.Uint32(b)) != len(b) {
			t.Fatalf("no box %s over %q", name, b)
		}
		return b[8+skip:]
	}
	meta := inside("meta", inside("udta", data, 0), 4)
	if string(meta[4:8]) != "hdlr" || string(meta[16:24]) != "mdirappl" {
		t.Fatalf("%q", meta[:33])
	}
	covr := inside("covr", inside("ilst", meta[33:], 0), 0)
	for i, want := range []string{"\x00\x00\x00\x0d\x00\x00\x00\x00the front", "\x00\x00\x00\x0e\x00\x00\x00\x00and the back"} {
		size := binary.BigEndian.Uint32(covr)
		if got := inside("data", covr[:size], 0); string(got) != want {
			t.Errorf("picture %d: %q", i, got)
		}
		covr = covr[size:]
	}
}

func TestFLAC(t *testing.T) {
	b, err := FLAC(two)
	data := written(t, b, err)
	for i, c := range []struct{ mime, content string }{{"image/jpeg", "the front"}, {"image/png", "and the back"}} {
		size := binary.BigEndian.Uint32(data) & 0xffffff
		block := data[4 : 4+size]
		want := slices.Concat([]byte{0, 0, 0, []byte{3, 0}[i], 0, 0, 0, byte(len(c.mime))}, []byte(c.mime),
			[]byte{0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 20, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, byte(len(c.content))}, []byte(c.content))
		if data[0] != 6 || !bytes.Equal(block, want) {
			t.Errorf("picture %d: %q\n want %q", i, block, want)
		}
		data = data[4+size:]
	}
}

func TestID3(t *testing.T) {
	b, err := ID3([]Cover{picture(still.JPEG, strings.Repeat("x", 300)), picture(still.PNG, "back")})
	data := written(t, b, err)
	first := "APIC\x00\x00\x01\x3a\x00\x00" + "\x00image/jpeg\x00\x03\x00" + strings.Repeat("x", 300)
	second := "APIC\x00\x00\x00\x12\x00\x00" + "\x00image/png\x00\x002\x00" + "back"
	n := len(first) + len(second)
	if want := "ID3\x03\x00\x00\x00\x00" + string([]byte{byte(n >> 7), byte(n & 0x7f)}) + first + second; string(data) != want {
		t.Errorf("%q\n want %q", data, want)
	}
}

func TestTooLarge(t *testing.T) {
	huge := Cover{Size: 1 << 30}
	for name, err := range map[string]error{
		"mp4":  second(MP4([]Cover{huge, huge})),
		"flac": second(FLAC([]Cover{{Size: maxFLAC}})),
		"mp3":  second(ID3([]Cover{{Size: maxID3}})),
	} {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestPicturesThatAreNotAsTheySay: a file that is planned to the byte must not
// become another.
func TestPicturesThatAreNotAsTheySay(t *testing.T) {
	broken := errors.New("the line is cut")
	longer, shorter, failing, closed := picture(still.PNG, "abcd"), picture(still.PNG, "abcd"), picture(still.PNG, "abcd"), picture(still.PNG, "abcd")
	longer.Size, shorter.Size = 3, 5
	failing.Open = func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(broken)), nil }
	closed.Open = func() (io.ReadCloser, error) { return nil, broken }
	for name, c := range map[string]struct {
		cover Cover
		want  error
	}{"longer": {longer, nil}, "shorter": {shorter, io.ErrUnexpectedEOF}, "failing": {failing, broken}, "closed": {closed, broken}} {
		b, err := ID3([]Cover{c.cover})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Stream(io.Discard); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
