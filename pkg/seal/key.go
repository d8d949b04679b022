package seal

import (
	"bytes"
	"crypto/fips140"
	"crypto/md5"
	"fmt"
	"io"
	"log/slog"

	"sealreel/pkg/shield"
)

// redacted is what a key prints as.
const redacted = "[key]"

// Key is a raw AES key of 128, 192 or 256 bits. The zero Key holds nothing.
// Copies share the same bytes, so wiping one wipes all. Keys can't be compared
// with ==, which would tell by its time how much is alike.
//
// The bytes are reached through a function, because package fmt follows
// pointers and calls no method of a value in an unexported field: whatever it
// can reach, it prints.
type Key struct{ held func() *[]byte }

// NewKey takes over raw, which is wiped: the key's own bytes lie where package
// shield erases them, should nobody wipe the key. The error names the size only,
// and leaves raw as it is.
func NewKey(raw []byte) (Key, error) {
	switch len(raw) {
	case 16, 24, 32:
		var own []byte
		shield.Do(func() {
			own = bytes.Clone(raw)
			clear(raw)
		})
		return Key{func() *[]byte { return &own }}, nil
	}
	return Key{}, fmt.Errorf("a key of %d bytes: AES keys have 16, 24 or 32", len(raw))
}

// Bytes are the key itself, not a copy; nil for the zero Key and after Wipe.
// They must not be kept.
func (k Key) Bytes() []byte {
	if k.held == nil {
		return nil
	}
	return *k.held()
}

// IsZero says whether there is no key, or none any more.
func (k Key) IsZero() bool { return len(k.Bytes()) == 0 }

// Bits is the key's size.
func (k Key) Bits() int { return 8 * len(k.Bytes()) }

// Wipe overwrites the key with zeros and forgets it. It must not run while the
// key is being used.
func (k Key) Wipe() {
	if k.held != nil {
		raw := k.held()
		clear(*raw)
		*raw = nil
	}
}

// MD5 is the digest that S3 wants beside a customer key.
func (k Key) MD5() [md5.Size]byte { return digest(k.Bytes()) }

// digest is MD5 also in a process that allows only FIPS 140 algorithms: it
// identifies a key here and protects nothing.
func digest(b []byte) (sum [md5.Size]byte) {
	fips140.WithoutEnforcement(func() { shield.Do(func() { sum = md5.Sum(b) }) })
	return sum
}

// String and the methods below keep the bytes out of every text.
func (Key) String() string { return redacted }

// GoString is what %#v prints.
func (Key) GoString() string { return redacted }

// Format prints the same for every verb and flag.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is what package slog logs.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is what encoders of text formats store.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON is what package json stores.
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
