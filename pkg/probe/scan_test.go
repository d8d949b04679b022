package probe

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/rational"
)

// reportOf makes the report of packets printed for one video stream (0) and
// one audio stream (1), written in steps of the given size.
func reportOf(lines string, base rational.Rational, format string, step int) (*Report, error) {
	r := &Report{Format: format}
	r.Video = &Video{Stream: Stream{Index: 0, TimeBase: base, start: noTime}}
	r.Audio = &Audio{Stream: Stream{Index: 1, TimeBase: rational.New(1, 48000), start: noTime}}
	s := newScan(r, 1000)
	for rest := lines; rest != ""; {
		n, err := s.Write([]byte(rest[:min(step, len(rest))]))
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	return r, r.fill(s, DefaultMaxDuration)
}

func TestScan(t *testing.T) {
	const mov, ts = "mov,mp4", "mpegts"
	thousandth := rational.New(1, 1000)
	for name, c := range map[string]struct {
		format, lines string
		pts, keys     []int64
		end           int64
		source        TimeSource
		jumps         int
	}{
		"in order":            {mov, "0,0,0,40,K_\n0,40,40,40,__\n", []int64{0, 40}, []int64{0}, 80, FromPTS, 0},
		"no newline at last":  {mov, "0,0,0,40,K_\n0,40,40,40,__", []int64{0, 40}, []int64{0}, 80, FromPTS, 0},
		"side data":           {mov, "0,0,0,40,K_,\n\n0,40,40,40,__,side,data\r\n\n", []int64{0, 40}, []int64{0}, 80, FromPTS, 0},
		"reordered":           {mov, "0,0,-80,40,K_\n0,120,-40,40,__\n0,40,0,40,__\n0,80,40,40,__\n", []int64{0, 40, 80, 120}, []int64{0}, 160, FromPTS, 0},
		"negative":            {mov, "0,-2000,-2040,40,K_\n0,-1960,-2000,40,__\n", []int64{-2000, -1960}, []int64{-2000}, -1920, FromPTS, 0},
		"other streams":       {mov, "7,1,1,1,K_\n0,0,0,40,K_\n1,0,0,1024,K_\n12,3,3,3,K_\n", []int64{0}, []int64{0}, 40, FromPTS, 0},
		"last frame is long":  {mov, "0,0,0,40,K_\n0,40,40,500,__\n", []int64{0, 40}, []int64{0}, 540, FromPTS, 0},
		"no durations":        {mov, "0,0,0,N/A,K_\n0,40,40,N/A,__\n0,80,80,N/A,__\n", []int64{0, 40, 80}, []int64{0}, 120, FromPTS, 0},
		"hidden":              {mov, "0,-80,-80,40,KD\n0,-40,-40,40,_D\n0,0,0,40,__\n", []int64{0}, []int64{-80}, 40, FromPTS, 0},
		"before the keyframe": {ts, "0,0,0,40,__\n0,40,40,40,K_\n0,80,80,40,__\n", []int64{40, 80}, []int64{40}, 120, FromPTS, 0},
		"no keyframe":         {ts, "0,0,0,40,__\n0,40,40,40,__\n", []int64{0, 40}, nil, 80, FromPTS, 0},
		"decoding times":      {ts, "0,80,40,40,K_\n0,N/A,80,40,__\n0,N/A,120,40,K_\n", []int64{80, 120, 160}, []int64{80, 160}, 200, FromDTS, 0},
		"no times":            {ts, "0,N/A,N/A,40,K_\n0,N/A,N/A,40,__\n0,N/A,N/A,40,__\n", []int64{0, 40, 80}, []int64{0}, 120, FromIndex, 0},
		"clock set back":      {ts, "0,9000,9000,40,K_\n0,9040,9040,40,__\n0,100,100,40,K_\n0,140,140,40,__\n", []int64{9000, 9040, 9080, 9120}, []int64{9000, 9080}, 9160, FromPTS, 1},
		"clock set ahead":     {ts, "0,0,0,40,K_\n0,40,40,40,__\n0,20000,20000,40,K_\n", []int64{0, 40, 80}, []int64{0, 80}, 120, FromPTS, 1},
		"a pause":             {mov, "0,0,0,40,K_\n0,40,40,40,__\n0,20000,20000,40,K_\n", []int64{0, 40, 20000}, []int64{0, 20000}, 20040, FromPTS, 0},
		"a pause in ts":       {ts, "0,0,0,40,K_\n0,9000,9000,40,__\n", []int64{0, 9000}, []int64{0}, 9040, FromPTS, 0},
		"slightly disordered": {ts, "0,0,0,40,K_\n0,40,40,40,__\n0,90,30,40,__\n", []int64{0, 40, 90}, []int64{0}, 130, FromPTS, 0},
		"absurd times": {mov, fmt.Sprintf("0,%d,0,40,K_\n0,%d,40,40,__\n0,99999999999999999999999,80,40,__\n", math.MaxInt64, math.MinInt64),
			[]int64{0, 40, 80}, []int64{0}, 120, FromDTS, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, step := range []int{1, 2, 7, 1 << 20} {
				r, err := reportOf(c.lines, thousandth, c.format, step)
				if err != nil {
					t.Fatal(err)
				}
				v := r.Video
				if !slices.Equal(v.PTS, c.pts) || !slices.Equal(v.Keyframes, c.keys) || v.End != c.end || v.Source != c.source || v.Jumps != c.jumps {
					t.Errorf("got %v, keyframes %v, end %d, %s, %d jumps", v.PTS, v.Keyframes, v.End, v.Source, v.Jumps)
				}
				if want := v.Source == FromPTS && v.Jumps == 0 && c.format == mov; v.Indexed != want {
					t.Errorf("indexed %v", v.Indexed)
				}
			}
		})
	}
}

