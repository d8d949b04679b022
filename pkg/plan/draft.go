package plan

import (
	"slices"

	"sealreel/pkg/job"
	"sealreel/pkg/rational"
)

// draft is a plan in the making. needs go with Groups.
type draft struct {
	*Plan
	seconds    int64
	needs      []need
	programmes []*programme
}

// need is what outputs need of the chunks that they share: every boundary is a
// multiple of unit frames, lead frames are encoded ahead of it, and whole allows
// no boundary at all.
type need struct {
	unit, lead int64
	whole      bool
	fields     bool // pictures of two fields
}

// soundChunkSeconds is the length of the chunks of a group without a picture:
// there is nothing to encode in them, only segments to be written.
const soundChunkSeconds = 120

// target is how many frames a chunk of the group is about to have.
func (d *draft) target(picture bool, rate rational.Rational) int64 {
	if picture {
		return max(rate.Round(d.seconds), 1)
	}
	return rate.Round(soundChunkSeconds)
}

// join puts an output into the first group that it can share a decode with:
// one of the same programme and rate, both or neither of whole frames, in which a
// boundary that suits all is not further away than a chunk is long. A new group is
// made where there is none.
func (d *draft) join(programme int, picture bool, rate rational.Rational, n need, output int) int {
	for i := range d.Groups {
		g, has := &d.Groups[i], &d.needs[i]
		if g.Programme != programme || g.Picture != picture || g.Rate != rate || has.whole != n.whole || has.fields != n.fields {
			continue
		}
		if both := lcm(has.unit, n.unit); both <= max(d.target(picture, rate), n.unit, has.unit) {
			has.unit, has.lead = both, max(has.lead, n.lead)
			g.Outputs = append(g.Outputs, output)
			return i
		}
	}
	d.Groups = append(d.Groups, Group{Programme: programme, Picture: picture, Fields: n.fields, Rate: rate, Outputs: []int{output}})
	d.needs = append(d.needs, n)
	return len(d.Groups) - 1
}

// cut divides each group, and names the streams that are read.
func (d *draft) cut() {
	for i := range d.Groups {
		g := &d.Groups[i]
		p := d.programmes[g.Programme]
		grid := Grid{Rate: g.Rate, Unit: d.needs[i].unit, Target: d.target(g.Picture, g.Rate), Lead: d.needs[i].lead, Whole: d.needs[i].whole}
		if g.Picture {
			all := p.stretches(g.Rate, g.Fields)
			grid.Frames = all[len(all)-1].end
			g.Chunks = cut(all, grid)
		} else {
			grid.Frames = max(perNanosecond(g.Rate).Ceil(int64(p.heard())), 1)
			g.Chunks = cutEvenly(grid)
		}
		g.Frames = grid.Frames
		d.limitFiles(i)
	}
	for i, p := range d.programmes {
		picture := slices.ContainsFunc(d.Groups, func(g Group) bool { return g.Programme == i && g.Picture })
		sound := slices.ContainsFunc(d.Sounds, func(s Sound) bool { return s.Programme == i })
		d.Programmes = append(d.Programmes, p.read(picture, sound))
	}
}

// limitFiles fails the outputs of a group that would have more segments or
// thumbnails than their numbers have digits for.
func (d *draft) limitFiles(group int) {
	g := d.Groups[group]
	for _, place := range slices.Clone(g.Outputs) {
		o := d.Outputs[place]
		if o.SegmentFrames > 0 && g.Frames/o.SegmentFrames >= job.MaxSegments {
			d.Fail(place, job.Fail(job.CodeValidation, "output %s would have more than %d segments: give it a longer SegmentDuration", o.Key, job.MaxSegments))
			continue
		}
		if t := o.Thumbnails; t != nil && t.From(g.Frames, g.Rate) > job.MaxThumbnails+1 {
			d.Fail(place, job.Fail(job.CodeValidation, "output %s would have more than %d thumbnails: use a preset with a longer Interval", o.Key, job.MaxThumbnails))
		}
	}
}

// cutEvenly divides a grid for which nothing is decoded.
func cutEvenly(g Grid) []Chunk {
	length := max(g.Target/g.Unit, 1) * g.Unit
	var chunks []Chunk
	for first := int64(0); first < g.Frames; first += length {
		chunks = append(chunks, Chunk{First: first, End: min(first+length, g.Frames), Lead: first})
	}
	return chunks
}

func lcm(a, b int64) int64 {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}
