package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Line is one line of text that is shown again and again: overwritten on a
// terminal, one below the other elsewhere.
type Line struct {
	w        io.Writer
	terminal bool
	shown    bool
}

// NewLine returns a line on w, with the environment's word on the terminal.
func NewLine(w io.Writer, getenv func(string) string) *Line {
	return &Line{w: w, terminal: IsTerminal(w, getenv)}
}

// IsTerminal says whether w is a terminal that a line can be overwritten on.
func IsTerminal(w io.Writer, getenv func(string) string) bool {
	f, ok := w.(*os.File)
	if !ok || getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Terminal says whether the line is overwritten.
func (l *Line) Terminal() bool { return l.terminal }

// Show shows a text in place of the one before.
func (l *Line) Show(text string) error {
	l.shown = true
	before, after := "", "\n"
	if l.terminal {
		before, after = "\r", "\x1b[K" // carriage return; erase to the end of the line
	}
	_, err := fmt.Fprint(l.w, before, text, after)
	return err
}

// End leaves the last text where it is. What is written next begins a new line.
func (l *Line) End() {
	if l.terminal && l.shown {
		_, _ = fmt.Fprintln(l.w) // a terminal that is gone is no matter
	}
	l.shown = false
}

// cells is the width of a bar.
const cells = 24

// Bar is a bar of a fixed width, filled to the fraction.
func Bar(fraction float64) string {
	full := int(min(max(fraction, 0), 1) * cells)
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", cells-full) + "]"
}

// Left is how much longer something takes that took elapsed for the fraction,
// "" as long as there is nothing to tell it from.
func Left(fraction float64, elapsed time.Duration) string {
	if fraction <= 0 || fraction >= 1 || elapsed < time.Second {
		return ""
	}
	return Clock(time.Duration(float64(elapsed)*(1-fraction)/fraction)) + " left"
}

// Clock is a duration in minutes and seconds, 1:05, or with hours, 1:00:05.
func Clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Bytes is a size in a unit that leaves three digits or so, in powers of 1000.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1000, 0
	for value >= 999.5 && unit < 3 {
		value, unit = value/1000, unit+1
	}
	return fmt.Sprintf("%.*f %s", precision(value), value, []string{"kB", "MB", "GB", "TB"}[unit])
}

func precision(value float64) int {
	if value < 99.5 {
		return 1
	}
	return 0
}
