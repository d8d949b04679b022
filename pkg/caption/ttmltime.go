package caption

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"
)

// ttmlClock is how a TTML document counts time: its parameter attributes
// (TTML1, 6.2).
type ttmlClock struct {
	frameRate  int     // nominal frames a second
	multiplier float64 // of frameRate, for instance 1000/1001
	tickRate   float64 // ticks a second
	timeCode   bool    // smpte time base: hh:mm:ss:ff count frames and not seconds
	dropFrames bool    // ... of which two are left out in most minutes
}

// newTTMLClock reads the parameters of the document's root. It answers with the
// name of an attribute that it can't read.
func newTTMLClock(root xml.StartElement) (clock ttmlClock, bad string) {
	clock = ttmlClock{frameRate: 30, multiplier: 1}
	ticks, rated := 0, false
	for _, a := range root.Attr {
		if !strings.Contains(a.Name.Space, "parameter") { // the namespace of ttp:
			continue
		}
		ok := true
		switch a.Name.Local {
		case "frameRate":
			clock.frameRate, ok = number(a.Value, 4)
			ok, rated = ok && clock.frameRate > 0, true
		case "frameRateMultiplier":
			clock.multiplier, ok = parseMultiplier(a.Value)
		case "tickRate":
			ticks, ok = number(a.Value, 9)
			ok = ok && ticks > 0
		case "timeBase":
			clock.timeCode = a.Value == "smpte"
			ok = clock.timeCode || a.Value == "media" // clock: the time of day
		case "dropMode":
			clock.dropFrames = a.Value == "dropNTSC"
			ok = clock.dropFrames || a.Value == "nonDrop"
		}
		if !ok {
			return clock, a.Name.Local
		}
	}
	clock.tickRate = clock.ticksPerSecond(ticks, rated)
	return clock, ""
}

// ticksPerSecond is the tick rate that was given, or the frame rate that was,
// or 1 (TTML1, 6.2.10).
func (c ttmlClock) ticksPerSecond(given int, rated bool) float64 {
	switch {
	case given > 0:
		return float64(given)
	case rated:
		return c.framesPerSecond()
	}
	return 1
}

// parseMultiplier reads "1000 1001", or with a colon as DFXP had it.
func parseMultiplier(s string) (float64, bool) {
	num, den, two := strings.Cut(strings.Replace(s, ":", " ", 1), " ")
	if !two {
		den = "1"
	}
	n, ok1 := number(num, 6)
	d, ok2 := number(den, 6)
	if !ok1 || !ok2 || n == 0 || d == 0 {
		return 0, false
	}
	return float64(n) / float64(d), true
}

func (c ttmlClock) framesPerSecond() float64 { return float64(c.frameRate) * c.multiplier }

// parse reads a time expression (TTML1, 10.3.1): hh:mm:ss with decimals or
// frames, or a number with the metric h, m, s, ms, f or t.
func (c ttmlClock) parse(s string) (time.Duration, bool) {
	if fields := strings.Split(s, ":"); len(fields) == 4 {
		return c.parseTimeCode(fields)
	}
	if strings.Contains(s, ":") {
		d, ok := parseClock(s)
		return d, ok && strings.Count(s, ":") == 2
	}
	digits := strings.TrimRight(s, "hmsft")
	value, err := strconv.ParseFloat(digits, 64)
	if err != nil || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	switch s[len(digits):] {
	case "h":
		value *= 3600
	case "m":
		value *= 60
	case "s":
	case "ms":
		value /= 1000
	case "f":
		value /= c.framesPerSecond()
	case "t":
		value /= c.tickRate
	default:
		return 0, false
	}
	return seconds(value)
}

// parseTimeCode reads hh:mm:ss:ff; sub-frames, ff.s, are less than can be
// seen and dropped.
func (c ttmlClock) parseTimeCode(fields []string) (time.Duration, bool) {
	fields[3], _, _ = strings.Cut(fields[3], ".")
	var n [4]int
	for i, field := range fields {
		var ok bool
		if n[i], ok = number(field, 4); !ok {
			return 0, false
		}
	}
	if n[0] > 999 || n[1] > 59 || n[2] > 59 || n[3] >= c.frameRate {
		return 0, false
	}
	whole := (n[0]*60+n[1])*60 + n[2]
	if !c.timeCode {
		return seconds(float64(whole) + float64(n[3])/c.framesPerSecond())
	}
	frames := whole*c.frameRate + n[3]
	if c.dropFrames {
		frames -= droppedFrames(n[0]*60 + n[1])
	}
	return seconds(float64(frames) / c.framesPerSecond())
}

// droppedFrames is how many numbers drop-frame time code (SMPTE 12M) left out
// until a minute: two in each but every tenth.
func droppedFrames(minute int) int { return 2 * (minute - minute/10) }

// seconds rounds to microseconds, so that decimals come out as they were
// written.
func seconds(v float64) (time.Duration, bool) {
	if v > MaxTime.Seconds()+1 {
		v = MaxTime.Seconds() + 1 // refused by who gets it, with a better text
	}
	return time.Duration(math.Round(v*1e6)) * time.Microsecond, true
}
