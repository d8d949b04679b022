package job

import (
	"fmt"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/rational"
)

// TimeSpan is the part of an input to transcode (API: TimeSpan). Both members
// are times as ParseTime reads them; without StartTime it begins with the
// input, without Duration it lasts to the input's end.
type TimeSpan struct {
	StartTime string `json:"StartTime,omitempty"`
	Duration  string `json:"Duration,omitempty"`
}

// Clip is the older way to say a TimeSpan, on the output (API: Clip).
type Clip struct {
	TimeSpan *TimeSpan `json:"TimeSpan,omitempty"`
}

// timeRule is the API's pattern: seconds, or hours and minutes before them.
var timeRule = document.Pattern(`(^\d{1,5}(\.\d{0,3})?$)|(^([0-1]?[0-9]:|2[0-3]:)?([0-5]?[0-9]:)?[0-5]?[0-9](\.\d{0,3})?$)`)

// latestTime is the last millisecond of a day: 23:59:59.999 or 86399.999.
var latestTime = rational.New(86399999, 1000)

// ParseTime reads sssss.SSS or HH:mm:ss.SSS as seconds. A time with one colon
// is minutes and seconds.
func ParseTime(text string) (rational.Rational, error) {
	if message := timeRule(text); message != "" {
		return rational.Rational{}, fmt.Errorf("time %s: %s", document.Quote(text), message)
	}
	total := rational.Int(0)
	for part := range strings.SplitSeq(text, ":") {
		n, err := rational.Parse(part)
		if err != nil {
			return rational.Rational{}, fmt.Errorf("time %s: %w", document.Quote(text), err)
		}
		total = total.Mul(rational.Int(60)).Add(n)
	}
	return total, nil
}

func timeRange(value string) string {
	t, err := ParseTime(value)
	if err != nil {
		return timeRule(value)
	}
	if latestTime.Less(t) {
		return "Member must be at most 86399.999 seconds, or 23:59:59.999"
	}
	return ""
}

func durationRange(value string) string {
	if message := timeRange(value); message != "" {
		return message
	}
	if t, _ := ParseTime(value); t.Sign() == 0 {
		return "Member must be more than 0 seconds: a clip without length is no output"
	}
	return ""
}

// readTimeSpan is nil for a span that says nothing.
func readTimeSpan(o *document.Object) *TimeSpan {
	if o == nil {
		return nil
	}
	defer o.Close()
	s := TimeSpan{
		StartTime: o.String("StartTime", document.BlankOr(timeRange)),
		Duration:  o.String("Duration", document.BlankOr(durationRange)),
	}
	if s == (TimeSpan{}) {
		return nil
	}
	return &s
}

// readComposition reads the clips of an output, of which there may be one.
func readComposition(output *document.Object) []Clip {
	var clips []Clip
	for _, o := range output.Objects("Composition", 1) {
		if span := readTimeSpan(o.Object("TimeSpan")); span != nil {
			clips = append(clips, Clip{TimeSpan: span})
		}
		o.Close()
	}
	return clips
}
