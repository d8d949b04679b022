package still

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"testing"
	"testing/iotest"
)

// TestTooManyScans: a picture is not gone over for hours.
func TestTooManyScans(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	at := bytes.Index(whole, []byte{0xff, 0xda})
	scan := whole[at : len(whole)-2]
	if _, err := Inspect(bytes.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	many := append(bytes.Clone(whole[:at]), bytes.Repeat(scan, maxScans+1)...)
	if _, err := Inspect(bytes.NewReader(many)); !errors.Is(err, ErrUnreadable) || !errors.Is(err, errScans) {
		t.Errorf("got %v", err)
	}
	for _, r := range []io.Reader{iotest.OneByteReader(bytes.NewReader(many)), iotest.HalfReader(bytes.NewReader(many))} {
		if _, err := io.Copy(io.Discard, &scanCounter{r: r}); err != errScans {
			t.Errorf("got %v", err)
		}
	}
	few := bytes.Repeat([]byte{0xff, 0xda}, maxScans)
	if n, err := io.Copy(io.Discard, &scanCounter{r: iotest.OneByteReader(bytes.NewReader(few))}); err != nil || n != 2*maxScans {
		t.Errorf("%d bytes, %v", n, err)
	}
}
