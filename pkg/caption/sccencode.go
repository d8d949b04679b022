package caption

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// unit is what must be sent without anything in between: pairs of characters,
// or a control pair and its repetition.
type unit [][2]byte

// control is a control pair, which is sent twice.
func control(first, second byte) unit { return unit{{first, second}, {first, second}} }

// encodeSCC writes pop-on captions in channel CC1. A caption is sent ahead so
// that it appears at its time; text of more than 60 characters a second appears
// later than it should, for want of room. Captions of the same time become one.
//
// What shows or erases a caption stands on a line of its own, since some readers
// take all of a line for the time in front of it.
func encodeSCC(cues []Cue) ([]byte, error) {
	flat, err := Flatten(cues)
	if err != nil {
		return nil, err
	}
	w := sccWriter{erase: -1}
	w.WriteString(sccHeader + "\n")
	for _, cue := range flat {
		rows, err := rowsOfText(cue.Text)
		if err != nil {
			return nil, err
		}
		w.caption(frameAt(cue.Start), popOnUnits(rows))
		w.erase = frameAt(cue.End)
	}
	w.eraseBefore(frameAt(MaxTime))
	return w.Bytes(), nil
}

// sccWriter places pairs on frames.
type sccWriter struct {
	bytes.Buffer
	free  int // the first frame that carries no pair yet
	erase int // frame at which the screen must become empty; -1 for none
}

// caption sends a caption that appears at a frame.
func (w *sccWriter) caption(at int, units []unit) {
	from := at - pairs(units)
	w.eraseBefore(max(from, w.free) - 2)
	if w.erase >= 0 && w.erase < at { // while this caption is being sent
		from = max(from-2, w.free)
		sent := unitsWithin(units, w.erase-from)
		w.line(from, units[:sent])
		w.line(w.free, []unit{control(0x14, eraseDisplayed)})
		from, units = w.free, units[sent:]
	}
	w.erase = -1 // otherwise it replaces what is shown
	w.line(from, units)
	w.line(at, []unit{control(0x14, endOfCaption)})
}

// eraseBefore empties the screen, if that is due at a frame at most.
func (w *sccWriter) eraseBefore(frame int) {
	if w.erase >= 0 && max(w.erase, w.free) <= frame {
		w.line(w.erase, []unit{control(0x14, eraseDisplayed)})
		w.erase = -1
	}
}

// line sends units from a frame on, or as soon as the line is free.
func (w *sccWriter) line(frame int, units []unit) {
	if len(units) == 0 {
		return
	}
	frame = max(frame, w.free)
	w.WriteString("\n" + formatTimeCode(frame) + "\t")
	for i, pair := range slices.Concat(units...) {
		if i > 0 {
			w.WriteByte(' ')
		}
		w.WriteString(hex.EncodeToString([]byte{oddParity(pair[0]), oddParity(pair[1])}))
	}
	w.WriteByte('\n')
	w.free = frame + pairs(units)
}

func pairs(units []unit) int {
	n := 0
	for _, u := range units {
		n += len(u)
	}
	return n
}

// unitsWithin is how many units it takes to fill some frames.
func unitsWithin(units []unit, frames int) int {
	n := 0
	for n < len(units) && frames > 0 {
		frames -= len(units[n])
		n++
	}
	return n
}

func oddParity(b byte) byte {
	if bits.OnesCount8(b)%2 == 0 {
		return b | 0x80
	}
	return b
}

// popOnUnits load rows into the hidden memory, centred at the bottom.
func popOnUnits(rows [][]rune) []unit {
	units := []unit{control(0x14, resumeLoading), control(0x14, eraseHidden)}
	for i, row := range rows {
		column := (columns608 - len(row)) / 2
		first, second := preamble(rows608-len(rows)+i, column/4)
		units = append(units, control(first, second))
		if tab := column % 4; tab > 0 {
			units = append(units, control(0x17, 0x20+byte(tab)))
		}
		units = append(units, rowUnits(row)...)
	}
	return units
}

// preamble is the address code of a row, with an indent of four columns each.
func preamble(row, indent int) (first, second byte) {
	for i, both := range rowsOf {
		for half, r := range both {
			if r == row {
				return 0x10 | byte(i), 0x50 | byte(half)<<5 | byte(indent)<<1
			}
		}
	}
	panic(fmt.Sprintf("caption: row %d of %d", row, rows608))
}

func rowUnits(row []rune) []unit {
	var units []unit
	var odd byte // a character that waits for the other of its pair
	basic := func(b byte) {
		if odd == 0 {
			odd = b
			return
		}
		units, odd = append(units, unit{{odd, b}}), 0
	}
	for _, r := range row {
		code := codes608[r]
		if code.basic != 0 {
			basic(code.basic)
			continue
		}
		if code.extended() {
			basic(fallback608(r))
		}
		if odd != 0 {
			basic(0)
		}
		units = append(units, control(code.pair[0], code.pair[1]))
	}
	if odd != 0 {
		basic(0)
	}
	return units
}

// rowsOfText breaks a text into rows of the screen.
func rowsOfText(text string) ([][]rune, error) {
	text = tidy(alike608.Replace(text))
	var rows [][]rune
	for line := range strings.SplitSeq(text, "\n") {
		for _, r := range line {
			if _, known := codes608[r]; !known {
				return nil, syntaxError(SCC, 0, "the captions have a character, U+%04X, that the format lacks: it has those of English, "+
					"Spanish, French, Portuguese, German and Danish; use srt, webvtt or dfxp for the language", r)
			}
		}
		rows = append(rows, wrap([]rune(line), columns608)...)
	}
	if len(rows) > rows608 {
		return nil, syntaxError(SCC, 0, "a caption has %d rows of %d columns, at most %d; use srt, webvtt or dfxp", len(rows), columns608, rows608)
	}
	return rows, nil
}

// wrap breaks a line at spaces, and words that are longer than a row.
func wrap(line []rune, columns int) [][]rune {
	var rows [][]rune
	for len(line) > columns {
		cut, next := columns, columns
		for i := columns; i > 0; i-- {
			if line[i] == ' ' {
				cut, next = i, i+1
				break
			}
		}
		rows = append(rows, line[:cut:cut])
		line = line[next:]
	}
	return append(rows, line)
}
