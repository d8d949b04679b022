package probe

import (
	"math"
	"math/big"
	"strings"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/rational"
)

// Report is what a file holds. Video or Audio is nil when it has no such
// stream, never both.
type Report struct {
	Format  string // libavformat's name of the container, such as "mov,mp4,m4a,3gp,3g2,mj2"
	Streams []Stream
	Video   *Video
	Audio   *Audio
	// Start is the input's time zero, in seconds: when the first of the
	// chosen streams begins. It may be negative.
	Start rational.Rational
	// Duration is from Start to the end of the stream that ends last.
	Duration time.Duration
}

// Stream is one stream as the container describes it. What it does not say is
// zero.
type Stream struct {
	Index           int
	Kind            string // "video", "audio", "subtitle", "data" or "attachment"
	Codec           string // libavcodec's name; empty if it knows none
	TimeBase        rational.Rational
	NominalRate     rational.Rational // r_frame_rate: a guess of the lowest rate that has a place for each frame
	AverageRate     rational.Rational
	Width, Height   int               // pixels, as coded
	SAR             rational.Rational // of a pixel; zero: unknown, to be taken as 1:1
	Rotation        int               // degrees to turn the picture clockwise to show it: 0 to 359
	PixelFormat     string
	Range           string // "tv" or "pc"; this and the next three are empty or "unknown" if it is not said
	Matrix          string // how the colours become RGB, such as "bt709"
	Transfer        string // how RGB becomes light
	Primaries       string // what its red, green and blue are
	FieldOrder      string // "progressive", "tt", "bb", "tb", "bt" or empty
	SampleRate      int    // Hz
	Channels        int
	BitRate         int64 // bits a second
	Language        string
	Default         bool // marked as the one to play
	AttachedPicture bool // a still beside the sound, such as an album's cover

	start   int64 // when its first packet is to be presented, or noTime
	reorder int   // frames that a decoder holds back to put them in order
}

// TimeSource is where presentation times come from.
type TimeSource string

// The presentation times of a video stream, best first.
const (
	FromPTS   TimeSource = "pts"   // the packets have them
	FromDTS   TimeSource = "dts"   // some or all packets have decoding times only (MPEG-PS, AVI): right but for a constant delay
	FromIndex TimeSource = "index" // there are no times (a bare elementary stream): frames are counted
)

// Video is the video stream to use: the first marked as default, else the
// first, attached pictures aside. Times are in units of TimeBase.
type Video struct {
	Stream
	// PTS holds when each frame is shown, ascending. Frames that an edit
	// list hides, and those that come before the first keyframe, which
	// cannot be decoded, are left out. (Of a recording that begins with an
	// open GOP, the two or three frames shown before its keyframe are kept
	// although a decoder may drop them.)
	PTS []int64
	// End is when the last frame ends.
	End int64
	// Keyframes holds the presentation times of frames at which decoding
	// can begin, ascending. The first may lie before PTS[0], where an edit
	// list begins between keyframes. Without keyframes it is empty.
	Keyframes []int64
	Source    TimeSource
	// Constant says that the frames are 1/Rate apart, as exactly as the
	// time base can say it.
	Constant bool
	// Rate is frames a second. If they are not constant, it is a common
	// rate that has a place for nearly every frame.
	Rate rational.Rational
	// Indexed says that a seek by time lands on a keyframe at or before
	// its target: a container with an index, and times to rely on.
	Indexed bool
	// Jumps counts the places where the clock of the stream was set anew,
	// as in transport streams joined end to end. PTS runs on over them, as
	// ffmpeg has it; a seek by time cannot be trusted.
	Jumps int
}

// Audio is the audio stream to use, chosen like the video stream. First is
// when its sound begins, after what the codec needs to warm up, and End when
// its last packet ends, in units of TimeBase.
type Audio struct {
	Stream
	First, End int64
	Packets    int
}

// Start is the first frame's time in seconds.
func (v *Video) Start() rational.Rational { return seconds(v.PTS[0], v.TimeBase) }

// Start is the time in seconds when the sound begins.
func (a *Audio) Start() rational.Rational { return seconds(a.First, a.TimeBase) }

// Stop is the time in seconds when the sound ends.
func (a *Audio) Stop() rational.Rational { return seconds(a.End, a.TimeBase) }

// noTime stands for a time that is not known.
const noTime = math.MinInt64

// longest is the largest time in seconds that is believed: ten years either
// way. With a time base of two 32-bit integers, every time within it is an
// exact rational.Rational.
const longest = 10 * 365 * 86400

