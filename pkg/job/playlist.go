package job

import (
	"fmt"
	"slices"
	"strings"

	"sealreel/pkg/document"
)

// checkPlaylists holds the rules between playlists and with their outputs.
func checkPlaylists(problems *document.Problems, playlists []locatedPlaylist, outputs []locatedOutput) {
	byKey := map[string]Output{}
	for _, o := range outputs {
		byKey[o.Key] = o.Output
	}
	first := map[string]string{}
	for _, p := range playlists {
		if other, twice := first[p.Name]; twice && p.Name != "" {
			problems.Add(p.path+".name", p.Name, fmt.Sprintf("Member must differ from the name of '%s'", other))
		}
		first[p.Name] = p.path
		if p.Name != "" && folder(p.Name) != folder(playlists[0].Name) && playlists[0].Name != "" {
			problems.Add(p.path+".name", p.Name, "All playlist names must be identical up to the last / character.")
		}
		checkMembers(problems, p, byKey)
		checkProtection(problems, p, byKey)
	}
	checkShared(problems, playlists)
}

// checkMembers holds the rules between a playlist and its outputs.
func checkMembers(problems *document.Problems, p locatedPlaylist, outputs map[string]Output) {
	var shared *Output
	seen := map[string]bool{}
	for i, key := range p.OutputKeys {
		path := fmt.Sprintf("%s.outputKeys.%d.member", p.path, i+1)
		o, known := outputs[key]
		switch {
		case seen[key]:
			problems.Add(path, key, "Member must be given once only")
			continue
		case !known:
			problems.Add(path, key, "Member must be the Key of one of the job's outputs")
			continue
		}
		seen[key] = true
		if p.Name != "" && !strings.HasPrefix(key, folder(p.Name)) {
			problems.Add(path, key, "All outputs in a playlist must begin identically to the playlist name up to the last / character.")
		}
		if _, segmented := o.SegmentSeconds(); !segmented {
			problems.Addf(path, "Output '%s' must have a SegmentDuration since it is part of a playlist. SegmentDuration is available only for 'ts' and 'fmp4' containers.", key)
			continue
		}
		if shared == nil {
			shared = &o
			continue
		}
		for _, what := range differences(*shared, o) {
			problems.Addf(path, "Outputs '%s' and '%s' must have the same %s since they are part of playlist '%s'.", shared.Key, key, what, p.Name)
		}
	}
}

// differences are the settings that two outputs of a playlist must share and
// don't.
func differences(a, b Output) []string {
	var different []string
	x, _ := a.SegmentSeconds()
	if y, _ := b.SegmentSeconds(); !x.Equal(y) {
		different = append(different, "SegmentDuration")
	}
	if !slices.EqualFunc(a.Composition, b.Composition, func(x, y Clip) bool { return *x.TimeSpan == *y.TimeSpan }) {
		different = append(different, "Composition")
	}
	if !sameCaptions(a.Captions, b.Captions) {
		different = append(different, "Captions")
	}
	return different
}

// protected says whether the playlist has media encrypted for players.
func (p Playlist) protected() bool { return p.HlsContentProtection != nil || p.PlayReadyDrm != nil }

// playReadyFormats says which format of PlayReady goes with which of a playlist.
var playReadyFormats = map[string]string{HLSv3: "discretix-3.0", Smooth: "microsoft"}

// checkProtection: content protection, PlayReady and the encryption of files
// exclude each other, and each protection belongs to some formats.
func checkProtection(problems *document.Problems, p locatedPlaylist, outputs map[string]Output) {
	if !p.protected() {
		return
	}
	drm := p.PlayReadyDrm
	switch {
	case p.HlsContentProtection != nil && drm != nil:
		problems.Addf(p.path+".playReadyDrm", "'%s.hlsContentProtection' and '%s.playReadyDrm' can't both be given: PlayReady DRM, HLS content protection, and output encryption are mutually exclusive", p.path, p.path)
	case p.HlsContentProtection != nil && p.Format != "" && p.Format != HLSv3 && p.Format != HLSv4:
		problems.Addf(p.path+".hlsContentProtection", "'%s.hlsContentProtection' is available only for playlists of the Format HLSv3 or HLSv4", p.path)
	case drm != nil && drm.Format != "" && p.Format != "" && playReadyFormats[p.Format] != drm.Format:
		problems.Add(p.path+".playReadyDrm.format", drm.Format, "Member must be microsoft for Smooth playlists and discretix-3.0 for HLSv3 playlists, and no other has PlayReady DRM")
	}
	for i, key := range p.OutputKeys {
		path := fmt.Sprintf("%s.outputKeys.%d.member", p.path, i+1)
		o := outputs[key]
		if o.Encryption != nil || encryptsCaptions(o.Captions) {
			problems.Addf(path, "Output '%s' and its captions must have no Encryption, since playlist '%s' protects its media: PlayReady DRM, HLS content protection, and output encryption are mutually exclusive", key, p.Name)
		}
	}
}

func encryptsCaptions(c *Captions) bool {
	return c != nil && slices.ContainsFunc(c.CaptionFormats, func(f CaptionFormat) bool { return f.Encryption != nil })
}

// checkShared: the media of an output is encrypted once, so that one of a
// protected playlist can be in no other.
func checkShared(problems *document.Problems, playlists []locatedPlaylist) {
	first := map[string]locatedPlaylist{}
	for _, p := range playlists {
		for i, key := range p.OutputKeys {
			other, shared := first[key]
			if shared && other.path != p.path && (other.protected() || p.protected()) {
				problems.Add(fmt.Sprintf("%s.outputKeys.%d.member", p.path, i+1), key,
					fmt.Sprintf("Member must not be an output of '%s' as well, since one of the two playlists protects its media", other.path))
			}
			if !shared {
				first[key] = p
			}
		}
	}
}

// folder is a key up to and with its last '/'.
func folder(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }
