package envelope

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Context is the encryption context of a data key: the pairs, and the client's
// own. The error says that one of them is the client's already, or that all
// together are too long for an object's metadata.
func Context(pairs map[string]string) (map[string]string, error) {
	if _, taken := pairs[reserved]; taken {
		return nil, fmt.Errorf("the encryption context has %q, which is the S3 Encryption Client's own: leave it out", reserved)
	}
	all := maps.Clone(pairs)
	if all == nil {
		all = map[string]string{}
	}
	all[reserved] = cipher
	if n := len(formatContext(all)); n > MaxContext {
		return nil, fmt.Errorf("the encryption context has %d bytes as JSON; it is stored in the object's metadata, where %d fit: shorten it", n, MaxContext)
	}
	return all, nil
}

// Metadata is the user metadata of an object that is encrypted with the envelope,
// its names without the prefix x-amz-meta-. All of it is ASCII.
func (e Envelope) Metadata() map[string]string {
	return map[string]string{
		keyName:     base64.StdEncoding.EncodeToString(e.WrappedKey),
		ivName:      base64.StdEncoding.EncodeToString(e.IV),
		contextName: formatContext(e.Context),
		wrapName:    wrapping,
		cipherName:  cipher,
		tagName:     tagBits,
	}
}

// Length is the metadata that says how many bytes the file of an object of size
// bytes has. No client needs it.
func Length(size int64) map[string]string {
	return map[string]string{lengthName: strconv.FormatInt(size-TagSize, 10)}
}

// formatContext is the context as JSON that passes through a header unchanged:
// what is not printable ASCII, and what RFC 2047 gives a meaning, is escaped.
func formatContext(context map[string]string) string {
	text, err := json.Marshal(context)
	if err != nil {
		panic("envelope: " + err.Error()) // a map of strings always has a text
	}
	var ascii strings.Builder
	for _, r := range string(text) {
		switch {
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&ascii, `\u%04x\u%04x`, high, low)
		case r >= 0x7f, r == '=':
			fmt.Fprintf(&ascii, `\u%04x`, r)
		default:
			ascii.WriteRune(r)
		}
	}
	return ascii.String()
}
