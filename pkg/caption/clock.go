package caption

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseClock reads [hours:]minutes:seconds with up to nine decimals behind a
// point or a comma. Hours may have one to three digits, the others two (one is
// tolerated). A minus in front is read, so that who asks can say what is wrong.
func parseClock(s string) (time.Duration, bool) {
	negative := strings.HasPrefix(s, "-")
	fields := strings.Split(strings.TrimPrefix(s, "-"), ":")
	if len(fields) < 2 || len(fields) > 3 {
		return 0, false
	}
	whole, decimals, _ := strings.Cut(strings.Replace(fields[len(fields)-1], ",", ".", 1), ".")
	fields[len(fields)-1] = whole
	total := 0
	for i, field := range fields {
		hours := i == 0 && len(fields) == 3
		n, ok := number(field, 3)
		if !ok || !hours && n > 59 {
			return 0, false
		}
		total = total*60 + n
	}
	fraction, ok := parseDecimals(decimals)
	if !ok {
		return 0, false
	}
	d := time.Duration(total)*time.Second + fraction
	if negative {
		d = -d
	}
	return d, true
}

// parseDecimals reads the decimals of a second; none is 0.
func parseDecimals(s string) (time.Duration, bool) {
	if s == "" {
		return 0, true
	}
	n, ok := number(s, 9)
	for range 9 - len(s) {
		n *= 10
	}
	return time.Duration(n), ok
}

// number reads one to most digits, and nothing else.
func number(s string, most int) (int, bool) {
	if s == "" || len(s) > most || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// parseTiming reads "start --> end", behind which position settings may stand.
// Arrow says that the line has an arrow and so may be meant as a timing.
func parseTiming(line string) (start, end time.Duration, arrow, ok bool) {
	before, after, arrow := strings.Cut(line, "-->")
	if !arrow {
		return 0, 0, false, false
	}
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0, 0, true, false
	}
	start, ok1 := parseClock(strings.TrimSpace(before))
	end, ok2 := parseClock(fields[0])
	return start, end, true, ok1 && ok2
}

// formatClock writes hh:mm:ss and milliseconds behind the mark.
func formatClock(d time.Duration, mark string) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d%s%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, mark, ms%1000)
}

// milliseconds rounds a cue's times so that it is shown for one at least.
func milliseconds(c Cue) (start, end time.Duration) {
	start, end = c.Start.Round(time.Millisecond), c.End.Round(time.Millisecond)
	return start, max(end, start+time.Millisecond)
}
