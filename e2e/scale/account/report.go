package account

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"sealreel/e2e/scale/cost"
)

// Report simulates all scenarios and writes their tables.
func Report(w io.Writer, c *cost.Costs, jobs int, seed uint64) error {
	writeCosts(w, c)
	large, err := runAll(c, Large(jobs), seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s titles of one hour at 8 Mbit/s, dropped within ten minutes\n\n", count(jobs))
	writeOutcomes(w, large)
	fmt.Fprintf(w, "\nWhat is used of each limit, %q\n\n", large[len(large)-1].Name)
	writeUses(w, large[len(large)-1])
	mixed, err := runAll(c, Mixed(), seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nTwenty titles of a minute, one each half minute from the twentieth minute on; the long one has eight hours and was there first; 8 workers of a concurrency of 10\n\n")
	fmt.Fprint(w, mixedTable(mixed))
	return nil
}

// Seed is that of the figures in docs/scale.md.
const Seed = 1

// mark stands in the guide before the tables, which go on to its end.
const mark = "<!-- The rest is written by make scale. -->\n"

// WriteGuide puts the tables into a guide, behind its mark.
func WriteGuide(file string, c *cost.Costs, jobs int) error {
	guide, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, _, ok := strings.Cut(string(guide), mark)
	if !ok {
		return fmt.Errorf("%s has no line %q", file, strings.TrimSpace(mark))
	}
	text := bytes.NewBufferString(head + mark + "\n")
	if err := Report(text, c, jobs, Seed); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}

func runAll(c *cost.Costs, scenarios []Scenario, seed uint64) ([]Result, error) {
	all := make([]Result, len(scenarios))
	for i, sc := range scenarios {
		var err error
		if all[i], err = Run(c, sc, seed); err != nil {
			return nil, fmt.Errorf("%s: %w", sc.Name, err)
		}
	}
	return all, nil
}

// table writes rows as Markdown, the first as its head.
func table(w io.Writer, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", width[i]-len([]rune(cell))))
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for i := range row {
				fmt.Fprint(w, "| ", strings.Repeat("-", width[i]), " ")
			}
			fmt.Fprintln(w, "|")
		}
	}
}

func writeCosts(w io.Writer, c *cost.Costs) {
	fmt.Fprintf(w, "Measured %s on %d processors (%s), x264 %s, chunks of %d s, with inputs of %d and %d s\n\n", c.Date, c.CPUs, c.Machine, c.X264, c.ChunkSeconds, c.Seconds[0], c.Seconds[1])
	rows := [][]string{{"Job", "Step", "Processor, seconds", "S3 requests", "KMS requests"}}
	for _, t := range c.Titles {
		rows = append(rows,
			step(t, "ingest", t.Ingest), step(t, "sound", t.Audio),
			step(t, "one chunk", t.Chunk), step(t, "one output", t.Assemble))
	}
	table(w, rows)
}

func step(t cost.Title, name string, s cost.Step) []string {
	requests := func(service string) string {
		var fixed, slope float64
		for kind, n := range s.Fixed.Requests {
			if strings.HasPrefix(kind, service) {
				fixed += n
			}
		}
		for kind, n := range s.PerSecond.Requests {
			if strings.HasPrefix(kind, service) {
				slope += n
			}
		}
		return linear(fixed, slope*60, "%.0f", "%.1f")
	}
	return []string{t.Name + ": " + t.Input + " to " + t.Outputs, name, linear(s.Fixed.CPU, s.PerSecond.CPU*60, "%.2f", "%.2f"), requests("s3"), requests("kms")}
}

func linear(fixed, perMinute float64, form, slope string) string {
	if perMinute == 0 {
		return fmt.Sprintf(form, fixed)
	}
	return fmt.Sprintf(form+" + "+slope+" a minute", fixed, perMinute)
}

func writeOutcomes(w io.Writer, results []Result) {
	rows := [][]string{{"Workers of concurrency", "Complete", "Error", "Open", "Took", "Media an hour", "Half done in", "Held up by", "Longest in queue", "Event waits", "Set going again", "Messages in vain", "Made twice", "Reconcile's rounds cut", "A job unseen for"}}
	for _, r := range results {
		rows = append(rows, []string{r.Name, count(r.Complete), count(r.Failed), count(r.Unended), length(r.Took), count(int(r.MediaHour)) + " h", length(r.Turns[0].Median), r.Bottleneck,
			length(r.LongestWait), length(r.EventWait), count(r.Restarted), count(r.Repeated), fmt.Sprintf("%.1f %%", 100*r.Wasted), fmt.Sprintf("%d of %d", r.RoundsCut, r.Rounds), length(r.LongestBlind)})
	}
	table(w, transposed(rows))
	for _, r := range results {
		if troubles := r.troubles(); troubles != "" {
			fmt.Fprintf(w, "\n%s: %s.\n", r.Name, troubles)
		}
	}
}

// troubles are what must not be.
func (r Result) troubles() string {
	var all []string
	for _, one := range []struct {
		n    int
		what string
	}{
		{r.Failed, "jobs failed"}, {r.Unended, "jobs did not end"}, {r.WorkExpired, "of them since their work files had expired"}, {r.Expired, "messages expired"},
		{r.DeadLetters, "dead letters"}, {r.EventsLost, "events became too old"}, {r.TimedOut, "functions ran out of time"},
	} {
		if one.n > 0 {
			all = append(all, count(one.n)+" "+one.what)
		}
	}
	return strings.Join(all, ", ")
}

func transposed(rows [][]string) [][]string {
	out := make([][]string, len(rows[0]))
	for i := range out {
		for _, row := range rows {
			out[i] = append(out[i], row[i])
		}
	}
	return out
}

func writeUses(w io.Writer, r Result) {
	rows := [][]string{{"Limit", "Allowed", "Mean", "Used", "Most in a second"}}
	for _, u := range r.Uses {
		rows = append(rows, []string{u.Name, count(int(u.Limit)), fmt.Sprintf("%.1f", u.Mean), fmt.Sprintf("%.1f %%", 100*u.Share()), count(int(u.Peak))})
	}
	table(w, rows)
}

func mixedTable(results []Result) string {
	rows := [][]string{{"", "Short ones: half done in", "Slowest", "Long one"}}
	for _, r := range results {
		short, long := r.Turns[len(r.Turns)-1], "-"
		if len(r.Turns) > 1 {
			long = length(r.Turns[0].Longest)
		}
		rows = append(rows, []string{r.Name, length(short.Median), length(short.Longest), long})
	}
	var text strings.Builder
	table(&text, rows)
	return text.String()
}

// length is a time for a person to read.
func length(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f d", d.Hours()/24)
	case d >= 100*time.Minute:
		return fmt.Sprintf("%.1f h", d.Hours())
	case d >= 100*time.Second:
		return fmt.Sprintf("%.0f min", d.Minutes())
	default:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
}

// count is a number with its thousands apart.
func count(n int) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
