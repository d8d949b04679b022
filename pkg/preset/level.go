package preset

import (
	"fmt"
	"strings"

	"sealreel/pkg/rational"
)

// level is what H.264 allows at a level.
type level struct {
	kbps, highKbps int   // bit rate in kbit/s: profiles baseline and main, and high
	dpb            int64 // macroblocks in the buffer of decoded pictures
	samples        int64 // luma samples a second
	size           int64 // luma samples in a picture
}

// levels are the API's tables (texts of BitRate, MaxReferenceFrames, FrameRate
// and Resolution). Where those are garbled it is H.264's own number (table A-1):
// the API has no bit rates for 2.1 and 2.2, 76800 samples a second for 1.1, and
// 404720 in place of 414720 samples for 2.2 and 3, which 720x576 has.
var levels = map[string]level{
	"1":   {64, 80, 396, 380160, 25344},
	"1b":  {128, 160, 396, 380160, 25344},
	"1.1": {192, 240, 900, 768000, 101376},
	"1.2": {384, 480, 2376, 1536000, 101376},
	"1.3": {768, 960, 2376, 3041280, 101376},
	"2":   {2000, 2500, 2376, 3041280, 101376},
	"2.1": {4000, 5000, 4752, 5068800, 202752},
	"2.2": {4000, 5000, 8100, 5184000, 414720},
	"3":   {10000, 12500, 8100, 10368000, 414720},
	"3.1": {14000, 17500, 18000, 27648000, 921600},
	"3.2": {20000, 25000, 20480, 55296000, 1310720},
	"4":   {20000, 25000, 32768, 62914560, 2097152},
	"4.1": {50000, 62500, 32768, 62914560, 2097152},
}

// Warning tells what in a preset is valid and goes beyond what the API
// recommends, "" for nothing: what CreatePreset answered in its member Warning.
// The words are ours, since none of the service's were recorded.
func Warning(p *Preset) string {
	var notes []string
	if p.Video != nil && p.Video.Codec == H264 {
		notes = beyondLevel(p.Video)
	}
	if p.HasAudio() {
		notes = append(notes, besideProfile(p.Audio)...)
	}
	if len(notes) == 0 {
		return ""
	}
	return "The preset was accepted, but some players may not play what it makes: " + strings.Join(notes, "; ") + "."
}

func beyondLevel(v *Video) []string {
	l, known := levels[v.Level()]
	if !known {
		return nil
	}
	var notes []string
	note := func(member string, value any, most any) {
		notes = append(notes, fmt.Sprintf("%s %v is above %v, the most at H.264 level %s", member, value, most, v.Level()))
	}
	most := l.kbps
	if v.Profile() == "high" {
		most = l.highKbps
	}
	if v.Kbps() > most {
		note("Video:BitRate", v.Kbps(), most)
	}
	if v.MaxKbps() > most {
		note("Video:CodecOptions:MaxBitRate", v.MaxKbps(), most)
	}
	w, h, sized := v.largest()
	if !sized {
		return notes
	}
	area := int64(w) * int64(h)
	if area > l.size {
		note("Video width x height", fmt.Sprintf("%dx%d", w, h), fmt.Sprintf("%d pixels", l.size))
	}
	if refs, _ := v.References(); int64(refs) > min(l.dpb*256/area, 16) {
		note("Video:CodecOptions:MaxReferenceFrames", refs, min(l.dpb*256/area, 16))
	}
	if v.FrameRate != "" && v.FrameRate != "auto" {
		if fastest := rational.New(l.samples, area); fastest.Less(rateNamed(v.FrameRate)) {
			note("Video:FrameRate", v.FrameRate, fmt.Sprintf("%.2f for %dx%d", fastest.Float64(), w, h))
		}
	}
	return notes
}

// largest is the size that levels are counted with, false where it is the
// source's alone.
func (v *Video) largest() (w, h int, sized bool) {
	b := v.box()
	if _, _, given := splitResolution(v.Resolution); !given && v.older() {
		return 0, 0, false
	}
	return b.w, b.h, true
}

// besideProfile: each profile of AAC is for some bit rates.
func besideProfile(a *Audio) []string {
	if a.Codec != "AAC" || a.CodecOptions == nil {
		return nil
	}
	kbps := a.Kbps()
	var wanted string
	switch profile := a.CodecOptions.Profile; {
	case profile == "AAC-LC" && kbps <= 64:
		wanted = "above 64"
	case profile == "HE-AAC" && (kbps < 40 || kbps > 80):
		wanted = "from 40 to 80"
	case profile == "HE-AACv2" && kbps >= 48:
		wanted = "below 48"
	default:
		return nil
	}
	return []string{fmt.Sprintf("Audio:BitRate %d does not suit the AAC profile %s, which is for %s kbit/s", kbps, a.CodecOptions.Profile, wanted)}
}
