package hls

import (
	"fmt"
	"slices"
	"strings"
)

// relative is the URI reference (RFC 3986, 4.2) of the object key from the
// playlist with the key from. It fails for names that no URI can say: clients
// resolve the segments "." and ".." away, however they are written.
func relative(from, key string) (string, error) {
	here, there := strings.Split(from, "/"), strings.Split(key, "/")
	if slices.ContainsFunc(slices.Concat(here, there), func(s string) bool { return s == "." || s == ".." }) {
		return "", fmt.Errorf("%w %q: no URI can name %q, which has a folder %q or %q", ErrPlaylist, from, key, ".", "..")
	}
	here, name := here[:len(here)-1], there[len(there)-1]
	there = there[:len(there)-1]
	common := 0
	for common < min(len(here), len(there)) && here[common] == there[common] {
		common++
	}
	var b strings.Builder
	for range here[common:] {
		b.WriteString("../")
	}
	path := append(slices.Clone(there[common:]), name)
	if b.Len() == 0 && path[0] == "" {
		b.WriteString("./") // a leading slash would start at the root
	}
	for i, s := range path {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(escape(s))
	}
	return b.String(), nil
}

// escape writes all but unreserved characters as percent-encoded bytes. That is
// more than a path needs, but S3 takes a "+" for a space, and a ":" may look
// like a scheme.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
