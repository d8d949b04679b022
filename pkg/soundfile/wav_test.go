package soundfile_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/soundfile"
)

// zeros is endless silence.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// counter keeps the head of what is written and counts the rest.
type counter struct {
	head []byte
	size int64
}

func (c *counter) Write(p []byte) (int, error) {
	if room := 4096 - len(c.head); room > 0 {
		c.head = append(c.head, p[:min(room, len(p))]...)
	}
	c.size += int64(len(p))
	return len(p), nil
}

// TestWAVBeyondFourGigabytes: the sizes are in ds64, and the last file that needs
// none has none.
func TestWAVBeyondFourGigabytes(t *testing.T) {
	t.Parallel()
	track, _ := fragmenttest.Samples(t, fragmenttest.Sound(t, "pcm_s16le", "anullsrc=r=48000:cl=stereo:d=0.1"))
	const each, head = 1 << 20, 44
	data := make([]byte, each)
	for _, c := range []struct {
		name  string
		bytes int64
		long  bool
	}{
		{"the longest of RIFF", 1<<32 - 1 - (head - 8) - 3, false},
		{"a sample more", 1<<32 - 1 - (head - 8) + 1, true},
		{"six gigabytes", 6 << 30, true},
	} {
		w := part.NewIndexWriter(track)
		at := int64(0)
		for left := c.bytes; left > 0; left -= each {
			n := min(left, each)
			if err := w.Add(fragment.Sample{DTS: at, PTS: at, Duration: n / 4, Key: true, Data: data[:n]}); err != nil {
				t.Fatal(err)
			}
			at += n / 4
		}
		x, err := part.ParseIndex(w.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		q, err := part.Join(fragment.Audio, []*part.Index{x})
		if err != nil {
			t.Fatal(err)
		}
		f, err := soundfile.WAV(q)
		if err != nil {
			t.Fatal(err)
		}
		var out counter
		if err := f.Stream(&out, func(fragment.Kind, int) (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(zeros{}, c.bytes)), nil
		}); err != nil {
			t.Fatal(err)
		}
		le := binary.LittleEndian
		if !c.long {
			if string(out.head[:4]) != "RIFF" || int64(le.Uint32(out.head[4:]))+8 != out.size || int64(le.Uint32(out.head[40:])) != c.bytes {
				t.Errorf("%s: %q of %d bytes", c.name, out.head[:head], out.size)
			}
			continue
		}
		if string(out.head[:4]) != "RF64" || int64(le.Uint64(out.head[20:]))+8 != out.size || int64(le.Uint64(out.head[28:])) != c.bytes || int64(le.Uint64(out.head[36:])) != c.bytes/4 {
			t.Errorf("%s: %q of %d bytes", c.name, out.head[:80], out.size)
		}
		shown, _ := fragmenttest.Run(t, append(bytes.Clone(out.head), make([]byte, 1<<20)...), "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,duration_ts", "-of", "csv=p=0", "-")
		if !strings.HasPrefix(string(shown), "pcm_s16le") {
			t.Errorf("%s: ffprobe says %s", c.name, shown)
		}
	}
}
