package price

import (
	"strconv"

	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
	"sealreel/pkg/usage"
)

// OutputsOf are the complete outputs of a job, priced as others would. p may be
// nil where the job came to no plan.
func (l List) OutputsOf(j job.Job, p *plan.Plan) []Output {
	all := []Output{}
	for n, o := range j.Outputs {
		if o.Status != job.Complete || p == nil || n >= len(p.Outputs) {
			continue
		}
		m := Made{ID: o.ID, Key: j.OutputKeyPrefix + o.Key, Seconds: float64(o.DurationMillis) / 1000}
		if picture := p.Outputs[n].Picture; picture != nil {
			m.Width, m.Height, m.Codec = o.Width, o.Height, picture.Coded()
			m.Rate, _ = strconv.ParseFloat(o.FrameRate, 64) // one that is none is below 30, the lower price
		}
		all = append(all, l.Price(m))
	}
	return all
}

// Unrecorded are the tasks and outputs (as output-1) of a plan that no record says
// were done: their functions are at work, or were killed.
func Unrecorded(p *plan.Plan, records []usage.Record) []string {
	done := map[string]bool{}
	for _, r := range records {
		if !r.Failed {
			done[r.Function+" "+r.Task] = true
		}
	}
	var missing []string
	want := func(function, name, shown string) {
		if !done[function+" "+name] {
			missing = append(missing, shown)
		}
	}
	if len(p.Sounds) > 0 {
		want(usage.Transcode, task.Audio, task.Audio)
	}
	for g := range p.Groups {
		for _, name := range p.Tasks(g) {
			want(usage.Transcode, name, name)
		}
	}
	for _, o := range p.Outputs {
		want(usage.Assemble, o.ID, "output-"+o.ID)
	}
	return missing
}
