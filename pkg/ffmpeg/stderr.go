package ffmpeg

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
)

// tailSize is how much of a program's error text is kept, in bytes.
const tailSize = 16 << 10

// tail is a writer that keeps the last tailSize bytes written to it.
type tail struct {
	buf []byte
	cut bool // something was dropped
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > tailSize {
		p, t.cut = p[len(p)-tailSize:], true
	}
	if over := len(t.buf) + len(p) - tailSize; over > 0 {
		t.buf, t.cut = t.buf[:copy(t.buf, t.buf[over:])], true
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

// String returns what was kept. If the beginning was dropped, so is the rest
// of the line (or the word) it ended in, lest half a token stay unrecognised.
func (t *tail) String() string {
	b := t.buf
	if t.cut {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			end = bytes.IndexByte(b, ' ')
		}
		b = b[end+1:]
		if end < 0 {
			b = nil
		}
	}
	return string(b)
}

// resourceURL matches a loopback resource, whole or as the path of a request,
// and captures its name.
var resourceURL = regexp.MustCompile(`(?:https?://127\.0\.0\.1:\d+)?/[0-9a-f]{32}/([A-Za-z0-9._-]+)`)

// redact puts the names of loopback resources in the place of their URLs.
func redact(s string) string { return resourceURL.ReplaceAllString(s, "$1") }

var (
	// logContext is the "[mov,mp4 @ 0x55d4]" before a message.
	logContext = regexp.MustCompile(`^(?:\[[^\]]* @ 0x[0-9a-f]+\] )+`)
	// farewells say only that something was said before.
	farewells = regexp.MustCompile(`^(?:Conversion failed!|Exiting .*|\s*Last message repeated .*)?$`)
)

// reason picks the line of an error text that says most about why a program
// ended, which is the last that is no mere farewell, cut to a bearable length.
func reason(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.Map(func(c rune) rune {
			if unicode.IsPrint(c) {
				return c
			}
			return -1
		}, strings.ToValidUTF8(lines[i], "?"))
		line = logContext.ReplaceAllString(line, "")
		if farewells.MatchString(line) {
			continue
		}
		if runes := []rune(line); len(runes) > 200 {
			line = string(runes[:200]) + "..."
		}
		return line
	}
	return ""
}
