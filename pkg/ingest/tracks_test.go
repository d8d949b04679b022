package ingest

import (
	"slices"
	"testing"

	"sealreel/pkg/probe"
)

// TestTracks: which streams are channels of one sound.
func TestTracks(t *testing.T) {
	mono := probe.Stream{Kind: "audio", Codec: "pcm_s16le", SampleRate: 48000, Channels: 1}
	with := func(change func(*probe.Stream)) probe.Stream { s := mono; change(&s); return s }
	picture := probe.Stream{Kind: "video", Codec: "h264"}
	for name, c := range map[string]struct {
		streams []probe.Stream
		want    []int
	}{
		"one":                     {[]probe.Stream{picture, mono}, nil},
		"two":                     {[]probe.Stream{picture, mono, mono}, []int{2}},
		"two before the picture":  {[]probe.Stream{mono, mono, picture}, []int{1}},
		"more than pass":          {slices.Repeat([]probe.Stream{mono}, 16), []int{1, 2, 3, 4, 5, 6, 7}},
		"one of two channels":     {[]probe.Stream{mono, mono, with(func(s *probe.Stream) { s.Channels = 2 })}, nil},
		"another rate":            {[]probe.Stream{mono, with(func(s *probe.Stream) { s.SampleRate = 44100 })}, nil},
		"another language":        {[]probe.Stream{mono, with(func(s *probe.Stream) { s.Language = "ger" })}, nil},
		"one that nobody decodes": {[]probe.Stream{mono, mono, with(func(s *probe.Stream) { s.Codec = "" })}, []int{1}},
	} {
		r := &probe.Report{Streams: c.streams}
		for i := range r.Streams {
			r.Streams[i].Index = i
			if r.Audio == nil && r.Streams[i].Kind == "audio" {
				r.Audio = &probe.Audio{Stream: r.Streams[i]}
			}
		}
		if got := tracks(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
