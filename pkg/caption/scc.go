package caption

import (
	"strconv"
	"strings"
	"time"
)

const (
	sccHeader = "Scenarist_SCC V1.0"
	frames608 = 30 // nominal frames a second; each carries a pair
)

// frameTime is when a frame of 30000/1001 a second is shown.
func frameTime(frame int) time.Duration {
	return time.Duration(frame) * 100_100_000 / 3 // 1001e9/30000 ns
}

// frameAt is the frame nearest to a time.
func frameAt(t time.Duration) int {
	return int((t*3 + 50_050_000) / 100_100_000)
}

// decodeSCC reads Scenarist's file of byte pairs: lines with the time code of
// the first pair, and a pair a frame. Channel CC1 is read.
func decodeSCC(text string) ([]Cue, error) {
	var l Line21
	l.c.format = SCC
	frame, stamp := 0, 0
	for line := range strings.SplitSeq(text, "\n") {
		l.c.line++
		if l.c.line == 1 {
			if strings.TrimSpace(line) != sccHeader {
				return nil, l.c.errorf("the file doesn't start with the line %s", sccHeader)
			}
			continue
		}
		code, words, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(line), "\t", " "), " ")
		if code == "" {
			continue
		}
		at, ok := parseTimeCode(code)
		if !ok {
			return nil, l.c.errorf("no time code at the start; want 00:00:01;15 or 00:00:01:15")
		}
		if at < stamp {
			return nil, l.c.errorf("the time code is before that of an earlier line")
		}
		stamp = at
		// What is still being sent delays what comes, as on air.
		frame = max(frame, at)
		for word := range strings.FieldsSeq(words) {
			first, second, ok := parsePair(word)
			if !ok {
				return nil, l.c.errorf("not pairs of bytes as four hexadecimal digits")
			}
			if err := l.Pair(frameTime(frame), first, second); err != nil {
				return nil, err
			}
			frame++
		}
	}
	if stamp == 0 && frame == 0 {
		return nil, l.c.errorf("the file has no caption")
	}
	return l.Finish(frameTime(frame) + lastShown)
}

func parsePair(word string) (first, second byte, ok bool) {
	v, err := strconv.ParseUint(word, 16, 16)
	return byte(v >> 8), byte(v), err == nil && len(word) == 4
}

// parseTimeCode reads hh:mm:ss:ff, or with a semicolon or point before the
// frames for drop-frame time code, and returns the frame's number.
func parseTimeCode(s string) (frame int, ok bool) {
	fields := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(":;.,", r) })
	if len(fields) != 4 {
		return 0, false
	}
	var n [4]int
	for i, most := range []int{99, 59, 59, frames608 - 1} {
		if n[i], ok = number(fields[i], 2); !ok || n[i] > most {
			return 0, false
		}
	}
	minutes := n[0]*60 + n[1]
	frame = (minutes*60+n[2])*frames608 + n[3]
	if strings.ContainsAny(s, ";.,") {
		frame -= droppedFrames(minutes)
	}
	return max(frame, 0), true
}

// formatTimeCode writes a frame's number as drop-frame time code, which stays
// with the clock.
func formatTimeCode(frame int) string {
	const (
		minute = 60*frames608 - 2
		ten    = 10*minute + 2
	)
	tens, rest := frame/ten, frame%ten
	frame += 18 * tens
	if rest >= minute+2 {
		frame += 2 * ((rest - 2) / minute)
	}
	two := func(n int) string { return strconv.Itoa(n/10) + strconv.Itoa(n%10) }
	s := frame / frames608
	return two(s/3600) + ":" + two(s/60%60) + ":" + two(s%60) + ";" + two(frame%frames608)
}
