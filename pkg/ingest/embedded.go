package ingest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/fragment"
	"sealreel/pkg/language"
	"sealreel/pkg/loopback"
	"sealreel/pkg/probe"
	"sealreel/pkg/rational"
	"sealreel/pkg/source"
)

// Embedded is where captions may be within an input.
type Embedded struct {
	Texts   []CaptionStream // tracks of timed text
	Picture *CaptionStream  // that CEA-608 may be in
	Start   rational.Rational
}

// CaptionStream is a stream of an input and its language, ISO 639 or "und".
type CaptionStream struct {
	Stream   int
	Language string
}

// embedded is what a report says of captions. CEA-608 has no language of its own:
// its first channel is for what is spoken.
func embedded(r *probe.Report) Embedded {
	e := Embedded{Start: r.Start}
	for _, s := range r.Streams {
		if s.Kind == "subtitle" && s.Codec == "mov_text" {
			e.Texts = append(e.Texts, CaptionStream{s.Index, languageOf(s.Language)})
		}
	}
	if v := r.Video; v != nil && v.Jumps == 0 && (v.Codec == "h264" || v.Codec == "mpeg2video") {
		spoken := languageOf(v.Language)
		if a := r.Audio; a != nil && languageOf(a.Language) != unknownLanguage {
			spoken = languageOf(a.Language)
		}
		e.Picture = &CaptionStream{v.Index, spoken}
	}
	return e
}

const unknownLanguage = "und" // ISO 639-2

// languageOf is the language that a file names. It becomes part of objects' names.
func languageOf(tag string) string {
	if _, err := language.Alpha3(tag); err != nil {
		return unknownLanguage
	}
	return tag
}

// EmbeddedWith reads the captions within inputs. The program is ffmpeg, which
// takes the streams out as they are and reads the input over loopback. Tracks
// without a caption are left out; times count from the input's time zero. What
// can't be understood is a caption.SyntaxError or caption.ErrNotUTF8.
func EmbeddedWith(program string) func(context.Context, source.Media, Embedded) ([]caption.Track, error) {
	return func(ctx context.Context, in source.Media, e Embedded) ([]caption.Track, error) {
		x := extraction{program: program, in: in}
		var tracks []caption.Track
		add := func(s CaptionStream, cues []caption.Cue) {
			if len(cues) > 0 {
				tracks = append(tracks, caption.Track{Language: s.Language, Cues: caption.Shift(cues, -exact(e.Start))})
			}
		}
		for _, s := range e.Texts {
			cues, err := x.text(ctx, s.Stream)
			if err != nil {
				return nil, err
			}
			add(s, cues)
		}
		if e.Picture == nil {
			return tracks, nil
		}
		cues, err := x.line21(ctx, e.Picture.Stream)
		if err != nil {
			return nil, err
		}
		add(*e.Picture, cues)
		return tracks, nil
	}
}

// exact is a time in seconds as a duration.
func exact(seconds rational.Rational) time.Duration { return since(rational.Int(0), seconds) }

// extraction takes streams out of an input.
type extraction struct {
	program string
	in      source.Media
}

// ahead is added to all times of a stream on its way here, in seconds: fragments
// have none below zero, as frames have that an edit list hides.
const ahead = 600

// stream gives the samples of a stream to take, in decode order.
func (x extraction) stream(ctx context.Context, index int, take func(*fragment.Track, fragment.Sample) error) error {
	server, err := loopback.New(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	args := append(ffmpeg.GlobalArgs(), "-copyts")
	args = append(args, ffmpeg.InputArgs(server.Serve("input", loopback.Input{ReaderAt: x.in, Size: x.in.Size()}), ffmpeg.InputOptions{})...)
	args = append(args, "-map", fmt.Sprintf("0:%d", index), "-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1",
		"-avoid_negative_ts", "disabled", "-output_ts_offset", fmt.Sprint(ahead),
		"-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof+frag_discont", "-frag_duration", "2000000")
	args = append(args, ffmpeg.OutputArgs(server.Accept("captions", func(_ context.Context, body io.Reader) error {
		return samples(body, take)
	}))...)
	_, err = ffmpeg.Run(server.Context(), ffmpeg.Command{Path: x.program, Args: args})
	return server.Finish(err)
}

func samples(body io.Reader, take func(*fragment.Track, fragment.Sample) error) error {
	r := fragment.NewReader(bufio.NewReaderSize(body, 64<<10))
	track, err := r.Track()
	first, reorder := true, int64(0)
	for err == nil {
		var f *fragment.Fragment
		if f, err = r.Next(); err != nil {
			break
		}
		if first { // the muxer writes when the first is shown as when it is decoded
			first, reorder = false, f.Samples[0].PTS-f.Samples[0].DTS
		}
		f.Shift(-ahead*int64(track.Timescale) - reorder)
		for _, s := range f.Samples {
			if err := take(track, s); err != nil {
				return err
			}
		}
	}
	if errors.Is(err, io.EOF) && r.Complete() {
		return nil
	}
	return cmp.Or(err, io.ErrUnexpectedEOF)
}

// text reads a track of timed text.
func (x extraction) text(ctx context.Context, index int) ([]caption.Cue, error) {
	var all []caption.MovTextSample
	size := 0
	err := x.stream(ctx, index, func(t *fragment.Track, s fragment.Sample) error {
		if t.Coding != fragment.TimedText {
			return fmt.Errorf("%w: %s in a track of captions", fragment.ErrMalformed, t.Coding)
		}
		if s.PTS+s.Duration <= 0 && len(s.Data) <= 2 {
			return nil // what fills the time before the first
		}
		if size += len(s.Data); size > caption.MaxSize || len(all) > 2*caption.MaxCues {
			return &caption.SyntaxError{Format: caption.MovText, Problem: fmt.Sprintf("more than %d captions or %d bytes", caption.MaxCues, caption.MaxSize)}
		}
		all = append(all, caption.MovTextSample{Start: max(ticks(s.PTS, t), 0), End: ticks(s.PTS+s.Duration, t), Data: slices.Clone(s.Data)})
		return nil
	})
	if notOurs(err) {
		return nil, &caption.SyntaxError{Format: caption.MovText, Problem: "the track can't be taken out of the input"}
	}
	if err != nil {
		return nil, err
	}
	return caption.DecodeMovText(all)
}

// ticks is a time of a track, to the microsecond.
func ticks(n int64, t *fragment.Track) time.Duration {
	r := new(big.Rat).SetFrac64(n, int64(t.Timescale))
	f, _ := r.Mul(r, big.NewRat(int64(time.Second), 1)).Float64()
	return time.Duration(f).Round(time.Microsecond)
}

// notOurs says whether an error is about what ffmpeg made of the stream, and not
// about how the input was read or about its captions.
func notOurs(err error) bool {
	var exit *ffmpeg.ExitError
	return errors.As(err, &exit) && exit.Signal == 0 || errors.Is(err, fragment.ErrMalformed) || errors.Is(err, fragment.ErrTooLarge) ||
		errors.Is(err, loopback.ErrCut) || errors.Is(err, loopback.ErrNothingReceived)
}
