package probe

import (
	"slices"
	"testing"
	"time"

	"sealreel/pkg/rational"
)

func at(rate string) string { return "-f lavfi -i testsrc2=s=96x64:r=" + rate + ":d=4 " }

// Whatever the container, the frames found in the packets are those that a
// decoder gives, and the rate is the true one.
func TestFramesAreThoseDecoded(t *testing.T) {
	type want struct {
		name, args string
		rate       string
		constant   bool
		frames     int
		source     TimeSource
		indexed    bool
	}
	for title, w := range map[string]want{
		"mp4 25":          {"a.mp4", both + x264, "25", true, 100, FromPTS, true},
		"mp4 23.976":      {"a.mp4", at("24000/1001") + x264, "24000/1001", true, 96, FromPTS, true},
		"mp4 29.97":       {"a.mp4", at("30000/1001") + x264, "30000/1001", true, 120, FromPTS, true},
		"mp4 59.94":       {"a.mp4", at("60000/1001") + x264, "60000/1001", true, 240, FromPTS, true},
		"mp4 12.34":       {"a.mp4", at("1234/100") + x264, "617/50", true, 50, FromPTS, true},
		"mp4 240":         {"a.mp4", at("240") + x264, "240", true, 960, FromPTS, true},
		"mov 24":          {"a.mov", at("24") + x264, "24", true, 96, FromPTS, true},
		"fragmented":      {"a.mp4", both + x264 + "-movflags frag_keyframe+empty_moov+default_base_moof", "25", true, 100, FromPTS, true},
		"mkv 25":          {"a.mkv", both + x264, "25", true, 100, FromPTS, true},
		"mkv 23.976":      {"a.mkv", at("24000/1001") + x264, "24000/1001", true, 96, FromPTS, true},
		"mkv 29.97":       {"a.mkv", at("30000/1001") + x264, "30000/1001", true, 120, FromPTS, true},
		"webm vp9":        {"a.webm", at("30") + "-c:v libvpx-vp9 -deadline realtime -cpu-used 8", "30", true, 120, FromPTS, true},
		"ts 25":           {"a.ts", both + x264, "25", true, 100, FromPTS, false},
		"ts 29.97":        {"a.ts", at("30000/1001") + x264, "30000/1001", true, 120, FromPTS, false},
		"ts open GOP":     {"a.ts", both + "-c:v mpeg2video -bf 2 -g 12 -c:a mp2", "25", true, 100, FromPTS, false},
		"x264 open GOP":   {"a.mp4", picture + "-c:v libx264 -bf 3 -g 12 -x264-params open-gop=1", "25", true, 100, FromPTS, true},
		"interlaced":      {"a.ts", picture + "-c:v mpeg2video -flags +ildct+ilme", "25", true, 100, FromPTS, false},
		"program stream":  {"a.mpg", both + "-c:v mpeg2video -bf 2 -c:a mp2", "25", true, 100, FromDTS, false},
		"avi":             {"a.avi", both + "-c:v mpeg4 -c:a mp2", "25", true, 100, FromPTS, false},
		"avi, B-frames":   {"a.avi", both + "-c:v mpeg4 -bf 2 -c:a mp2", "25", true, 100, FromDTS, false},
		"avi, x264":       {"a.avi", both + x264, "25", true, 100, FromDTS, false},
		"flv":             {"a.flv", both + x264 + "-ar 44100", "25", true, 100, FromPTS, false},
		"elementary":      {"a.h264", picture + x264, "25", true, 100, FromIndex, false},
		"start at 7.5 s":  {"a.mp4", both + x264 + "-output_ts_offset 7.5", "25", true, 100, FromPTS, true},
		"ts at 95440 s":   {"a.ts", both + x264 + "-output_ts_offset 95440", "25", true, 100, FromPTS, false},
		"ts wraps":        {"a.ts", both + x264 + "-output_ts_offset 95441.5", "25", true, 100, FromPTS, false},
		"video only":      {"a.mp4", picture + x264, "25", true, 100, FromPTS, true},
		"one frame":       {"a.mp4", picture + x264 + "-frames:v 1", "25", true, 1, FromPTS, true},
		"two frames":      {"a.mp4", picture + x264 + "-frames:v 2", "25", true, 2, FromPTS, true},
		"every 3rd gone":  {"a.mp4", picture + "-vf select=mod(n\\,3) -vsync vfr " + x264, "25", false, 66, FromPTS, true},
		"mkv with gaps":   {"a.mkv", at("24000/1001") + "-vf select=gt(mod(n\\,5)\\,1) -vsync vfr " + x264, "24000/1001", false, 57, FromPTS, true},
		"slower and then": {"a.mp4", picture + "-vf setpts='if(lt(N,50),N,50+(N-50)*2)/25/TB' -vsync vfr " + x264, "25", false, 100, FromPTS, true},
		"jitter":          {"a.mkv", at("30") + "-vf settb=1/1000,setpts=33.333*N+random(1)*6 -vsync vfr -enc_time_base 1/1000 " + x264, "30", false, 120, FromPTS, true},
		"a slideshow":     {"a.mp4", "-f lavfi -i testsrc2=s=96x64:r=1/5:d=30 " + x264, "1/5", true, 6, FromPTS, true},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			path := makeClip(t, w.name, w.args)
			r := mustProbe(t, path)
			v := r.Video
			if v == nil {
				t.Fatal("no video")
			}
			rate, err := rational.Parse(w.rate)
			if err != nil {
				t.Fatal(err)
			}
			if !v.Rate.Equal(rate) || v.Constant != w.constant {
				t.Errorf("rate %v, constant %v", v.Rate, v.Constant)
			}
			if len(v.PTS) != w.frames || v.Source != w.source || v.Indexed != w.indexed || v.Jumps != 0 {
				t.Errorf("%d frames by %s, indexed %v, %d jumps", len(v.PTS), v.Source, v.Indexed, v.Jumps)
			}
			decoded := decodedTimes(t, path, v.Index)
			if len(v.PTS) != len(decoded) {
				t.Errorf("%d frames, %d decoded", len(v.PTS), len(decoded))
			}
			for i, n := range decoded {
				if n != noTime && n != v.PTS[i] {
					t.Fatalf("frame %d of times\n%v, decoded\n%v", i, v.PTS, decoded)
				}
			}
			checkReport(t, r)
		})
	}
}

// checkReport holds a report against itself.
func checkReport(t *testing.T, r *Report) {
	t.Helper()
	v := r.Video
	if !slices.IsSorted(v.PTS) || !slices.IsSorted(v.Keyframes) || v.End <= v.PTS[len(v.PTS)-1] {
		t.Errorf("times %v, keyframes %v, end %d", v.PTS, v.Keyframes, v.End)
	}
	if len(v.Keyframes) == 0 || v.Keyframes[0] > v.PTS[min(3, len(v.PTS)-1)] {
		t.Errorf("keyframes %v, first frame %d", v.Keyframes, v.PTS[0])
	}
	if v.Start().Less(r.Start) || r.Duration < between(r.Start, seconds(v.End, v.TimeBase)) {
		t.Errorf("start %v, duration %v", r.Start, r.Duration)
	}
	length := between(rational.Int(0), v.Rate.Inv())
	if last := between(seconds(v.PTS[len(v.PTS)-1], v.TimeBase), seconds(v.End, v.TimeBase)); v.Constant &&
		(last < length-time.Millisecond || last > length+time.Millisecond) {
		t.Errorf("the last frame lasts %v at %v frames a second", last, v.Rate)
	}
}
