package ingest

import (
	"context"
	"math"
	"math/big"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/loopback"
	"sealreel/pkg/plan"
	"sealreel/pkg/probe"
	"sealreel/pkg/rational"
	"sealreel/pkg/source"
)

// ProbeWith probes inputs by ffprobe, which reads them over loopback.
func ProbeWith(p probe.Prober) func(context.Context, source.Media) (Probed, error) {
	return func(ctx context.Context, in source.Media) (Probed, error) {
		server, err := loopback.New(ctx)
		if err != nil {
			return Probed{}, err
		}
		defer server.Close()
		url := server.Serve("input", loopback.Input{ReaderAt: in, Size: in.Size()})
		report, err := probe.Probe(server.Context(), p, url)
		if err := server.Finish(err); err != nil {
			return Probed{}, err
		}
		return probed(report, in.Size()), nil
	}
}

// probed is what the plan and the job need of a report.
func probed(r *probe.Report, size int64) Probed {
	p := Probed{Embedded: embedded(r), Detected: job.DetectedProperties{FileSize: size, DurationMillis: r.Duration.Milliseconds()}}
	if v := r.Video; v != nil {
		p.Source.Reset = v.Jumps > 0
		p.Source.Picture = &plan.SourcePicture{
			Stream: v.Index,
			Timeline: plan.Timeline{
				TimeBase:  v.TimeBase,
				Start:     floor(r.Start, v.TimeBase),
				PTS:       v.PTS,
				End:       v.End,
				Keyframes: v.Keyframes,
				Indexed:   v.Indexed,
				Seekable:  v.Source == probe.FromPTS && v.Jumps == 0,
			},
			Rate:     v.Rate,
			Width:    v.Width,
			Height:   v.Height,
			SAR:      v.SAR,
			Rotation: v.Rotation / 90 * 90,
			Colour:   plan.Colour{Range: said(v.Range), Primaries: said(v.Primaries), Transfer: said(v.Transfer), Matrix: said(v.Matrix)},
		}
		p.Source.Picture.Fields, p.Source.Picture.Deinterlace = fields(r.Format, v.FieldOrder)
		p.Detected.Width, p.Detected.Height = v.Width, v.Height
		if v.Rotation%180 == 90 {
			p.Detected.Width, p.Detected.Height = v.Height, v.Width
		}
		p.Detected.FrameRate = v.Rate.Decimal()
	}
	for _, s := range r.Streams {
		if s.AttachedPicture && s.Kind == "video" {
			p.Source.Artwork = append(p.Source.Artwork, plan.SourceArtwork{Stream: s.Index, Codec: s.Codec, Width: s.Width, Height: s.Height})
		}
	}
	if a := r.Audio; a != nil {
		more := tracks(r)
		p.Source.Sound = &plan.SourceSound{
			Stream: a.Index, Tracks: more, SampleRate: a.SampleRate, Channels: a.Channels + len(more), Start: r.Start,
			Begins: since(r.Start, a.Start()), Ends: since(r.Start, a.Stop()),
		}
	}
	return p
}

// maxTracks is how many tracks of one channel are put together (API:
// AudioPackingMode).
const maxTracks = 8

// tracks are the streams that hold further channels of the sound: where each has
// one, at one rate and for one language, as files of cameras and broadcasters
// have them. Anything else is another programme.
func tracks(r *probe.Report) []int {
	var more []int
	for _, s := range r.Streams {
		if s.Kind != "audio" || s.Codec == "" {
			continue
		}
		if s.Channels != 1 || s.SampleRate != r.Audio.SampleRate || s.Language != r.Audio.Language {
			return nil
		}
		if s.Index != r.Audio.Index && len(more) < maxTracks-1 {
			more = append(more, s.Index)
		}
	}
	return more
}

// fields is the order in which a stream's fields are shown, "" where it isn't
// known or there are none, and which of its pictures are to be deinterlaced. The
// order is ffprobe's: one letter for how fields are coded and one for how they are
// shown. Where the letters differ, only MXF means that: QuickTime and Matroska say
// of fields whose lines alternate that the top or the bottom one is the first.
func fields(format, order string) (shown, deinterlace string) {
	if format != "mxf" && len(order) == 2 {
		order = order[:1] + order[:1]
	}
	switch order {
	case "tt", "bt":
		return plan.TopFirst, plan.Flagged
	case "bb", "tb":
		return plan.BottomFirst, plan.Flagged
	}
	return "", ""
}

// said is a name of ffprobe's, empty where it says that there is none.
func said(name string) string {
	if name == "unknown" || name == "reserved" {
		return ""
	}
	return name
}

// The two below go by way of large numbers, since hostile files have hostile
// time bases. The probe believes no time beyond ten years, so the results fit.

// floor is a time in seconds in whole units of a time base, rounded down.
func floor(seconds, timeBase rational.Rational) int64 {
	units := new(big.Rat).Quo(ratio(seconds), ratio(timeBase))
	return new(big.Int).Div(units.Num(), units.Denom()).Int64() // Euclidean: down for a positive denominator
}

// since is how long after zero a time is, both in seconds.
func since(zero, at rational.Rational) time.Duration {
	seconds, _ := new(big.Rat).Sub(ratio(at), ratio(zero)).Float64()
	return time.Duration(math.Round(seconds * float64(time.Second)))
}

func ratio(r rational.Rational) *big.Rat { return big.NewRat(r.Num, max(r.Den, 1)) }
