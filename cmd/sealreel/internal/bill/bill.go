// Package bill shows people what a job cost.
//
// It guarantees that the table names what its figures leave out.
package bill

import (
	"fmt"
	"io"
	"strings"

	"sealreel/pkg/job"
	"sealreel/pkg/price"
)

// Statement is a job's bill with what there is to know beside it.
type Statement struct {
	Job    string     `json:"job"`
	Status string     `json:"status"`
	Prices price.List `json:"prices"`
	price.Bill
	// Unrecorded are the tasks and outputs that no record says were done.
	Unrecorded []string `json:"unrecorded"`
	// Embedded says that the functions ran on the embedded AWS.
	Embedded bool `json:"embedded"`
}

// Write writes the statement as a table.
func (s Statement) Write(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "job %s: %s, %s of output\n\n", s.Job, s.Status, minutes(s.Minutes))
	s.functions(&text)
	s.services(&text)
	s.compared(&text)
	s.notes(&text)
	_, err := io.WriteString(w, text.String())
	return err
}

// gap is between two columns.
const gap = 2

// table aligns the first column to the left and the others to the right.
func table(w *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		fmt.Fprintf(w, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(w, "%*s", gap+widths[i+1], cell)
		}
		fmt.Fprintln(w)
	}
}

func (s Statement) functions(w *strings.Builder) {
	rows := [][]string{{"function", "calls", "failed", "seconds", "CPU s", "GB-s", "S3 write", "S3 read", "MB in", "MB out", "KMS", "SQS", "SNS", s.Prices.Currency}}
	add := func(name string, l price.Line, by float64) {
		rows = append(rows, []string{name, count(l.Invocations / by), count(l.Failed / by), number(l.Seconds / by), number(l.CPUSeconds / by), number(l.GBSeconds / by),
			count(l.S3Writes / by), count(l.S3Reads / by), number(l.S3In / by / 1e6), number(l.S3Out / by / 1e6), count(l.KMS / by), count(l.SQS / by), count(l.SNS / by), money(l.Cost.Total / by)})
	}
	for _, l := range s.Lines {
		add(l.Function, l, 1)
	}
	add("total", s.Total, 1)
	if s.Minutes > 0 {
		add("per output minute", s.Total, s.Minutes)
	}
	table(w, rows)
	fmt.Fprintln(w)
}

func (s Statement) services(w *strings.Builder) {
	c := s.Total.Cost
	if c.Total == 0 {
		return
	}
	fmt.Fprintf(w, "of the total: Lambda %s, S3 %s, KMS %s, SQS %s, SNS %s\n\n",
		part(c.Lambda, c.Total), part(c.S3, c.Total), part(c.KMS, c.Total), part(c.SQS, c.Total), part(c.SNS, c.Total))
}

func (s Statement) compared(w *strings.Builder) {
	if len(s.Compared) == 0 {
		return
	}
	rows := [][]string{{"what others would have charged", "minutes", "class", "Elastic Transcoder", "MediaConvert"}}
	var transcoder, convert float64
	without := false
	for _, o := range s.Compared {
		rows = append(rows, []string{o.ID + " " + o.Key, fmt.Sprintf("%.2f", o.Minutes), string(o.Class), charge(o.ElasticTranscoder), charge(o.MediaConvert)})
		if o.ElasticTranscoder != nil {
			transcoder += *o.ElasticTranscoder
		}
		if o.MediaConvert != nil {
			convert += *o.MediaConvert
		}
		without = without || o.MediaConvert == nil
	}
	whole := part(s.Total.Cost.Total, convert)
	if without {
		whole = "-"
	}
	rows = append(rows, []string{"total", fmt.Sprintf("%.2f", s.Minutes), "", money(transcoder), money(convert)},
		[]string{"this job's part of that", "", "", part(s.Total.Cost.Total, transcoder), whole})
	table(w, rows)
	if without {
		fmt.Fprintln(w, "\"-\": MediaConvert's basic tier does not make it.")
	}
	fmt.Fprintln(w)
}

func (s Statement) notes(w *strings.Builder) {
	if s.Lost > 0 {
		fmt.Fprintf(w, "%d attempts at tasks were killed before they could note what they used: they are in no figure.\n", s.Lost)
	}
	if n := len(s.Unrecorded); n > 0 {
		fmt.Fprintf(w, "There is no record of %d tasks and outputs (%s%s): what they used is in no figure.\n",
			n, strings.Join(s.Unrecorded[:min(n, 3)], ", "), map[bool]string{true: ", ..."}[n > 3])
	}
	if !job.Terminal(s.Status) {
		fmt.Fprintln(w, "The job goes on, and so do its costs.")
	}
	if s.Embedded {
		fmt.Fprintln(w, "It ran on the embedded AWS: its seconds are this machine's, not Lambda's (docs/cost.md).")
	}
	fmt.Fprintf(w, "Prices: %s, %s, list, without free tiers. Not included: storage, transfer out of the region, logs and metrics,\n"+
		"reconcile's rounds, empty polls of the queue, and what S3 asks of KMS for s3-aws-kms. Lambda's polls and deletes of\n"+
		"messages are estimated: one each a task.\n", s.Prices.Region, s.Prices.Date)
}

func minutes(m float64) string { return fmt.Sprintf("%.2f minutes", m) }

func money(m float64) string { return fmt.Sprintf("%.6f", m) }

func charge(m *float64) string {
	if m == nil {
		return "-"
	}
	return money(*m)
}

// count is a number of things, which may be divided.
func count(n float64) string {
	if n == float64(int64(n)) {
		return fmt.Sprintf("%d", int64(n))
	}
	return number(n)
}

func number(n float64) string { return fmt.Sprintf("%.1f", n) }

func part(of, whole float64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", of/whole*100)
}
