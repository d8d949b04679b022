package transcode

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
	"sealreel/pkg/task"
)

// stills is a stream of images at ticks, of which each place has ten.
type stills struct {
	track fragment.Track
	ticks []int64
	cut   bool // its end is missing
}

func (s *stills) Track() (*fragment.Track, error) { return &s.track, nil }
func (s *stills) Complete() bool                  { return !s.cut }

func (s *stills) Next() (*fragment.Fragment, error) {
	if len(s.ticks) == 0 {
		return nil, io.EOF
	}
	f := &fragment.Fragment{Samples: []fragment.Sample{{PTS: s.ticks[0], Data: fmt.Append(nil, s.ticks[0])}}}
	s.ticks = s.ticks[1:]
	return f, nil
}

func streamOf(rate rational.Rational, ticks ...int64) *stills {
	return &stills{ticks: ticks, track: fragment.Track{Coding: fragment.PNG, Width: 64, Height: 36, Timescale: uint32(10 * rate.Num / rate.Den)}}
}

func everySeconds(seconds int64) *plan.Thumbnails {
	return &plan.Thumbnails{Seconds: seconds, Names: job.ThumbnailNames{Pattern: "{count}", Format: "png"}, Fit: plan.Fit{Geometry: preset.Geometry{PadW: 64, PadH: 36}}}
}

func TestReadThumbnails(t *testing.T) {
	pal := rational.Int(25)
	chunk := plan.Chunk{Lead: 40, First: 50, End: 150}
	cut := streamOf(pal, 500, 750, 1000, 1250)
	cut.cut = true
	for name, c := range map[string]struct {
		stream  *stills
		rate    rational.Rational
		chunk   plan.Chunk
		want    []string
		problem bool
	}{
		"those of the plan":              {streamOf(pal, 500, 750, 1000, 1250), pal, chunk, []string{"3 500", "4 750", "5 1000", "6 1250"}, false},
		"a seek that landed too late":    {streamOf(pal, 750, 1000, 1250), pal, chunk, nil, true},
		"one is missing":                 {streamOf(pal, 500, 1000, 1250), pal, chunk, []string{"3 500"}, true},
		"the last is missing":            {streamOf(pal, 500, 750, 1000), pal, chunk, []string{"3 500", "4 750", "5 1000"}, true},
		"all are":                        {streamOf(pal), pal, chunk, nil, true},
		"one of the next chunk":          {streamOf(pal, 500, 750, 1000, 1250, 1500), pal, chunk, []string{"3 500", "4 750", "5 1000", "6 1250"}, true},
		"one of the chunk before":        {streamOf(pal, 250, 500, 750, 1000, 1250), pal, chunk, nil, true},
		"one twice":                      {streamOf(pal, 500, 500, 750, 1000, 1250), pal, chunk, []string{"3 500"}, true},
		"between places":                 {streamOf(pal, 503, 750, 1000, 1250), pal, chunk, nil, true},
		"the end is cut off":             {cut, pal, chunk, []string{"3 500", "4 750", "5 1000", "6 1250"}, true},
		"a frame for several thumbnails": {streamOf(rational.New(2, 5), 0, 10, 20), rational.New(2, 5), plan.Chunk{End: 3}, []string{"1 0", "2 0", "3 0", "4 10", "5 10", "6 20", "7 20", "8 20"}, false},
	} {
		var got []string
		err := readThumbnails(c.stream, everySeconds(1), c.rate, c.chunk, func(n int64, image []byte) error {
			got = append(got, fmt.Sprintf("%d %s", n, image))
			return nil
		})
		if !slices.Equal(got, c.want) || (err != nil) != c.problem || err != nil && !errors.Is(err, errFrames) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	stored := errors.New("not stored")
	if err := readThumbnails(streamOf(pal, 500), everySeconds(1), pal, chunk, func(int64, []byte) error { return stored }); !errors.Is(err, stored) {
		t.Error(err)
	}
	for what, change := range map[string]func(*fragment.Track){
		"JPEG": func(k *fragment.Track) { k.Coding = fragment.JPEG }, "H.264": func(k *fragment.Track) { k.Coding = fragment.H264 },
		"another width": func(k *fragment.Track) { k.Width++ }, "another height": func(k *fragment.Track) { k.Height++ },
	} {
		s := streamOf(pal, 500, 750, 1000, 1250)
		change(&s.track)
		if err := readThumbnails(s, everySeconds(1), pal, chunk, func(int64, []byte) error { return nil }); err == nil || errors.Is(err, errFrames) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestMediaAndThumbnailsAreOneOutput: it is made with both, and fails with either.
func TestMediaAndThumbnailsAreOneOutput(t *testing.T) {
	failure := task.Failed(job.OutputExists("out", "k"))
	still := []task.Thumbnail{{Key: "00001.png"}}
	for name, c := range map[string]struct {
		sets   []task.Made
		stills []task.Thumbnail
		made   bool
		failed bool
	}{
		"both":                       {[]task.Made{{}}, still, true, false},
		"no thumbnails":              {[]task.Made{{}}, nil, false, false},
		"no media":                   {nil, still, false, false},
		"the thumbnails failed last": {[]task.Made{{}, {Failure: failure}}, nil, true, true},
		"and first":                  {[]task.Made{{Failure: failure}, {}}, nil, true, true},
		"the media failed":           {[]task.Made{{Failure: failure}}, still, true, true},
	} {
		w := newChunkWork(nil, 0, 0)
		for _, m := range c.sets {
			w.set(4, m)
		}
		if c.stills != nil {
			w.thumbnails[4] = c.stills
		}
		w.join([]int{4})
		m, made := w.made[4]
		if made != c.made || (m.Failure != nil) != c.failed || made && !c.failed && len(m.Thumbnails) != 1 {
			t.Errorf("%s: %+v, %t", name, m, made)
		}
	}
}
