package progress

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	patience   = 2 * time.Second        // a transfer that is over by then shows nothing
	redraw     = 200 * time.Millisecond // between two looks of a terminal's line
	linesApart = 10 * time.Second       // between two lines elsewhere
)

// Transfer shows how far a stream of bytes is, once it takes a while.
type Transfer struct {
	line  *Line
	name  string
	total int64 // 0: unknown

	done  int64
	began time.Time
	next  time.Time // when to show something
}

// NewTransfer shows a transfer of total bytes on the line.
func NewTransfer(line *Line, name string, total int64) *Transfer {
	now := time.Now()
	return &Transfer{line: line, name: name, total: total, began: now, next: now.Add(patience)}
}

// Reader is r, with what is read of it counted.
func (t *Transfer) Reader(r io.Reader) io.Reader { return counted{r, t} }

type counted struct {
	io.Reader
	t *Transfer
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.t.add(n)
	return n, err
}

func (t *Transfer) add(n int) {
	t.done += int64(n)
	now := time.Now()
	if now.Before(t.next) {
		return
	}
	apart := linesApart
	if t.line.Terminal() {
		apart = redraw
	}
	t.next = now.Add(apart)
	t.line.Show(t.text(now.Sub(t.began))) //nolint:errcheck // what can't be shown is no reason to stop
}

func (t *Transfer) text(elapsed time.Duration) string {
	rate := Bytes(int64(float64(t.done)/elapsed.Seconds())) + "/s"
	if t.total <= 0 {
		return fmt.Sprintf("%s  %s  %s", t.name, Bytes(t.done), rate)
	}
	fraction := float64(t.done) / float64(t.total)
	bar := fmt.Sprintf("%3.0f%%", fraction*100)
	if t.line.Terminal() {
		bar = Bar(fraction)
	}
	text := fmt.Sprintf("%s  %s  %s of %s  %s  %s", t.name, bar, Bytes(t.done), Bytes(t.total), rate, Left(fraction, elapsed))
	return strings.TrimSpace(text)
}

// End leaves the last thing shown where it is.
func (t *Transfer) End() { t.line.End() }