// sane says whether a time can be worked with.
func sane(t int64, base rational.Rational) bool {
	return math.Abs(float64(t)*base.Float64()) <= longest
}

// seconds is a time in seconds.
func seconds(t int64, base rational.Rational) rational.Rational {
	n := new(big.Rat).SetFrac64(base.Num, base.Den)
	n.Mul(n, new(big.Rat).SetInt64(t))
	return rational.New(n.Num().Int64(), n.Denom().Int64())
}

// between is b-a rounded to nanoseconds. Unlike the exact difference of two
// rationals it always fits.
func between(a, b rational.Rational) time.Duration {
	d := new(big.Rat).Sub(new(big.Rat).SetFrac64(b.Num, b.Den), new(big.Rat).SetFrac64(a.Num, a.Den))
	d.Mul(d, big.NewRat(int64(time.Second), 1))
	f, _ := d.Float64()
	return time.Duration(math.Round(f))
}

// The lowest sample rate is below that of any recording, in Hz: at less, a few bytes
// make hours of sound. The highest is the most that converters have: to come down
// from more takes filters of gigabytes.
const (
	lowestSampleRate  = 1000
	highestSampleRate = 1_536_000
)

// choose picks the streams to use.
func (r *Report) choose(maxPixels int) error {
	if s := r.pick("video"); s != nil {
		r.Video = &Video{Stream: *s}
	}
	if s := r.pick("audio"); s != nil {
		r.Audio = &Audio{Stream: *s}
	}
	v := r.Video
	switch {
	case r.Audio != nil && r.Audio.SampleRate > 0 && (r.Audio.SampleRate < lowestSampleRate || r.Audio.SampleRate > highestSampleRate):
		return job.Fail(job.CodeBadInput, "the input's sound has %d samples a second, from %d to %d are taken; the file may be damaged", r.Audio.SampleRate, lowestSampleRate, highestSampleRate)
	case v == nil && r.Audio == nil:
		return job.Fail(job.CodeBadInput, "the input holds neither video nor audio that can be decoded")
	case v == nil:
		return nil
	case v.Width <= 0 || v.Height <= 0:
		return job.Fail(job.CodeBadInput, "the input's video does not say how large its picture is; the file may be damaged")
	case v.Width > maxPixels/v.Height:
		return job.Fail(job.CodeInputDimensions, "the input's picture has %d x %d pixels; at most %d in all are taken", v.Width, v.Height, maxPixels)
	}
	return nil
}

// pick returns the stream of a kind to use, or nil. One that can be decoded
// comes before one that cannot, which is no use.
func (r *Report) pick(kind string) *Stream {
	var picked *Stream
	for i := range r.Streams {
		s := &r.Streams[i]
		if s.Kind != kind || s.AttachedPicture || s.Codec == "" || s.TimeBase.Sign() <= 0 {
			continue
		}
		if picked == nil || s.Default && !picked.Default {
			picked = s
		}
	}
	return picked
}

// fill completes the report with what the packets say.
func (r *Report) fill(s *scan, maxDuration time.Duration) error {
	begin, end := []rational.Rational{}, []rational.Rational{}
	if v := r.Video; v != nil {
		if err := s.video.picture(v); err != nil {
			return err
		}
		v.Indexed = v.Source == FromPTS && v.Jumps == 0 && indexed(r.Format)
		begin, end = append(begin, v.Start()), append(end, seconds(v.End, v.TimeBase))
	}
	if a := r.Audio; a != nil {
		if !s.audio.sound(a) {
			r.Audio = nil // a stream in name only
		} else {
			begin, end = append(begin, a.Start()), append(end, a.Stop())
		}
	}
	if len(begin) == 0 {
		return job.Fail(job.CodeBadInput, "the input holds no sound and no picture; the file may be cut short")
	}
	r.Start = begin[0]
	last := end[0]
	for i := range begin {
		r.Start, last = r.Start.Min(begin[i]), last.Max(end[i])
	}
	r.Duration = between(r.Start, last)
	if r.Duration > maxDuration {
		return job.Fail(job.CodeInputTooLarge, "the input lasts %v by its timestamps; at most %v are taken", r.Duration.Round(time.Second), maxDuration)
	}
	return nil
}

// indexed says whether a container format has an index of its keyframes.
func indexed(format string) bool {
	return strings.HasPrefix(format, "mov,") || strings.HasPrefix(format, "matroska,")
}
