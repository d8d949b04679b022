package preset

import (
	"fmt"
	"slices"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
	"sealreel/pkg/rational"
)

// checkUse holds the rules between an output and its preset.
func checkUse(problems *document.Problems, path string, o job.Output, p *Preset) {
	if _, segmented := o.SegmentSeconds(); segmented && p.Container != "ts" && p.Container != "fmp4" {
		problems.Add(path+".segmentDuration", o.SegmentDuration,
			fmt.Sprintf("Member is available only for 'ts' and 'fmp4' containers, and preset %s has the container %s", p.ID, p.Container))
	}
	if t := p.Thumbnails; o.ThumbnailPattern != "" && (!p.HasVideo() || t == nil || t.Format == "" || t.Interval == "") {
		problems.Add(path+".thumbnailPattern", o.ThumbnailPattern,
			fmt.Sprintf("Member must be blank, since preset %s lacks Video or Thumbnails with Format and Interval", p.ID))
	}
	for i, w := range o.Watermarks {
		if !p.HasVideo() || !slices.ContainsFunc(p.Video.Watermarks, func(place Watermark) bool { return place.ID == w.PresetWatermarkID }) {
			problems.Add(fmt.Sprintf("%s.watermarks.%d.member.presetWatermarkId", path, i+1), w.PresetWatermarkID,
				fmt.Sprintf("Member must be the Id of a watermark of preset %s", p.ID))
		}
	}
	if o.AlbumArt != nil && (p.HasVideo() || !slices.Contains([]string{"flac", "mp3", "mp4"}, p.Container)) {
		problems.Addf(path+".albumArt", "'%s.albumArt' is available only for outputs of audio alone in the containers flac, mp3 and mp4, and preset %s makes none.", path, p.ID)
	}
	checkCaptions(problems, path+".captions", o.Captions, p)
}

// captionContainers are those that captions of a format can go into. Side-car
// formats go with every container, but with fmp4 as players of its playlists
// want them.
var captionContainers = map[string][]string{"mov-text": {"mp4"}, "cea-708": {"mp4", "ts"}}

func checkCaptions(problems *document.Problems, path string, c *job.Captions, p *Preset) {
	if c == nil {
		return
	}
	if !p.HasVideo() {
		problems.Addf(path, "'%s' must be left out: captions are not available for audio-only transcoding, and preset %s has no Video.", path, p.ID)
		return
	}
	for i, f := range c.CaptionFormats {
		allowed, embedded := captionContainers[f.Format]
		switch {
		case embedded && !slices.Contains(allowed, p.Container),
			p.Container == "fmp4" && f.Format != "dfxp" && f.Format != "webvtt":
			problems.Add(fmt.Sprintf("%s.captionFormats.%d.member.format", path, i+1), f.Format,
				fmt.Sprintf("Member is not available for the container %s of preset %s", p.Container, p.ID))
		}
	}
}

// checkPlaylists holds the rules between playlists and the presets of their
// outputs.
func checkPlaylists(problems *document.Problems, req *job.Request, used map[string]*Preset) {
	captions := map[string]*job.Captions{}
	for _, o := range req.Outputs {
		captions[o.Key] = o.Captions
	}
	for i, list := range req.Playlists {
		shared := map[string]shared{}
		for k, key := range list.OutputKeys {
			p := used[key]
			if p == nil {
				continue // reported already
			}
			path := fmt.Sprintf("playlists.%d.member.outputKeys.%d.member", i+1, k+1)
			if wanted := playlistContainer(list.Format); p.Container != wanted {
				problems.Add(path, key, fmt.Sprintf("Member must be an output in the container %s, which playlists of the Format %s have, and preset %s has %s", wanted, list.Format, p.ID, p.Container))
			}
			checkPlaylistCaptions(problems, path, key, list.Format, captions[key])
			for _, s := range settings(list.Format, p) {
				first, seen := shared[s.what]
				if seen && first.value != s.value {
					problems.Addf(path, "Outputs '%s' and '%s' must have the same %s since they are part of playlist '%s'.", first.key, key, s.what, list.Name)
				}
				if !seen {
					s.key = key
					shared[s.what] = s
				}
			}
		}
	}
}

func playlistContainer(format string) string {
	if format == job.Smooth || format == job.DASH {
		return "fmp4"
	}
	return "ts"
}

// checkPlaylistCaptions: players of Smooth read dfxp, those of MPEG-DASH webvtt.
func checkPlaylistCaptions(problems *document.Problems, path, key, format string, c *job.Captions) {
	wanted := map[string]string{job.Smooth: "dfxp", job.DASH: "webvtt"}[format]
	if c == nil || wanted == "" {
		return
	}
	for _, f := range c.CaptionFormats {
		if f.Format != wanted {
			problems.Addf(path, "Output '%s' must have captions in the format %s only, since it is part of a playlist of the Format %s.", key, wanted, format)
		}
	}
}

// shared is a setting that all outputs of a playlist must share.
type shared struct{ what, value, key string }

// settings are those of a preset, as far as it has what they are about.
func settings(format string, p *Preset) []shared {
	var all []shared
	if p.HasVideo() {
		all = append(all, shared{what: "ColorSpaceConversionMode", value: p.Video.ColorSpaceConversion()})
	}
	if format != job.Smooth {
		return all
	}
	if p.HasVideo() {
		all = append(all, shared{what: "Video:Profile", value: p.Video.Profile()},
			shared{what: "ratio of Video:FrameRate to Video:KeyframesMaxDist", value: p.Video.keyframeRatio()})
	}
	if p.HasAudio() && p.Audio.CodecOptions != nil {
		all = append(all, shared{what: "Audio:Profile", value: p.Audio.CodecOptions.Profile})
	}
	return all
}

// keyframeRatio is equal for videos whose keyframes come at the same times, so
// that a player can switch between them. Of a rate of auto that is known only
// when the rest is equal.
func (v *Video) keyframeRatio() string {
	if v.FrameRate == "" || v.FrameRate == "auto" {
		return strings.Join([]string{"auto", v.MaxFrameRate, v.KeyframesMaxDist}, " ")
	}
	return rateNamed(v.FrameRate).Div(rational.Int(int64(v.KeyframeDistance()))).String()
}
