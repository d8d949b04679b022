package caption

import (
	"encoding/binary"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// MovTextScale is the time scale of tracks made of MovTextSamples: their times
// are whole milliseconds.
const MovTextScale = 1000

// A MovTextSample is a sample of a track of 3GPP timed text (TS 26.245, 5.17).
// The samples of a track leave no gap: an empty text fills one.
type MovTextSample struct {
	Start, End time.Duration
	Data       []byte
}

// MovTextSamples makes the samples of a track that is as long as its video.
// Cues beyond the end are cut off. The error is Flatten's.
func MovTextSamples(cues []Cue, length time.Duration) ([]MovTextSample, error) {
	flat, err := Flatten(cues)
	if err != nil {
		return nil, err
	}
	length = length.Round(time.Millisecond)
	var samples []MovTextSample
	var now time.Duration
	add := func(until time.Duration, text string) {
		if until = min(until, length); until > now {
			samples = append(samples, MovTextSample{now, until, movText(text)})
			now = until
		}
	}
	for _, cue := range flat {
		add(cue.Start.Round(time.Millisecond), "")
		add(cue.End.Round(time.Millisecond), cue.Text)
	}
	add(length, "")
	return samples, nil
}

// movText is the data of a sample: its text behind its length in bytes. At most
// maxAtOnce texts of MaxText fit.
func movText(text string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(text))), text...) // #nosec G115 -- at most 8*(4096+1)
}

// DecodeMovText reads the samples of a track: text in UTF-8, or in UTF-16
// behind a byte order mark. Styles behind the text are dropped. An error is a
// SyntaxError or ErrNotUTF8.
func DecodeMovText(samples []MovTextSample) ([]Cue, error) {
	c := &collector{format: MovText}
	for _, s := range samples {
		text, err := movTextOf(s.Data)
		if err != nil {
			return nil, err
		}
		n := len(c.cues)
		if err := c.add(s.Start, s.End, text); err != nil {
			return nil, err
		}
		if n > 0 && len(c.cues) > n {
			c.cues = appendCue(c.cues[:n], c.cues[n])
		}
	}
	return c.finish(), nil
}

func movTextOf(data []byte) (string, error) {
	if len(data) == 0 { // some writers fill gaps so
		return "", nil
	}
	if len(data) < 2 || int(binary.BigEndian.Uint16(data)) > len(data)-2 {
		return "", syntaxError(MovText, 0, "a sample is shorter than its text")
	}
	text := data[2 : 2+binary.BigEndian.Uint16(data)]
	if len(text) >= 2 && (text[0] == 0xfe && text[1] == 0xff || text[0] == 0xff && text[1] == 0xfe) {
		var order binary.ByteOrder = binary.BigEndian
		if text[0] == 0xff {
			order = binary.LittleEndian
		}
		var units []uint16
		for i := 2; i+1 < len(text); i += 2 {
			units = append(units, order.Uint16(text[i:]))
		}
		return string(utf16.Decode(units)), nil
	}
	if !utf8.Valid(text) {
		return "", ErrNotUTF8
	}
	return string(text), nil
}

// MovTextEntry is the sample entry of a track (TS 26.245, 5.16): white text,
// centred at the bottom. It is the box tx3g whole.
func MovTextEntry() []byte {
	return movTextEntry
}

var movTextEntry = []byte("\x00\x00\x00\x40tx3g" +
	"\x00\x00\x00\x00\x00\x00\x00\x01" + // data reference 1
	"\x00\x00\x00\x00" + // display flags
	"\x01\xff" + // centred, at the bottom
	"\x00\x00\x00\x00" + // no background
	"\x00\x00\x00\x00\x00\x00\x00\x00" + // the whole track's box
	"\x00\x00\x00\x00\x00\x01\x00\x12\xff\xff\xff\xff" + // from 0 to 0, font 1, plain, 18 points, white
	"\x00\x00\x00\x12ftab\x00\x01\x00\x01\x05Serif")
