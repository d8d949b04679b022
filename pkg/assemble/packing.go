package assemble

import (
	"fmt"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
	"sealreel/pkg/plan"
)

// copied takes all tracks as they are joined.
var copied = []string{"-map", "0", "-c", "copy"}

// packed takes the picture as it is and gives each channel of the sound a track
// of its own, those that it lacks being silent (API: AudioPackingMode). Samples
// stay what they are: those of PCM are moved, not encoded anew.
func packed(o plan.Output, tracks []*part.Sequence) []string {
	sound := tracks[len(tracks)-1]
	if o.SoundTracks == 0 || sound.Kind != fragment.Audio {
		return copied
	}
	split, single := fmt.Sprintf("[0:a]asplit=%d", o.SoundTracks), ""
	maps := []string{"-map", "0:v", "-c:v", "copy", "-c:a", fmt.Sprintf("pcm_s%dle", sound.Track.BitDepth)}
	for i := range o.SoundTracks {
		channel := fmt.Sprintf("c%d", i)
		if i >= sound.Track.Channels {
			channel = "0*c0"
		}
		split += fmt.Sprintf("[all%d]", i)
		single += fmt.Sprintf(";[all%d]pan=mono|c0=%s[track%d]", i, channel, i)
		maps = append(maps, "-map", fmt.Sprintf("[track%d]", i))
	}
	return append([]string{"-filter_complex", split + single}, maps...)
}
