package plan

import (
	"encoding/json"

	"sealreel/pkg/job"
)

// version1 is what plans of version 1 have that later ones have elsewhere: their
// one input, which every output plays whole.
type version1 struct {
	Input    Input                  `json:"input"`
	Detected job.DetectedProperties `json:"detected"`
	Video    *Video                 `json:"video"`
	Audio    *Audio                 `json:"audio"`
	Groups   []struct {
		Chunks []struct {
			Seek      int64 `json:"seek"`
			FromStart bool  `json:"fromStart"`
		} `json:"chunks"`
	} `json:"groups"`
}

// UnmarshalJSON reads a plan of any version up to this one, as one of this
// version: a job that was planned before an update goes on after it.
func (p *Plan) UnmarshalJSON(body []byte) error {
	type plain Plan // without this method
	if err := json.Unmarshal(body, (*plain)(p)); err != nil || p.Version != 1 {
		return err
	}
	var old version1
	if err := json.Unmarshal(body, &old); err != nil {
		return err
	}
	old.Input.Detected = old.Detected
	p.Version, p.Inputs = Version, []Input{old.Input}
	p.Programmes = [][]Take{{{Video: old.Video, Audio: old.Audio}}}
	for i, g := range p.Groups {
		for n := range g.Chunks {
			if c, was := &g.Chunks[n], old.Groups[i].Chunks[n]; g.Picture {
				c.Reads = []Read{{From: c.Lead, To: c.End, Seek: was.Seek, FromStart: was.FromStart, Hold: n == len(g.Chunks)-1}}
			}
		}
	}
	return nil
}
