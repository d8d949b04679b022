package poison

import (
	"bytes"
	"slices"
)

// films make media whose frames are the trouble. Those with ".part." in their
// names are no samples by themselves.
var films = []recipe{
	{"changing pictures", "small.part.ts", "-vf scale=32x24 " + x264 + "-an -f mpegts"},
	{"changing pictures", "large.part.ts", "-vf scale=640x360 " + x264 + "-an -f mpegts"},
	{"changing pictures", "small.part.h264", "-vf scale=32x24 -an " + x264},
	{"changing pictures", "deep.part.h264", "-an -c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuv444p10le"},
	{"one frame", "one.mp4", x264 + "-an -frames:v 1"},
	{"one frame", "one.mkv", x264 + "-an -frames:v 1"},
	{"one frame", "one.ts", x264 + "-an -frames:v 1"},
	{"one frame", "two.mp4", x264 + "-c:a aac -frames:v 2"},
	{"one frame", "one.mjpeg.avi", "-c:v mjpeg -an -frames:v 1"},
	{"no frames", "none.mp4", x264 + "-an -frames:v 0"},
	{"no frames", "none.mkv", x264 + "-an -frames:v 0"},
	{"timestamps", "wraps.ts", x264 + "-c:a aac -output_ts_offset 95442.7 -f mpegts"},
	{"timestamps", "negative.mkv", x264 + "-c:a aac -output_ts_offset -1 -avoid_negative_ts disabled"},
	{"timestamps", "negative.mp4", x264 + "-c:a aac -output_ts_offset -1 -avoid_negative_ts disabled -movflags negative_cts_offsets"},
	{"timestamps", "years.mkv", x264 + "-c:a aac -output_ts_offset 300000000"},
	{"timestamps", "years.mp4", x264 + "-c:a aac -output_ts_offset 2000000"},
	{"timestamps", "same.mkv", "-vf setpts=0 -fps_mode passthrough " + x264 + "-an"},
	{"timestamps", "backwards.avi", "-vf reverse -c:v rawvideo -pix_fmt yuv420p -an"},
	{"timestamps", "two-days.mkv", "-vf setpts=N*4000/TB -fps_mode passthrough " + x264 + "-an -frames:v 45"},
	{"absurd rates", "fast.mkv", "-vf settb=1/100000,setpts=N -fps_mode passthrough -enc_time_base 1/100000 " + x264 + "-an"},
	{"absurd rates", "fast.mp4", "-vf settb=1/90000,setpts=N*90 -fps_mode passthrough -enc_time_base 1/90000 " + x264 + "-an -video_track_timescale 90000"},
	{"absurd rates", "slow.mp4", "-vf setpts=N*100/TB -fps_mode passthrough " + x264 + "-an -frames:v 3"},
	{"absurd rates", "sound.wav", "-vn -ar 768000"},
	{"absurd rates", "low.wav", "-vn -ar 50"},
	{"absurd rates", "channels.wav", "-vn -af pan=hexadecagonal|FL=c0"},
	{"absurd dimensions", "tiny.mkv", "-vf scale=2x2 -c:v mpeg4 -an"},
	{"absurd dimensions", "odd.mkv", "-vf scale=33x17,format=yuv444p -c:v ffv1 -an"},
	{"absurd dimensions", "thread.mkv", "-vf scale=16x8192 -c:v mjpeg -an -frames:v 2"},
	{"absurd dimensions", "wide.mkv", "-vf scale=16000x16 -c:v mjpeg -an -frames:v 2"},
	{"absurd dimensions", "aspect.mp4", "-vf setsar=1/30000 " + x264 + "-an"},
	{"absurd dimensions", "aspect-wide.mp4", "-vf setsar=30000 " + x264 + "-an"},
	{"no picture and no sound", "text.mp4", "-i TEXT -vn -an -map 2:s -c:s mov_text"},
	{"no picture and no sound", "text.mkv", "-i TEXT -vn -an -map 2:s -c:s srt"},
	{"no picture and no sound", "data.ts", "-map 0:v -c:v copy -f data"},
}

// frames are media whose frames are the trouble.
func (c *corpus) frames() {
	for _, b := range c.films {
		if !bytes.Contains([]byte(b.name), []byte(".part.")) {
			c.add(b.kind, b.name, b.role, b.data)
		}
	}
	part := func(name string) []byte {
		for _, b := range c.films {
			if b.name == name {
				return b.data
			}
		}
		panic("poison: no film is called " + name)
	}
	good, stream := c.of("a.ts").data, c.of("a.h264").data
	for name, data := range map[string][]byte{
		"smaller.ts": slices.Concat(good, part("small.part.ts")), "larger.ts": slices.Concat(part("small.part.ts"), part("large.part.ts"), part("small.part.ts")),
		"smaller.h264": slices.Concat(stream, part("small.part.h264"), stream), "deeper.h264": slices.Concat(stream, part("deep.part.h264"), stream),
		"codec.ts": slices.Concat(good, c.of("m2.ts").data), "sound-appears.ts": slices.Concat(part("small.part.ts"), good),
	} {
		c.add("changing pictures", name, Picture, data)
	}
	for name, kinds := range map[string][]byte{"no-idr.h264": {5}, "no-sps.h264": {7}, "no-pps.h264": {8}, "nothing-but-parameters.h264": {1, 5}, "no-parameters.h264": {7, 8}} {
		c.add("no keyframes", name, Picture, without(stream, kinds))
	}
	ts := good
	if at := len(good) / 3 / packetSize * packetSize; at > 0 {
		ts = slices.Concat(good[:3*packetSize], good[at:])
	}
	c.add("no keyframes", "cut-in.ts", Picture, ts)
	c.add("no keyframes", "no-sync-samples.mp4", Picture, patched(c.of("a.mp4").data, "stss", 8, 0, 0, 0, 0))
}

// without is a stream of H.264 without the units of some types.
func without(stream []byte, types []byte) (kept []byte) {
	start := []byte{0, 0, 1}
	for unit := range bytes.SplitSeq(stream, start) {
		if len(unit) > 0 && !slices.Contains(types, unit[0]&31) {
			kept = slices.Concat(kept, start, unit)
		}
	}
	return kept
}
