package demo

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"text/tabwriter"
	"time"

	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/local/stack"
)

// summary prints what was done, what came out and where it is.
func (d *demo) summary(reports []report, requests []stack.Count) error {
	done := table(d.Out, "STEP\tTOOK\tWHAT")
	for _, s := range d.steps {
		done.row("%s\t%s\t%s", s.name, seconds(s.took), s.result)
	}
	done.row("all\t%s\t%s", seconds(time.Since(d.began)), requestText(requests))
	if err := done.Flush(); err != nil {
		return err
	}
	made := table(d.Out, "\nOUTPUT\tLENGTH\tSIZE\tSEALED OBJECTS")
	for _, r := range reports {
		made.row("%s\t%.2f s\t%s\t%d", path.Base(r.name), r.seconds, progress.Bytes(r.bytes), r.sealed)
	}
	if err := made.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(d.Out, "\nThe decrypted outputs are in %s\n", filepath.Join(d.Dir, "out", path.Dir(reports[0].name)))
	return err
}

// columns are a table, which is written when it is flushed.
type columns struct{ *tabwriter.Writer }

func table(w io.Writer, head string) columns {
	c := columns{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	c.row("%s", head)
	return c
}

// row adds a line, whose cells tabs part.
func (c columns) row(format string, cells ...any) {
	_, _ = fmt.Fprintf(c, format+"\n", cells...) // Flush tells what fails
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// requestText counts the requests of everybody by service.
func requestText(counts []stack.Count) string {
	sum := map[string]int{}
	for _, c := range counts {
		sum[c.Service] += c.Requests
	}
	return fmt.Sprintf("%d requests to S3, %d to SQS, %d to KMS", sum["s3"], sum["sqs"], sum["kms"])
}