func TestScanOfSound(t *testing.T) {
	thousandth := rational.New(1, 1000)
	r, err := reportOf("0,0,0,40,K_\n1,-1024,-1024,1024,K_\n1,0,0,1024,K_\n1,1024,1024,512,K_\n", thousandth, "mov,mp4", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	a := r.Audio
	if a.First != -1024 || a.End != 1536 || a.Packets != 3 || !r.Start.Equal(rational.New(-1024, 48000)) {
		t.Errorf("got %+v, start %v", a, r.Start)
	}
	if want := between(rational.New(-1024, 48000), rational.New(40, 1000)); r.Duration != want {
		t.Errorf("duration %v, want %v", r.Duration, want)
	}
	r, err = reportOf("0,0,0,40,K_\n", thousandth, "mov,mp4", 1<<20)
	if err != nil || r.Audio != nil {
		t.Errorf("sound without a packet: %v, %v", r.Audio, err)
	}
	f := (*job.Failure)(nil)
	if _, err = reportOf("1,0,0,1024,K_\n", thousandth, "mov,mp4", 1<<20); !errors.As(err, &f) || f.Code != job.CodeBadInput {
		t.Errorf("a picture without a packet: %v", err)
	}
}

func TestScanRefusesWhatIsNoPacket(t *testing.T) {
	for _, lines := range []string{
		"hello\n", "0\n", "0,1,2\n", "x,0,0,40,K_\n", "-1,0,0,40,K_\n", "N/A,0,0,40,K_\n",
		strings.Repeat("0", longestLine+1), strings.Repeat("0", longestLine) + ",0,0,0,K_\n",
	} {
		if _, err := reportOf(lines, rational.New(1, 1000), "mov,mp4", 512); err == nil {
			t.Errorf("%.40q was taken", lines)
		}
	}
}

// TestFrameOfAnAge: ffmpeg would fill the time that the last frame claims.
func TestFrameOfAnAge(t *testing.T) {
	for _, length := range []int64{86_400_001, math.MaxInt64} {
		f := (*job.Failure)(nil)
		_, err := reportOf(fmt.Sprintf("0,0,0,40,K_\n0,40,40,%d,__\n", length), rational.New(1, 1000), "matroska,webm", 512)
		if !errors.As(err, &f) || f.Code != job.CodeInputTooLarge {
			t.Errorf("a frame of %d ms: %v", length, err)
		}
	}
	if _, err := reportOf("0,0,0,80000000,K_\n", rational.New(1, 1000), "matroska,webm", 512); err != nil {
		t.Errorf("a frame of less than a day: %v", err)
	}
}

// TestSampleRates: a few bytes make neither hours of sound nor filters of gigabytes.
func TestSampleRates(t *testing.T) {
	for rate, ok := range map[int]bool{1: false, 999: false, 1000: true, 8000: true, 768000: true, 1_536_001: false, 100_000_000: false, 0: true} {
		r := &Report{Streams: []Stream{{Kind: "audio", Codec: "pcm_s16le", TimeBase: rational.New(1, 1000), SampleRate: rate}}}
		f := (*job.Failure)(nil)
		if err := r.choose(DefaultMaxPixels); (err == nil) != ok || err != nil && (!errors.As(err, &f) || f.Code != job.CodeBadInput) {
			t.Errorf("%d Hz: %v", rate, err)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add("0,0,0,40,K_\n0,40,40,40,__\n1,0,0,1024,K_\n", int64(1), int64(1000), true)
	f.Add("0,N/A,0,40,K_\n0,9,-40,40,_D\n", int64(1001), int64(30000), false)
	f.Add("0,9223372036854775807,-9223372036854775808,9223372036854775807,KD\n", int64(1), int64(math.MaxInt32), true)
	f.Add("0,300000000000,0,300000000000,K_\n0,0,-300000000000,1,K_\n0,0,300000000000,1,K_\n", int64(1), int64(1000), true)
	f.Add("0,,,,\n0,,,,DK", int64(1), int64(1098), true) // nothing visible after the keyframe: once a panic
	f.Fuzz(func(t *testing.T, lines string, num, den int64, jumpy bool) {
		if num <= 0 || den <= 0 || num > math.MaxInt32 || den > math.MaxInt32 {
			return
		}
		format := "mov,mp4"
		if jumpy {
			format = "mpegts"
		}
		r, err := reportOf(lines, rational.New(num, den), format, 1<<20)
		if err != nil {
			return
		}
		v := r.Video
		if len(v.PTS) == 0 || !slices.IsSorted(v.PTS) || v.End <= v.PTS[len(v.PTS)-1] || v.Rate.Sign() <= 0 {
			t.Errorf("got %+v", v)
		}
		if r.Duration < 0 || r.Duration > DefaultMaxDuration || v.Start().Less(r.Start) {
			t.Errorf("start %v, duration %v", r.Start, r.Duration)
		}
	})
}

func TestFrameRate(t *testing.T) {
	milli, ntsc := rational.New(1, 1000), rational.New(30000, 1001)
	grid := func(n int, rate, base rational.Rational) (times []int64) {
		step := ticks(rate, base)
		for i := range n {
			times = append(times, 7+step.Round(int64(i)))
		}
		return times
	}
	without := func(times []int64, which ...int) []int64 {
		for _, i := range slices.Backward(which) {
			times = slices.Delete(times, i, i+1)
		}
		return times
	}
	nanos := rational.New(1, 1_000_000_000)
	absurd := rational.Int(90000)
	for name, c := range map[string]struct {
		times    []int64
		base     rational.Rational
		claims   []rational.Rational
		rate     rational.Rational
		constant bool
	}{
		"a day of 29.97 in ms":   {grid(2_000_000, ntsc, milli), milli, nil, ntsc, true},
		"29.97 is not 30":        {grid(1000, rational.Int(30), milli), milli, []rational.Rational{ntsc}, rational.Int(30), true},
		"claim fits":             {grid(100, rational.New(1234, 100), nanos), nanos, []rational.Rational{rational.New(1234, 100)}, rational.New(617, 50), true},
		"absurd claim":           {grid(100, rational.Int(25), milli), milli, []rational.Rational{absurd, absurd}, rational.Int(25), true},
		"no claim, one frame":    {[]int64{5}, milli, nil, rational.Int(25), true},
		"one frame of 40 ms":     {[]int64{5}, milli, []rational.Rational{absurd}, rational.Int(25), true},
		"one frame, a claim":     {[]int64{5}, milli, []rational.Rational{absurd, ntsc}, ntsc, true},
		"one frame of an age":    {[]int64{5}, milli, []rational.Rational{rational.New(12800, math.MaxInt32)}, rational.Int(25), true},
		"frame lost":             {without(grid(100, rational.Int(25), milli), 50), milli, []rational.Rational{rational.Int(25)}, rational.Int(25), false},
		"frame lost, coarse":     {without(grid(100, rational.Int(25), rational.New(1, 25)), 98), rational.New(1, 25), nil, rational.Int(25), false},
		"frame lost, half frame": {without(grid(100, rational.Int(25), rational.New(1, 50)), 98), rational.New(1, 50), nil, rational.Int(25), false},
		"same time throughout":   {make([]int64, 10), milli, nil, rational.Int(120), false},
		"a burst of three":       {append([]int64{0, 1, 2}, grid(100, rational.Int(25), rational.New(1, 90000))[1:]...), rational.New(1, 90000), nil, rational.Int(25), false},
		"film with pulldown":     {[]int64{0, 3003, 7508, 10511, 15015, 18018, 22523, 25526, 30030}, rational.New(1, 90000), nil, rational.New(24000, 1001), false},
		"too fast to believe":    {[]int64{0, 1, 2, 3, 5}, milli, nil, rational.Int(120), false},
		"slow":                   {[]int64{0, 3000, 6000, 12000}, milli, nil, rational.New(333, 1000), false},
		"very slow":              {[]int64{0, 9_000_000, 20_000_000}, milli, nil, rational.New(1, 1000), false},
	} {
		t.Run(name, func(t *testing.T) {
			rate, constant := frameRate(c.times, c.base, 0, c.claims...)
			if !rate.Equal(c.rate) || constant != c.constant {
				t.Errorf("%v, constant %v; want %v, %v", rate, constant, c.rate, c.constant)
			}
		})
	}
	if rate, _ := frameRate([]int64{5}, milli, 20); !rate.Equal(rational.Int(50)) {
		t.Errorf("one frame of 20 ms: %v", rate)
	}
	if rate, _ := frameRate([]int64{5}, milli, 2000, rational.New(1, 900)); !rate.Equal(rational.New(1, 2)) {
		t.Errorf("one frame of 2 s that a container says to fill 15 minutes: %v", rate)
	}
}

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		a, b rational.Rational
		want time.Duration
	}{
		{rational.Int(-1), rational.Int(2), 3 * time.Second},
		{rational.New(1, 3), rational.New(2, 3), 333333333},
		{rational.New(-1, math.MaxInt32), rational.New(longest*(math.MaxInt32-2)+1, math.MaxInt32-2), longest * time.Second},
	} {
		if got := between(c.a, c.b); (got - c.want).Abs() > time.Millisecond {
			t.Errorf("between(%v, %v) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func FuzzDocument(f *testing.F) {
	f.Add(`{"streams":[{"index":0,"codec_type":"video","codec_name":"h264","width":2,"height":2,"time_base":"1/1","start_pts":-1,
		"r_frame_rate":"0/0","disposition":{"default":1},"side_data_list":[{"rotation":-90}]}],"format":{"format_name":"mov"}}`)
	f.Add(`{"streams":[{"width":-1,"sample_aspect_ratio":"9223372036854775807:-1","time_base":"0/1","side_data_list":[{"rotation":1e300}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		d := new(document)
		d.WriteString(text)
		r, err := d.report()
		if err != nil {
			return
		}
		for _, s := range r.Streams {
			if s.Rotation < 0 || s.Rotation >= 360 {
				t.Errorf("rotation %d", s.Rotation)
			}
		}
		_ = r.choose(DefaultMaxPixels)
	})
}
