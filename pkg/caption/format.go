package caption

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Format is a format of captions, by the API's name (CaptionFormat.Format).
type Format string

// The formats.
const (
	SRT     Format = "srt"
	WebVTT  Format = "webvtt"
	DFXP    Format = "dfxp" // TTML and its kin: SMPTE-TT, EBU-TT
	SCC     Format = "scc"
	MovText Format = "mov-text" // 3GPP timed text (tx3g), within an mp4
	CEA708  Format = "cea-708"  // within the picture's stream
)

// Embedded says whether captions of the format are part of the media file.
func (f Format) Embedded() bool { return f == MovText || f == CEA708 }

var byteOrderMark = []byte("\ufeff")

// Read reads a caption file in any of the side-car formats; which one shows in
// its content. What is wrong with the file is a SyntaxError or ErrNotUTF8; an
// error of r is wrapped.
func Read(r io.Reader) ([]Cue, Format, error) {
	doc, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, "", fmt.Errorf("read captions: %w", err)
	}
	format := Detect(doc)
	cues, err := Decode(format, doc)
	return cues, format, err
}

// Detect tells the side-car formats apart by how a document begins. One that
// begins like no other is taken for srt, which has no mark.
func Detect(doc []byte) Format {
	doc = bytes.TrimSpace(bytes.TrimPrefix(doc, byteOrderMark))
	switch {
	case bytes.HasPrefix(doc, []byte("WEBVTT")):
		return WebVTT
	case bytes.HasPrefix(doc, []byte(sccHeader)):
		return SCC
	case bytes.HasPrefix(doc, []byte("<")):
		return DFXP
	}
	return SRT
}

// Decode reads a document of a side-car format. Lines may end in LF, CR LF or
// CR, and a byte order mark may stand in front.
func Decode(format Format, doc []byte) ([]Cue, error) {
	if len(doc) > MaxSize {
		return nil, syntaxError(format, 0, "the file has more than %d bytes", MaxSize)
	}
	if !utf8.Valid(doc) {
		return nil, ErrNotUTF8
	}
	text := string(bytes.TrimPrefix(doc, byteOrderMark))
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	switch format {
	case SRT:
		return decodeSRT(text)
	case WebVTT:
		return decodeWebVTT(text)
	case DFXP:
		return decodeTTML(text)
	case SCC:
		return decodeSCC(text)
	}
	return nil, fmt.Errorf("format %q is none of a caption file; use srt, webvtt, dfxp or scc", format)
}

// Encode writes a document of a side-car format, in UTF-8 with LF. It fails
// only for scc, which has few characters and little room (a SyntaxError).
func Encode(format Format, track Track) ([]byte, error) {
	switch format {
	case SRT:
		return encodeSRT(track.Cues), nil
	case WebVTT:
		return encodeWebVTT(track.Cues, ""), nil
	case DFXP:
		return encodeTTML(track), nil
	case SCC:
		return encodeSCC(track.Cues)
	}
	return nil, fmt.Errorf("format %q is none of a caption file; use srt, webvtt, dfxp or scc", format)
}

// Check says why a track can't be written in a format, or nothing: scc has few
// characters and little room, and formats that show one text at a time can't
// show too many at once. What is wrong is a SyntaxError.
func Check(format Format, cues []Cue) error {
	switch format {
	case SCC:
		_, err := encodeSCC(cues)
		return err
	case MovText:
		_, err := Flatten(cues)
		return err
	}
	return nil
}
