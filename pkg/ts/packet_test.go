package ts_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/asticode/go-astits"

	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/ts"
)

// TestPacketsKeepTheStandard reads each segment with a parser that is not ours.
func TestPacketsKeepTheStandard(t *testing.T) {
	t.Parallel()
	for _, k := range clips {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			c := makeClip(t, k.picture, k.sound, k.videoArgs, k.audioArgs)
			counters := map[uint16]uint8{0x100: 15, 0x101: 15} // all segments together have no jump
			for _, segment := range c.segments(t) {
				checkPackets(t, segment, counters)
				checkTables(t, segment, c)
			}
		})
	}
}

func checkPackets(t *testing.T, segment []byte, counters map[uint16]uint8) {
	t.Helper()
	if len(segment)%ts.PacketSize != 0 {
		t.Fatalf("%d bytes are no whole packets", len(segment))
	}
	counters[0], counters[0x1000] = 15, 15
	d := astits.NewDemuxer(context.Background(), bytes.NewReader(segment), astits.DemuxerOptPacketSize(ts.PacketSize))
	var clocks []int64
	var pids []uint16
	for {
		p, err := d.NextPacket()
		if errors.Is(err, astits.ErrNoMorePackets) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, p.Header.PID)
		if p.Header.HasPayload {
			counters[p.Header.PID] = (counters[p.Header.PID] + 1) & 15
		}
		if p.Header.ContinuityCounter != counters[p.Header.PID] {
			t.Fatalf("packet %d of PID %#x has counter %d, want %d", len(pids), p.Header.PID, p.Header.ContinuityCounter, counters[p.Header.PID])
		}
		if a := p.AdaptationField; a != nil && a.HasPCR {
			clocks = append(clocks, a.PCR.Base)
		}
		if a := p.AdaptationField; a != nil && a.RandomAccessIndicator && p.Header.PID == 0x100 && pids[len(pids)-2] != 0x1000 {
			t.Errorf("keyframe in packet %d without tables in front", len(pids))
		}
	}
	if pids[0] != 0 || pids[1] != 0x1000 {
		t.Errorf("the segment begins with PIDs %#x", pids[:2])
	}
	for i := range clocks[1:] {
		if d := clocks[i+1] - clocks[i]; d <= 0 || d > ts.Clock/10 {
			t.Errorf("clock reference %d comes %d ticks after the one before", i+1, d)
		}
	}
	for _, pid := range []uint16{0x100, 0x101} {
		if counters[pid] != 15 {
			t.Errorf("counter of PID %#x ends at %d", pid, counters[pid])
		}
	}
}

func checkTables(t *testing.T, segment []byte, c *clip) {
	t.Helper()
	d := astits.NewDemuxer(context.Background(), bytes.NewReader(segment), astits.DemuxerOptPacketSize(ts.PacketSize))
	var types []astits.StreamType
	for {
		data, err := d.NextData()
		if errors.Is(err, astits.ErrNoMorePackets) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case data.PMT != nil:
			types = nil
			for _, e := range data.PMT.ElementaryStreams {
				types = append(types, e.StreamType)
			}
		case data.PES != nil:
			h := data.PES.Header.OptionalHeader
			if h == nil || h.PTS == nil || !h.DataAlignmentIndicator {
				t.Fatalf("a PES packet without time or not aligned: %+v", h)
			}
			if a := data.FirstPacket.AdaptationField; a != nil && a.HasPCR {
				at := h.PTS.Base
				if h.DTS != nil {
					at = h.DTS.Base
				}
				if at-a.PCR.Base != ts.Clock*7/10 {
					t.Errorf("the clock is %d ticks ahead", at-a.PCR.Base)
				}
			}
			if data.PID == 0x100 && !bytes.HasPrefix(data.PES.Data, []byte{0, 0, 0, 1, 9, 0xf0}) {
				t.Errorf("a frame begins with % x", data.PES.Data[:6])
			}
		}
	}
	var want []astits.StreamType
	if c.video != nil {
		want = append(want, astits.StreamTypeH264Video)
	}
	if c.audio != nil {
		want = append(want, astits.StreamTypeAACAudio)
	}
	if !slices.Equal(types, want) {
		t.Errorf("streams %v, want %v", types, want)
	}
}

// TestOverhead bounds what a segment adds to its samples, at the rates of
// Elastic Transcoder's HLS presets, and compares it with ffmpeg's own muxer.
func TestOverhead(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name           string
		picture, sound string
		most           float64
	}{
		{"400k", "272k", "128k", 13.5},
		{"1M", "872k", "128k", 7},
		{"2M", "1872k", "128k", 4.5},
	} {
		c := makeClip(t, "testsrc2=s=320x180:r=30000/1001:d=10,noise=alls=20:allf=t:all_seed=1", "anoisesrc=r=44100:d=10:a=0.4:seed=1,aformat=channel_layouts=stereo",
			[]string{"-b:v", k.picture, "-maxrate", k.picture, "-bufsize", k.picture, "-g", "90", "-video_track_timescale", "30000"}, []string{"-b:a", k.sound})
		size := len(c.segment(t, c.frames, c.sounds))
		dir := t.TempDir()
		write(t, dir+"/v.mp4", c.source)
		write(t, dir+"/a.mp4", c.music)
		foreign, _ := fragmenttest.Run(t, nil, "ffmpeg", "-v", "error", "-i", dir+"/v.mp4", "-i", dir+"/a.mp4", "-c", "copy", "-f", "mpegts", "-")
		percent := func(n int) float64 { return 100 * float64(n-c.payload()) / float64(c.payload()) }
		t.Logf("%s: %d bytes of samples, %.2f %% overhead, ffmpeg %.2f %%", k.name, c.payload(), percent(size), percent(len(foreign)))
		if percent(size) > k.most || size > len(foreign) {
			t.Errorf("%s: %.2f %% overhead, at most %.2f %% and ffmpeg's %.2f %% are allowed", k.name, percent(size), k.most, percent(len(foreign)))
		}
	}
}
