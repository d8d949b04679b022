package caption

import "strings"

// The characters of line 21 captions (CTA-608-E, 6.4): ASCII but for some
// positions, sixteen special ones behind 11, and two extended sets behind 12
// and 13 of which each character replaces the one before it.
const (
	special608   = "®°½¿™¢£♪à èâêîôû" // the space is transparent
	extended608a = "ÁÉÓÚÜü‘¡*'—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»"
	extended608b = "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤¦ÅåØø┌┐└┘"
)

// basic608 maps the codes whose character is not ASCII's.
var basic608 = map[byte]rune{
	0x2a: 'á', 0x5c: 'é', 0x5e: 'í', 0x5f: 'ó', 0x60: 'ú', 0x7b: 'ç', 0x7c: '÷', 0x7d: 'Ñ', 0x7e: 'ñ', 0x7f: '█',
}

// code608 is how a character is sent: a byte that shares its pair with another,
// or a pair, in front of which a byte may stand that it replaces.
type code608 struct {
	basic byte
	pair  [2]byte
}

// extended says whether the code replaces the character before it.
func (c code608) extended() bool { return c.pair[0] == 0x12 || c.pair[0] == 0x13 }

// codes608 is the way from characters to codes, made from the sets above.
var codes608 = func() map[rune]code608 {
	codes := map[rune]code608{}
	add := func(first, from byte, set string) {
		for i, r := range []rune(set) {
			if _, known := codes[r]; !known {
				codes[r] = code608{pair: [2]byte{first, from + byte(i)}}
			}
		}
	}
	for b := byte(0x20); b < 0x7f; b++ {
		if _, other := basic608[b]; !other {
			codes[rune(b)] = code608{basic: b}
		}
	}
	for b, r := range basic608 {
		codes[r] = code608{basic: b}
	}
	add(0x11, 0x30, special608)
	add(0x12, 0x20, extended608a)
	add(0x13, 0x20, extended608b)
	return codes
}()

// alike608 writes characters that line 21 lacks in others that read the same.
var alike608 = strings.NewReplacer("…", "...", "’", "'", "‚", ",", "„", "“", "–", "-", "‐", "-", "‑", "-", "−", "-", "―", "—",
	"\u00a0", " ", "\u2009", " ", "\u202f", " ", "\u3000", " ", "\u200b", "", "\u200e", "", "\u200f", "", "\u00ad", "", "♫", "♪",
	"`", "'", "‹", "<", "›", ">", "œ", "oe", "Œ", "OE", "æ", "ae", "Æ", "AE", "´", "'")

// fallback608 stands in front of an extended character for decoders that know
// only the basic ones.
func fallback608(r rune) byte {
	const letters = "ÁA ÉE ÓO ÚU ÜU üu ÀA ÂA ÇC ÈE ÊE ËE ëe ÎI ÏI ïi ÔO ÙU ùu ÛU ÃA ãa ÍI ÌI ìi ÒO òo ÕO õo ÄA äa ÖO öo ßs ÅA åa ØO øo " +
		"‘' —- “\" ”\" «\" »\" {( }) |! •."
	if _, after, ok := strings.Cut(letters, string(r)); ok {
		return after[0]
	}
	return ' '
}

// decode608 is the character of an ASCII position.
func decode608(b byte) rune {
	if r, ok := basic608[b]; ok {
		return r
	}
	return rune(b)
}
