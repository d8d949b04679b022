package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

const second = time.Second

// reel is a source of frames of a rate, with sound that lasts as long as told.
func reel(rate rational.Rational, frames int, sound time.Duration) Source {
	s := Source{Picture: &SourcePicture{Width: 1280, Height: 720, Rate: rate, Timeline: constant(rate, rational.New(1, 90000), frames, 0, 48, true)}}
	if sound > 0 {
		s.Sound = &SourceSound{Stream: 1, SampleRate: 48000, Channels: 2, Ends: sound}
	}
	return s
}

func stitch(t *testing.T, scenes []Scene, wishes ...Wish) *Plan {
	t.Helper()
	p, err := Stitch(scenes, wishes, Options{ChunkSeconds: 4})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func code(err error) job.Code {
	var f *job.Failure
	if !errors.As(err, &f) {
		return 0
	}
	return f.Code
}

// TestClips: which places of its own grid a clip shows of a file of 250 frames
// and ten seconds of sound.
func TestClips(t *testing.T) {
	for _, c := range []struct {
		name            string
		rate            rational.Rational
		sound           time.Duration
		start, duration time.Duration
		from, frames    int64
		lasts           time.Duration // 0: to the end
		short           bool
		code            job.Code
	}{
		{"all", rational.Int(25), 10 * second, 0, 0, 0, 250, 0, false, 0},
		{"in the middle", rational.Int(25), 10 * second, 2 * second, 3 * second, 50, 75, 3 * second, false, 0},
		{"between frames, the nearest", rational.Int(25), 10 * second, 2019 * time.Millisecond, 3022 * time.Millisecond, 50, 76, 3040 * time.Millisecond, false, 0},
		{"less than a frame", rational.Int(25), 10 * second, 2 * second, time.Millisecond, 50, 1, 40 * time.Millisecond, false, 0},
		{"to the end", rational.Int(25), 10 * second, 4 * second, 0, 100, 150, 0, false, 0},
		{"exactly to the end", rational.Int(25), 10 * second, 4 * second, 6 * second, 100, 150, 6 * second, false, 0},
		{"a millisecond too long is rounding", rational.Int(25), 10 * second, 4 * second, 6001 * time.Millisecond, 100, 150, 6 * second, false, 0},
		{"too long", rational.Int(25), 10 * second, 4 * second, 7 * second, 100, 150, 0, true, 0},
		{"within the last frame", rational.Int(25), 10 * second, 9999 * time.Millisecond, 0, 249, 1, 0, false, 0},
		{"at the end", rational.Int(25), 10 * second, 10 * second, 0, 0, 0, 0, false, job.CodeClipBeyondEnd},
		{"after the end", rational.Int(25), 10 * second, time.Hour, second, 0, 0, 0, false, job.CodeClipBeyondEnd},
		{"after the picture, in the sound", rational.Int(25), 20 * second, 15 * second, 2 * second, 375, 50, 2 * second, false, 0},
		{"ntsc", rational.New(30000, 1001), 8 * second, 2 * second, 3 * second, 60, 90, 3003 * time.Millisecond, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := reel(c.rate, 250, c.sound)
			p, err := Stitch([]Scene{{Source: src, Span: Span{c.start, c.duration}}}, []Wish{wish(t, "1", "200010", "2")}, Options{ChunkSeconds: 4})
			if c.code != 0 {
				if code(err) != c.code {
					t.Errorf("%v, want %d", err, c.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g, take := p.Groups[0], p.Programmes[0][0]
			if g.Frames != c.frames || take.Lasts != c.lasts {
				t.Errorf("%d frames, lasts %v; want %d, %v", g.Frames, take.Lasts, c.frames, c.lasts)
			}
			first, last := g.Chunks[0].Reads[0], g.Chunks[len(g.Chunks)-1].Reads[0]
			if first.From != c.from || last.To != c.from+c.frames || !last.Hold {
				t.Errorf("reads %+v to %+v, want %d on", first, last, c.from)
			}
			if got := p.Outputs[0].Warning != ""; got != c.short {
				t.Errorf("warning %q", p.Outputs[0].Warning)
			}
			if sought := !first.FromStart; sought != (c.from > 0) {
				t.Errorf("sought: %v", sought)
			}
		})
	}
}

// TestJoinsMeanTheSameTimeOnEveryGrid: however many takes come before, each
// begins at the place nearest to its time on every grid, and at the same sample.
func TestJoinsMeanTheSameTimeOnEveryGrid(t *testing.T) {
	rates := []rational.Rational{rational.New(30000, 1001), rational.Int(25), rational.New(24000, 1001), rational.Int(60)}
	var scenes []Scene
	exact := rational.Int(0)
	var begins []float64
	for i := range 200 {
		rate, frames := rates[i%len(rates)], 7+i*13%90
		scenes = append(scenes, Scene{Input: i, Source: reel(rate, frames, time.Duration(float64(frames)/rate.Float64()*float64(second)))})
		begins = append(begins, exact.Float64())
		exact = exact.Add(rate.Inv().Mul(rational.Int(int64(frames))))
	}
	auto := wish(t, "1", "200010", "2") // as the first input
	film := wish(t, "2", "000010", "")  // 29.97
	p := stitch(t, scenes, auto, film)
	if len(p.Programmes) != 1 || len(p.Programmes[0]) != 200 {
		t.Fatalf("%d programmes", len(p.Programmes))
	}
	for i, take := range p.Programmes[0] {
		if d := take.Begins.Seconds() - begins[i]; d < -1e-6 || d > 1e-6 {
			t.Fatalf("take %d begins at %v, want %v", i, take.Begins, begins[i])
		}
	}
	for _, g := range p.Groups {
		if seconds := float64(g.Frames) / g.Rate.Float64(); seconds < exact.Float64()-0.03 || seconds > exact.Float64()+0.03 {
			t.Errorf("%v: %v s, want %v", g.Rate, seconds, exact.Float64())
		}
		if err := whole(g); err != nil {
			t.Error(err)
		}
		for i, c := range g.Chunks {
			if len(c.Reads) > mostReads+1 {
				t.Errorf("chunk %d reads %d takes", i, len(c.Reads))
			}
		}
	}
}

// whole complains unless the reads of a group's chunks are all its frames, from
// each chunk's lead-in on.
func whole(g Group) error {
	next := int64(0)
	shown := map[int]int64{} // by take: the place after the last
	for i, c := range g.Chunks {
		if c.First != next {
			return fmt.Errorf("chunk %d begins at %d, not %d", i, c.First, next)
		}
		next = c.End
		n := int64(0)
		for j, r := range c.Reads {
			if r.To <= r.From || j > 0 && r.Take <= c.Reads[j-1].Take {
				return fmt.Errorf("chunk %d reads %+v", i, c.Reads)
			}
			if j > 0 && r.From != 0 || j < len(c.Reads)-1 && !r.Hold {
				return fmt.Errorf("chunk %d reads a part of take %d: %+v", i, r.Take, r)
			}
			if was, again := shown[r.Take]; again && r.From > was {
				return fmt.Errorf("chunk %d leaves out what is between %d and %d of take %d", i, was, r.From, r.Take)
			}
			shown[r.Take] = r.To
			n += r.To - r.From
		}
		if n != c.End-c.Lead {
			return fmt.Errorf("chunk %d reads %d frames, needs %d", i, n, c.End-c.Lead)
		}
	}
	if next != g.Frames {
		return fmt.Errorf("chunks end at %d of %d", next, g.Frames)
	}
	return nil
}

func TestInputsThatDontFit(t *testing.T) {
	both, mute := reel(rational.Int(25), 100, 4*second), reel(rational.Int(25), 100, 0)
	blind := Source{Sound: both.Sound}
	upright := both
	turned := *both.Picture
	turned.Width, turned.Height = 720, 1280
	upright.Picture = &turned
	wide := wish(t, "1", "200010", "2")
	padded := wish(t, "2", "100170", "")
	padded.Preset = &preset.Preset{Container: "mp4", Video: &preset.Video{Codec: "H.264", FrameRate: "auto", KeyframesMaxDist: "50", MaxWidth: "640", MaxHeight: "360", PaddingPolicy: "Pad", SizingPolicy: "Fit"}}
	listen := wish(t, "3", "100120", "")
	for _, c := range []struct {
		name   string
		second Source
		wish   Wish
		want   job.Code // of the job
		output job.Code
	}{
		{"alike", both, wide, 0, 0},
		{"without sound", mute, wide, job.CodeInputsAudio, 0},
		{"without a picture", blind, wide, job.CodeInputsVideo, 0},
		{"without a picture that nobody wants", blind, listen, 0, 0},
		{"another shape", upright, wide, 0, job.CodeInputsResolution},
		{"another shape, padded", upright, padded, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Stitch([]Scene{{Source: both}, {Input: 1, Source: c.second}}, []Wish{c.wish}, Options{ChunkSeconds: 4})
			if code(err) != c.want || c.want != 0 {
				if code(err) != c.want {
					t.Errorf("%v, want %d", err, c.want)
				}
				return
			}
			var got job.Code
			if f := p.Outputs[0].Failure; f != nil {
				got = f.Code
			}
			if got != c.output {
				t.Errorf("the output's failure is %+v, want %d", p.Outputs[0].Failure, c.output)
			}
		})
	}
	p := stitch(t, []Scene{{Source: both}, {Input: 1, Source: upright}}, padded)
	o := p.Outputs[0].Picture
	if g := o.Of(1); o.Of(0) == g || g.Width() != 640 || g.Height() != 360 || g.ScaleH != 360 {
		t.Errorf("the second input comes as %+v", g)
	}
}

// TestOutputsWithClipsOfTheirOwn have programmes of their own, shared by those of
// one clip; a clip that can't be made fails its output alone.
func TestOutputsWithClipsOfTheirOwn(t *testing.T) {
	clip := func(id string, s Span) Wish {
		w := wish(t, id, "200010", "2")
		w.Clip = s
		return w
	}
	p := stitch(t, []Scene{{Source: reel(rational.Int(25), 250, 10*second)}},
		wish(t, "1", "200010", "2"), clip("2", Span{second, 2 * second}), clip("3", Span{second, 2 * second}), clip("4", Span{3 * second, 0}), clip("5", Span{time.Minute, 0}), clip("6", Span{8 * second, 5 * second}))
	if len(p.Programmes) != 4 || len(p.Sounds) != 4 {
		t.Errorf("%d programmes, sounds %v", len(p.Programmes), p.Sounds)
	}
	var frames []int64
	for _, o := range p.Outputs {
		switch {
		case o.Failure != nil:
			frames = append(frames, -int64(o.Failure.Code))
		default:
			frames = append(frames, p.Groups[o.Group].Frames)
			if p.Groups[o.Group].Programme != p.Sounds[o.Sound].Programme {
				t.Errorf("output %s has the sound of another programme", o.ID)
			}
		}
	}
	if want := []int64{250, 50, 50, 175, -4014, 50}; !reflect.DeepEqual(frames, want) {
		t.Errorf("frames %v, want %v", frames, want)
	}
	if p.Outputs[5].Warning == "" || p.Outputs[3].Warning != "" {
		t.Errorf("warnings %q, %q", p.Outputs[5].Warning, p.Outputs[3].Warning)
	}
}

// TestSoundOfTakes: where a take's sound is looked for, and that of which there is
// none.
func TestSoundOfTakes(t *testing.T) {
	src := reel(rational.Int(25), 2500, 60*second)
	p := stitch(t, []Scene{
		{Source: src, Span: Span{0, 5 * second}}, {Source: src, Span: Span{30 * second, 5 * second}}, {Source: src, Span: Span{time.Second, second}}, {Source: src, Span: Span{70 * second, 0}},
	}, wish(t, "1", "200010", "2"))
	var seeks []string
	for _, take := range p.Programmes[0] {
		switch a := take.Audio; {
		case a.Silent:
			seeks = append(seeks, "silent")
		case a.Seek == nil:
			seeks = append(seeks, "start")
		default:
			seeks = append(seeks, a.Seek.String())
		}
	}
	if want := []string{"start", "28s", "start", "silent"}; !reflect.DeepEqual(seeks, want) {
		t.Errorf("%v, want %v", seeks, want)
	}
	unite := src
	unite.Reset = true
	p = stitch(t, []Scene{{Source: src, Span: Span{50 * second, second}}, {Input: 1, Source: unite}}, wish(t, "1", "200010", "2"))
	for i, take := range p.Programmes[0] {
		if !take.Video.Reset || !take.Audio.Reset || take.Audio.Seek != nil {
			t.Errorf("take %d relies on times: %+v, %+v", i, take.Video, take.Audio)
		}
	}
	for _, c := range p.Groups[0].Chunks {
		if !c.FromStart() {
			t.Errorf("%+v seeks", c)
		}
	}
}

// TestSoundThatGoesOn: between takes the sound's last packet is cut off, and what
// is more is heard over the last picture.
func TestSoundThatGoesOn(t *testing.T) {
	for sound, want := range map[time.Duration]time.Duration{
		4 * second: 4 * second, 4021 * time.Millisecond: 4 * second, 3 * second: 4 * second, 5 * second: 5 * second, 4990 * time.Millisecond: 5 * second,
	} {
		src := reel(rational.Int(25), 100, sound)
		p := stitch(t, []Scene{{Source: src}, {Source: src}}, wish(t, "1", "200010", "2"))
		if got := p.Programmes[0][1].Begins; got != want {
			t.Errorf("sound of %v: the second begins at %v, want %v", sound, got, want)
		}
	}
}

func TestPlansOfVersion1(t *testing.T) {
	const old = `{"version":1,"job":"j","input":{"bucket":"b","key":"k","versionId":"v","eTag":"e","size":7},"keys":{"context":{},"work":{}},
		"detected":{"Width":320},"video":{"stream":1,"timeBase":"1/25","start":3},"audio":{"stream":2,"start":"0","begins":5},
		"groups":[{"picture":true,"rate":"25","frames":200,"chunks":[{"first":0,"end":100,"lead":0,"fromStart":true},{"first":100,"end":200,"lead":50,"seek":40}],"outputs":[0]},
			{"picture":false,"rate":"375/8","frames":9,"chunks":[{"first":0,"end":9,"lead":0}],"outputs":[]}],"outputs":[]}`
	var p Plan
	if err := json.Unmarshal([]byte(old), &p); err != nil {
		t.Fatal(err)
	}
	if p.Version != Version || len(p.Inputs) != 1 || p.Inputs[0].Key != "k" || p.Inputs[0].Detected.Width != 320 {
		t.Errorf("inputs %+v", p.Inputs)
	}
	take := p.Programmes[0][0]
	if take.Video.Start != 3 || take.Audio.Begins != 5 || take.Lasts != 0 {
		t.Errorf("take %+v", take)
	}
	want := []Chunk{{End: 100, Reads: []Read{{To: 100, FromStart: true}}}, {First: 100, End: 200, Lead: 50, Reads: []Read{{From: 50, To: 200, Seek: 40, Hold: true}}}}
	if !reflect.DeepEqual(p.Groups[0].Chunks, want) || p.Groups[1].Chunks[0].Reads != nil {
		t.Errorf("chunks %+v", p.Groups)
	}
	body, err := json.Marshal(&p)
	if err != nil {
		t.Fatal(err)
	}
	var again Plan
	if err := json.Unmarshal(body, &again); err != nil || !reflect.DeepEqual(again, p) {
		t.Errorf("%v\n%+v\n%+v", err, again, p)
	}
}
