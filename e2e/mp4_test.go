package e2e

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// checkFile decrypts a single-file output and checks what holds of every one:
// the index is in front, all of it decodes without a word, and what the file
// says of itself is true. It returns the file.
func (r *running) checkFile(t *testing.T, output int) string {
	t.Helper()
	file := r.file(t, output)
	if order := boxes(t, file); !slices.Equal(order, []string{"ftyp", "moov", "mdat"}) {
		t.Errorf("the file's boxes are %v", order)
	}
	silently(t, file)
	plan := planOf(t, r.id)
	o := plan.Outputs[output]
	told := describe(t, file)
	if o.Picture == nil {
		if told.stream("video") != nil {
			t.Error("there is a picture where none was planned")
		}
		return file
	}
	g := plan.Groups[o.Group]
	v := told.stream("video")
	if v == nil {
		t.Fatal("there is no picture")
	}
	if n := integer(t, v.Frames); n != g.Frames {
		t.Errorf("the file says that it has %d frames, want %d", n, g.Frames)
	}
	if rate := parse(t, v.AverageRate); rate != g.Rate {
		t.Errorf("the file's average rate is %v, want %v", rate, g.Rate)
	}
	if want := float64(g.Frames) / g.Rate.Float64(); math.Abs(seconds(t, v.Duration)-want) > 0.002 {
		t.Errorf("the picture lasts %s s, want %.3f", v.Duration, want)
	}
	if start := seconds(t, v.Start); start != 0 {
		t.Errorf("the picture begins at %v s", start)
	}
	if g := o.Picture.Geometry; v.Width != g.Width() || v.Height != g.Height() {
		t.Errorf("the picture is %d x %d, planned was %d x %d", v.Width, v.Height, g.Width(), g.Height())
	}
	if said := r.rec.Job.Outputs[output].DurationMillis; math.Abs(float64(said)-1000*seconds(t, told.Format.Duration)) > 25 {
		t.Errorf("the job says that the output lasts %d ms, ffprobe %s s", said, told.Format.Duration)
	}
	decode(t, file, "").onGrid(t, g.Rate)
	return file
}

// boxes are the types of a file's boxes at the top.
func boxes(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for len(b) >= 16 {
		types = append(types, string(b[4:8]))
		size := uint64(binary.BigEndian.Uint32(b))
		if size == 1 {
			size = binary.BigEndian.Uint64(b[8:])
		}
		if size < 8 || size > uint64(len(b)) {
			t.Fatalf("box %s of %d bytes with %d left", b[4:8], size, len(b))
		}
		b = b[size:]
	}
	if len(b) > 0 {
		t.Errorf("%d bytes follow the last box", len(b))
	}
	return types
}

// description is what ffprobe says of a file.
type description struct {
	Streams []streamDescription `json:"streams"`
	Format  struct {
		Duration string `json:"duration"`
	} `json:"format"`
}

type streamDescription struct {
	Kind        string `json:"codec_type"`
	Codec       string `json:"codec_name"`
	Pixels      string `json:"pix_fmt"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	TimeBase    string `json:"time_base"`
	StartPTS    int64  `json:"start_pts"`
	Start       string `json:"start_time"`
	Duration    string `json:"duration"`
	Frames      string `json:"nb_frames"`
	AverageRate string `json:"avg_frame_rate"`
	SampleRate  string `json:"sample_rate"`
	Channels    int    `json:"channels"`
}

func describe(t *testing.T, file string) description {
	t.Helper()
	var d description
	if err := json.Unmarshal([]byte(ffprobe(t, "-show_streams", "-show_format", "-of", "json", file)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// stream is the first of a kind, or nil.
func (d description) stream(kind string) *streamDescription {
	for i := range d.Streams {
		if d.Streams[i].Kind == kind {
			return &d.Streams[i]
		}
	}
	return nil
}

func seconds(t *testing.T, s string) float64 {
	t.Helper()
	var f float64
	if _, err := fmt.Sscan(s, &f); err != nil {
		t.Fatalf("%q is no time: %v", s, err)
	}
	return f
}
