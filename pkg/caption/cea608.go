package caption

import (
	"strings"
	"time"
)

// The miscellaneous control codes of the first channel (CTA-608-E, table 4),
// behind 14 hex.
const (
	resumeLoading  = 0x20 // pop-on captions follow, into the hidden memory
	backspace      = 0x21
	deleteToEnd    = 0x24
	rollUp2        = 0x25
	rollUp4        = 0x27
	resumeDirect   = 0x29 // paint-on captions follow, onto the screen
	textRestart    = 0x2a // what follows is no caption
	textResume     = 0x2b
	eraseDisplayed = 0x2c
	carriageReturn = 0x2d
	eraseHidden    = 0x2e
	endOfCaption   = 0x2f // swaps the hidden memory with the screen
)

const (
	rows608    = 15
	columns608 = 32

	// burstGap is the pause after which text that is written to the screen is
	// another caption. Text comes in at up to 60 characters a second.
	burstGap = 500 * time.Millisecond
)

// screen is a memory of characters; 0 is an empty place.
type screen [rows608][columns608]rune

func (s *screen) text() string {
	var b strings.Builder
	for i := range s {
		if s[i] == [columns608]rune{} {
			continue
		}
		b.WriteString(strings.ReplaceAll(string(s[i][:]), "\x00", " "))
		b.WriteByte('\n')
	}
	return tidy(b.String())
}

type mode608 int

const (
	noMode mode608 = iota
	popOn
	rollUp
	paintOn
	textMode
)

// Line21 turns the byte pairs of line 21 captions (CEA-608, channel CC1) into
// cues: what is on the screen becomes the text of a cue. The zero value is
// ready.
//
// Text that is written straight to the screen, in roll-up and paint-on mode,
// makes one cue a line or burst, and not one a character.
type Line21 struct {
	c             collector
	mode          mode608
	shown, hidden screen
	row, column   int // the cursor; behind a full row it stands at columns608
	window        int // rows of a roll-up
	since         time.Duration
	last          time.Duration
	control       [2]byte // the control pair before, which may come twice,
	controlAt     time.Duration
	other         bool // the other channel of the field speaks
}

// Pair takes the pair of bytes, with or without parity bits, of the frame that
// is shown at t. Frames come in order. An error is a SyntaxError about limits.
func (l *Line21) Pair(t time.Duration, first, second byte) error {
	first, second = first&0x7f, second&0x7f
	repeated := l.control == [2]byte{first, second} && t-l.controlAt <= frameTime(2)
	l.control = [2]byte{}
	switch {
	case first == 0 && second == 0:
		return nil
	case first < 0x10: // services other than captions
		return nil
	case first >= 0x20:
		return l.characters(t, first, second)
	case repeated:
		return nil
	}
	l.control, l.controlAt = [2]byte{first, second}, t
	l.other = first&0x08 != 0
	if l.other {
		return nil
	}
	return l.command(t, first, second)
}

// Finish returns the cues; what is still on the screen ends at end.
func (l *Line21) Finish(end time.Duration) ([]Cue, error) {
	if err := l.cut(max(end, l.since)); err != nil {
		return nil, err
	}
	return l.c.finish(), nil
}

func (l *Line21) command(t time.Duration, first, second byte) error {
	switch {
	case second >= 0x40:
		return l.position(t, first, second)
	case first == 0x11 && second >= 0x30:
		return l.put(t, []rune(special608)[second-0x30])
	case first == 0x11 && second >= 0x20: // a change of colour takes a place
		return l.put(t, ' ')
	case first == 0x12 || first == 0x13:
		return l.replace(t, first, second)
	case first == 0x17 && second >= 0x21 && second <= 0x23:
		l.column = min(l.column+int(second-0x20), columns608-1)
	case first == 0x14 || first == 0x15: // 15: the second field
		return l.control14(t, second)
	}
	return nil
}

// replace puts an extended character over the one before it.
func (l *Line21) replace(t time.Duration, set, code byte) error {
	if code < 0x20 {
		return nil
	}
	l.column = max(0, l.column-1)
	characters := extended608a
	if set == 0x13 {
		characters = extended608b
	}
	return l.put(t, []rune(characters)[code-0x20])
}

