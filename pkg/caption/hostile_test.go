package caption

import (
	"strings"
	"testing"
	"time"
)

// No long document keeps a reader busy: a mebibyte takes well under a second,
// also where a reader that looks back at all before it would take minutes.
func TestHostileDocumentsAreQuick(t *testing.T) {
	full := func(head, part string) string {
		return head + strings.Repeat(part, (1<<20-len(head))/len(part))
	}
	for name, doc := range map[string]string{
		"tags":              full("1\n0:1 --> 0:2\n", "<i"),
		"srt lines":         full("1\n", "\n"),
		"counters":          full("", "1\n"),
		"webvtt tags":       full("WEBVTT\n\n0:1 --> 0:2\n", "<<"),
		"webvtt references": full("WEBVTT\n\n0:1 --> 0:2\n", "&#"),
		"cues":              full("WEBVTT\n\n", "0:1 --> 0:2\na\n\n"),
		"elements":          full("<tt><body><div>", "<p/>"),
		"attributes":        full("<tt><body><div ", `a="" `),
		"comments":          full("<tt>", "<!---->"),
		"screens":           full(sccHeader+"\n0:0:0:0 1420 ", "4141 142f 142c "),
		"roll-up":           full(sccHeader+"\n0:0:0:0 1425 4141 ", "142d "),
		"rows":              full(sccHeader+"\n0:0:0:0 1425 4141 ", "1450 1470 "),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, _, err := Read(strings.NewReader(doc))
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v (%v)", d, err)
			}
		})
	}
}
