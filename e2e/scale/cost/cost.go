// Package cost holds what the steps of a job cost, as measured by running real
// jobs (e2e/bench -steps), so that a large account can be simulated from it.
package cost

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Costs are the figures of one measurement on one machine.
type Costs struct {
	Date         string  `json:"date"`
	Machine      string  `json:"machine"` // its processor, in /proc/cpuinfo's words
	CPUs         int     `json:"cpus"`
	X264         string  `json:"x264"` // speed preset
	ChunkSeconds int     `json:"chunkSeconds"`
	Seconds      [2]int  `json:"seconds"` // lengths of the two inputs that each job was run with
	Titles       []Title `json:"titles"`
}

// Title is a kind of job.
type Title struct {
	Name    string `json:"name"`
	Input   string `json:"input"`
	Outputs string `json:"outputs"`
	Count   int    `json:"count"` // of outputs: each is assembled by itself

	Ingest   Step `json:"ingest"`
	Audio    Step `json:"audio"`
	Chunk    Step `json:"chunk"`    // one whole chunk; it does not grow with the title
	Assemble Step `json:"assemble"` // one output
}

// Step is what a step costs: something whatever the length of the title, and
// something for each second of it.
type Step struct {
	Fixed     Work `json:"fixed"`
	PerSecond Work `json:"perSecond"`
}

// Work is processor time and requests.
type Work struct {
	CPU      float64            `json:"cpu"`      // seconds of one processor, ffmpeg's included
	Requests map[string]float64 `json:"requests"` // by kind, such as "s3 put state"
}

// Of is the work of the step for a title of so many seconds.
func (s Step) Of(seconds float64) Work {
	w := Work{CPU: s.Fixed.CPU + seconds*s.PerSecond.CPU, Requests: map[string]float64{}}
	for kind, n := range s.Fixed.Requests {
		w.Requests[kind] += n
	}
	for kind, n := range s.PerSecond.Requests {
		w.Requests[kind] += n * seconds
	}
	return w
}

// Line is the step through two measurements at two lengths. What shrinks with
// the length is noise, and counts as the mean.
func Line(short, long Work, seconds [2]int) Step {
	s := Step{Fixed: Work{Requests: map[string]float64{}}, PerSecond: Work{Requests: map[string]float64{}}}
	s.Fixed.CPU, s.PerSecond.CPU = line(short.CPU, long.CPU, seconds)
	kinds := maps.Clone(short.Requests)
	maps.Copy(kinds, long.Requests)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fixed, slope := line(short.Requests[kind], long.Requests[kind], seconds)
		if fixed > 0 {
			s.Fixed.Requests[kind] = fixed
		}
		if slope > 0 {
			s.PerSecond.Requests[kind] = slope
		}
	}
	return s
}

func line(short, long float64, seconds [2]int) (fixed, slope float64) {
	if long <= short {
		return (short + long) / 2, 0
	}
	slope = (long - short) / float64(seconds[1]-seconds[0])
	if fixed = short - slope*float64(seconds[0]); fixed < 0 {
		return 0, long / float64(seconds[1])
	}
	return fixed, slope
}

//go:embed measured.json
var measured []byte

// Measured are the figures kept with the code.
func Measured() (*Costs, error) { return Parse(measured) }

// Parse reads figures, and refuses those that no simulation can start from.
func Parse(document []byte) (*Costs, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	var c Costs
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("measured costs: %w", err)
	}
	if c.ChunkSeconds <= 0 || len(c.Titles) == 0 {
		return nil, fmt.Errorf("measured costs: %d titles with chunks of %d s: measure them with e2e/bench -steps", len(c.Titles), c.ChunkSeconds)
	}
	for _, t := range c.Titles {
		if t.Count <= 0 || t.Chunk.Fixed.CPU <= 0 {
			return nil, fmt.Errorf("measured costs: the title %q has %d outputs and chunks of %g s: both must be positive", t.Name, t.Count, t.Chunk.Fixed.CPU)
		}
	}
	return &c, nil
}

// Title finds a kind of job by its name.
func (c *Costs) Title(name string) (Title, error) {
	for _, t := range c.Titles {
		if t.Name == name {
			return t, nil
		}
	}
	return Title{}, fmt.Errorf("measured costs: there is no title %q", name)
}