func (l *Line21) control14(t time.Duration, code byte) error {
	switch code {
	case resumeLoading:
		l.mode = popOn
	case resumeDirect:
		l.mode = paintOn
	case textRestart, textResume:
		l.mode = textMode
	case eraseHidden:
		l.hidden = screen{}
	case backspace:
		l.column = max(0, l.column-1)
		return l.erase(t, l.column, l.column+1)
	case deleteToEnd:
		return l.erase(t, l.column, columns608)
	case eraseDisplayed, endOfCaption, carriageReturn:
		return l.change(t, code)
	}
	if code >= rollUp2 && code <= rollUp4 {
		return l.roll(t, int(code-rollUp2)+2)
	}
	return nil
}

// change does what replaces the text on the screen.
func (l *Line21) change(t time.Duration, code byte) error {
	if code == carriageReturn && l.mode != rollUp {
		return nil
	}
	if err := l.cut(t); err != nil {
		return err
	}
	switch code {
	case eraseDisplayed:
		l.shown = screen{}
	case endOfCaption:
		l.shown, l.hidden = l.hidden, l.shown
		l.mode = popOn
	case carriageReturn:
		l.scroll()
	}
	return nil
}

// roll begins roll-up captions; it erases captions of another mode.
func (l *Line21) roll(t time.Duration, window int) error {
	l.window = window
	if l.mode == rollUp {
		return nil
	}
	if err := l.cut(t); err != nil {
		return err
	}
	l.mode, l.shown, l.hidden = rollUp, screen{}, screen{}
	l.row, l.column = rows608-1, 0
	return nil
}

// scroll moves the window up by a row.
func (l *Line21) scroll() {
	top := max(0, l.row-l.window+1)
	for row := range l.shown {
		switch {
		case row < top || row > l.row:
			l.shown[row] = [columns608]rune{}
		case row < l.row:
			l.shown[row] = l.shown[row+1]
		}
	}
	l.shown[l.row] = [columns608]rune{}
	l.column = 0
}

// rowsOf are the rows that preamble codes select, by their first byte; the
// second says which of the two (CTA-608-E, table 53).
var rowsOf = [8][2]int{{10, 10}, {0, 1}, {2, 3}, {11, 12}, {13, 14}, {4, 5}, {6, 7}, {8, 9}}

// position does a preamble address code: row, indent, and colours, which are
// lost.
func (l *Line21) position(t time.Duration, first, second byte) error {
	row := rowsOf[first&7][second>>5&1]
	if l.mode == rollUp && row != l.row {
		if err := l.cut(t); err != nil {
			return err
		}
		l.moveWindow(row)
	}
	l.row, l.column = row, 0
	if second&0x10 != 0 {
		l.column = int(second>>1&7) * 4
	}
	return nil
}

// moveWindow puts the rows of a roll-up where its base row is now.
func (l *Line21) moveWindow(base int) {
	var moved screen
	for i := range l.window {
		if from, to := l.row-i, base-i; from >= 0 && to >= 0 {
			moved[to] = l.shown[from]
		}
	}
	l.shown = moved
}

func (l *Line21) characters(t time.Duration, first, second byte) error {
	if l.other {
		return nil
	}
	if err := l.put(t, decode608(first)); err != nil || second < 0x20 {
		return err
	}
	return l.put(t, decode608(second))
}

// put writes a character at the cursor. The last column is overwritten when
// there is more text than room.
func (l *Line21) put(t time.Duration, r rune) error {
	memory, err := l.memory(t)
	if memory == nil || err != nil {
		return err
	}
	memory[l.row][min(l.column, columns608-1)] = r
	l.column = min(l.column+1, columns608)
	return nil
}

func (l *Line21) erase(t time.Duration, from, to int) error {
	memory, err := l.memory(t)
	if memory == nil || err != nil {
		return err
	}
	clear(memory[l.row][from:to])
	return nil
}

// memory is where the mode writes to; nil outside captions. For the screen, it
// begins a cue when what it shows was complete.
func (l *Line21) memory(t time.Duration) (*screen, error) {
	switch l.mode {
	case popOn:
		return &l.hidden, nil
	case rollUp, paintOn:
		quiet := t - l.last
		l.last = t
		if quiet > burstGap {
			return &l.shown, l.cut(t)
		}
		return &l.shown, nil
	}
	return nil, nil
}

// cut ends the cue of what is on the screen; what comes begins at t. A cue that
// goes on unchanged becomes longer.
func (l *Line21) cut(t time.Duration) error {
	l.c.format = SCC
	text, since := l.shown.text(), l.since
	l.since, l.last = t, t
	if n := len(l.c.cues); n > 0 && l.c.cues[n-1].End == since && l.c.cues[n-1].Text == text {
		l.c.cues[n-1].End = max(since, t)
		return nil
	}
	return l.c.add(since, max(since, t), text)
}
