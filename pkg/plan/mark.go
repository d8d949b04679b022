package plan

import (
	"reflect"
	"slices"

	"sealreel/pkg/preset"
)

// Mark is a picture that is drawn over every frame. Those of an output are drawn
// in order.
type Mark struct {
	Still   int            `json:"still"` // place in Stills
	Overlay preset.Overlay `json:"overlay"`
}

// marks are the watermarks of an output whose picture is planned.
func (d *draft) marks(w Wish, g preset.Geometry) []Mark {
	var marks []Mark
	for i, picture := range w.Watermarks {
		place, ok := w.Preset.Video.Watermark(w.Output.Watermarks[i].PresetWatermarkID)
		if !ok {
			continue // preset.Check refuses such a job
		}
		if overlay, seen := place.Over(g, picture.Width, picture.Height); seen {
			marks = append(marks, Mark{Still: d.still(picture), Overlay: overlay})
		}
	}
	return marks
}

// still finds or adds a picture.
func (d *draft) still(s Still) int {
	if i := slices.IndexFunc(d.Stills, func(other Still) bool { return reflect.DeepEqual(other, s) }); i >= 0 {
		return i
	}
	d.Stills = append(d.Stills, s)
	return len(d.Stills) - 1
}

// matrix is the one that players of the output take its colours by: what the
// source says of its own, which the encoder passes on, or what they guess from
// the size where it says nothing. Names are ffmpeg's.
func matrix(source string, width, height int) string {
	switch source {
	case "bt709", "fcc", "smpte240m":
		return source
	case "smpte170m", "bt470bg":
		return "bt601"
	case "bt2020nc", "bt2020c":
		return "bt2020"
	}
	if width >= 1280 || height > 576 {
		return "bt709"
	}
	return "bt601"
}
