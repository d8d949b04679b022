package progress

import (
	"fmt"
	"strings"
	"time"
)

// Pace tells from a job's states how fast it goes.
type Pace struct {
	began time.Time
	first int // steps done when it began
}

// Text is a state in one line: a bar where it can be overwritten, the pace and
// the time left once they are known.
func (p *Pace) Text(s State, now time.Time, bar bool) string {
	words := []string{s.Record.Job.ID}
	if bar {
		words = append(words, Bar(s.Fraction()))
	}
	words = append(words, status(s))
	if s.Total > 0 {
		words = append(words, fmt.Sprintf("%d/%d", s.Done, s.Total))
	}
	if bar && s.Total > 0 && !s.Ended() {
		words = append(words, p.pace(s, now)...)
	}
	return strings.Join(words, "  ")
}

func status(s State) string {
	if s.Record.Waiting && !s.Ended() {
		return "waiting for its input"
	}
	return s.Record.Job.Status
}

func (p *Pace) pace(s State, now time.Time) []string {
	if p.began.IsZero() {
		p.began, p.first = now, s.Done
	}
	elapsed, steps := now.Sub(p.began), s.Done-p.first
	if steps <= 0 || elapsed < time.Second {
		return nil
	}
	words := []string{fmt.Sprintf("%.1f steps/s", float64(steps)/elapsed.Seconds())}
	left := Left(float64(steps)/float64(s.Total-p.first), elapsed)
	if left != "" {
		words = append(words, left)
	}
	return words
}

// Shower shows the states that it is given on a line.
func Shower(line *Line) func(State) error {
	var p Pace
	shown := ""
	return func(s State) error {
		text := p.Text(s, time.Now(), line.Terminal())
		if text == shown {
			return nil
		}
		shown = text
		return line.Show(text)
	}
}
