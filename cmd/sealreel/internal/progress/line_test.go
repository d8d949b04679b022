package progress

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func noEnv(string) string { return "" }

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 99_400: "99.4 kB", 99_600: "100 kB", 999_499: "999 kB", 999_500: "1.0 MB", 1_234_567: "1.2 MB",
		999_500_000: "1.0 GB", 5_000_000_000_000: "5.0 TB", 5_000_000_000_000_000: "5000 TB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0:00", 499 * time.Millisecond: "0:00", 59*time.Second + 600*time.Millisecond: "1:00", 65 * time.Second: "1:05", time.Hour + 5*time.Second: "1:00:05",
	} {
		if got := Clock(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestBarIsOfOneWidth(t *testing.T) {
	for _, fraction := range []float64{-1, 0, 0.001, 0.5, 0.999, 1, 2} {
		if bar := Bar(fraction); len(bar) != cells+2 || (strings.Count(bar, "#") == cells) != (fraction >= 1) {
			t.Errorf("%g: %s", fraction, bar)
		}
	}
}

func TestLeft(t *testing.T) {
	for _, c := range []struct {
		fraction float64
		elapsed  time.Duration
		want     string
	}{{0, time.Minute, ""}, {1, time.Minute, ""}, {0.5, time.Millisecond, ""}, {0.25, time.Minute, "3:00 left"}} {
		if got := Left(c.fraction, c.elapsed); got != c.want {
			t.Errorf("%g after %v: %q", c.fraction, c.elapsed, got)
		}
	}
}

func TestALineIsOverwrittenOnATerminalOnly(t *testing.T) {
	var plain, overwritten bytes.Buffer
	for w, terminal := range map[*bytes.Buffer]bool{&plain: false, &overwritten: true} {
		l := &Line{w: w, terminal: terminal}
		l.End()
		for _, text := range []string{"one", "two"} {
			if err := l.Show(text); err != nil {
				t.Fatal(err)
			}
		}
		l.End()
		l.End()
	}
	if plain.String() != "one\ntwo\n" || overwritten.String() != "\rone\x1b[K\rtwo\x1b[K\n" {
		t.Errorf("%q and %q", plain.String(), overwritten.String())
	}
}

func TestIsTerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if IsTerminal(file, noEnv) || IsTerminal(io.Discard, noEnv) {
		t.Error("a file is no terminal")
	}
}

// slow gives a byte each time, after a pause.
type slow struct{ pause time.Duration }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(s.pause)
	return copy(p, "x"), nil
}

func TestTransfersAreShownWhenTheyTakeAWhile(t *testing.T) {
	for _, c := range []struct {
		pause    time.Duration
		terminal bool
		shown    int
		last     string
	}{
		{19 * time.Millisecond, false, 0, ""},
		{time.Second, false, 10, ""},
		{time.Second, true, 99, "a  [########################]  100 B of 100 B  1 B/s"},
		{100 * time.Millisecond, true, 41, "a  [########################]  100 B of 100 B  10 B/s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var b bytes.Buffer
			transfer := NewTransfer(&Line{w: &b, terminal: c.terminal}, "a", 100)
			if n, err := io.Copy(io.Discard, transfer.Reader(io.LimitReader(slow{c.pause}, 100))); n != 100 || err != nil {
				t.Fatal(n, err)
			}
			transfer.End()
			shown := strings.FieldsFunc(strings.ReplaceAll(b.String(), "\x1b[K", ""), func(r rune) bool { return r == '\r' || r == '\n' })
			if len(shown) != c.shown || c.shown > 0 && c.terminal && shown[len(shown)-1] != c.last {
				t.Errorf("%+v: %d times, %q", c, len(shown), shown)
			}
		})
	}
}

func TestATransferOfUnknownLength(t *testing.T) {
	transfer := &Transfer{name: "a", line: &Line{w: io.Discard}, done: 5000}
	if got := transfer.text(time.Second); got != "a  5.0 kB  5.0 kB/s" {
		t.Errorf("%q", got)
	}
}
