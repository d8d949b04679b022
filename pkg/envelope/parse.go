package envelope

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"
)

// foreign are names of metadata that only other versions of the format have. One
// of them beside the ones above would let two clients read one object as two
// files.
var foreign = []struct{ name, owner string }{
	{"x-amz-key", "version 1 of the client's format"},
	{"x-amz-c", "version 3 of the client's format"},
	{"x-amz-3", "version 3 of the client's format"},
	{"x-amz-w", "version 3 of the client's format"},
	{"x-amz-d", "version 3 of the client's format"},
	{"x-amz-i", "version 3 of the client's format"},
	{"x-amz-m", "version 3 of the client's format"},
	{"x-amz-t", "version 3 of the client's format"},
	{"x-amz-crypto-instr-file", "an instruction file"},
}

// Present says whether an object's metadata have an envelope of the client, in
// whatever version. It is for telling people what to ask for: nothing may be
// decrypted because of it.
func Present(metadata map[string]string) bool {
	_, present := metadata[keyName]
	for _, f := range foreign {
		_, ok := metadata[f.name]
		present = present || ok
	}
	return present
}

// Parse reads the envelope in the user metadata of an object of size bytes. The
// metadata's names are in lower case and without the prefix x-amz-meta-. The
// error says what is wrong, and what to do; it holds no key.
func Parse(metadata map[string]string, size int64) (Envelope, error) {
	if err := checkFormat(metadata); err != nil {
		return Envelope{}, err
	}
	var e Envelope
	var err error
	if e.WrappedKey, err = decode(metadata, keyName); err != nil {
		return Envelope{}, err
	}
	if n := len(e.WrappedKey); n <= KeySize {
		return Envelope{}, fmt.Errorf("%s has %d bytes, which no key that KMS wrapped has", keyName, n)
	}
	if e.IV, err = decode(metadata, ivName); err != nil {
		return Envelope{}, err
	}
	if len(e.IV) != IVSize {
		return Envelope{}, fmt.Errorf("%s has %d bytes, not %d", ivName, len(e.IV), IVSize)
	}
	if e.Context, err = parseContext(metadata[contextName]); err != nil {
		return Envelope{}, err
	}
	return e, checkLength(metadata, size)
}

// checkFormat refuses every format but the one.
func checkFormat(metadata map[string]string) error {
	for _, f := range foreign {
		if _, ok := metadata[f.name]; ok {
			return fmt.Errorf("its metadata has %s, which belongs to %s: store it with a client that writes version 2", f.name, f.owner)
		}
	}
	if metadata[keyName] == "" {
		return fmt.Errorf("its metadata has no %s: the client did not write it, or keeps the envelope in an instruction file, which is not read", keyName)
	}
	for _, rule := range []struct{ name, value, remedy string }{
		{cipherName, cipher, "store it again in GCM"},
		{wrapName, wrapping, "store it again with a KMS keyring"},
		{tagName, tagBits, "store it again"},
	} {
		if got := metadata[rule.name]; got != rule.value {
			return fmt.Errorf("%s is %.40q; only %s is read: %s", rule.name, got, rule.value, rule.remedy)
		}
	}
	return nil
}

func decode(metadata map[string]string, name string) ([]byte, error) {
	text := metadata[name]
	if len(text) > base64.StdEncoding.EncodedLen(maxWrapped) {
		return nil, fmt.Errorf("%s is too long", name)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("%s is no base64", name)
	}
	return b, nil
}

// checkLength holds the length that the metadata may claim against the object's.
func checkLength(metadata map[string]string, size int64) error {
	text, given := metadata[lengthName]
	switch plain := size - TagSize; {
	case plain < 0:
		return fmt.Errorf("it has %d bytes, less than a tag: it was cut short", size)
	case given && text != strconv.FormatInt(plain, 10):
		return fmt.Errorf("%s is %.40q, but the object holds %d bytes: it was cut short, or its metadata is another object's", lengthName, text, plain)
	}
	return nil
}

// parseContext reads an x-amz-matdesc: a JSON object of strings, none twice.
func parseContext(text string) (map[string]string, error) {
	if len(text) > maxContext {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", contextName, len(text), maxContext)
	}
	text, err := decodeWords(text)
	if err != nil {
		return nil, err
	}
	context, err := parsePairs(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no JSON object of strings: %w", contextName, err)
	}
	if context[reserved] != cipher {
		return nil, fmt.Errorf("%s does not have %q: %q, so the data key was not made for this cipher", contextName, reserved, cipher)
	}
	return context, nil
}

// decodeWords undoes what S3 does to metadata that is not ASCII: it takes the
// bytes of UTF-8 for Latin-1, and answers with that in the encoded words of RFC
// 2047. What is plain is left as it is.
func decodeWords(text string) (string, error) {
	if !strings.Contains(text, "=?") {
		return text, nil
	}
	words, err := new(mime.WordDecoder).DecodeHeader(text)
	if err != nil {
		return "", fmt.Errorf("%s is in an encoding that is not known", contextName)
	}
	var latin []byte
	for _, r := range words {
		if r > 0xff {
			return words, nil
		}
		latin = append(latin, byte(r))
	}
	if !utf8.Valid(latin) {
		return words, nil
	}
	return string(latin), nil
}

// parsePairs is json.Unmarshal for a map of strings, but takes no name twice, no
// null, and no bytes that are no UTF-8, all of which others may read otherwise.
func parsePairs(text string) (map[string]string, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("it is no UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it does not begin with {")
	}
	pairs := map[string]string{}
	for d.More() {
		name, err := stringToken(d)
		if err != nil {
			return nil, err
		}
		value, err := stringToken(d)
		if err != nil {
			return nil, err
		}
		if _, twice := pairs[name]; twice {
			return nil, errors.New("a name is given twice")
		}
		pairs[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("it does not end with }")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows it")
	}
	return pairs, nil
}

func stringToken(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", errors.New("its syntax is wrong")
	}
	s, ok := t.(string)
	if !ok {
		return "", errors.New("it has a value that is no string")
	}
	return s, nil
}
