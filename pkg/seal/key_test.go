package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"text/template"
)

const rawKey = "a secret key of 32 bytes, truly!"

func newKey(t testing.TB, raw string) Key {
	t.Helper()
	key, err := NewKey([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// leaks says in which form s shows the key, "" for none.
func leaks(s string) string {
	for form, text := range map[string]string{
		"text": rawKey, "base64": base64.StdEncoding.EncodeToString([]byte(rawKey)), "hex": hex.EncodeToString([]byte(rawKey)),
		"quoted": strings.Trim(fmt.Sprintf("%q", rawKey), `"`), "decimal bytes": strings.Trim(fmt.Sprint([]byte(rawKey)), "[]"),
		"Go bytes": "0x61, 0x20, 0x73", "spaced hex": "61 20 73 65",
	} {
		if strings.Contains(strings.ToLower(s), strings.ToLower(text)) {
			return form
		}
	}
	return ""
}

func TestLeaksFindsKeys(t *testing.T) {
	raw := []byte(rawKey)
	for _, verb := range []string{"%s", "%q", "%v", "%x", "%X", "% x", "%#v"} {
		if s := fmt.Sprintf(verb, raw); leaks(s) == "" {
			t.Errorf("%s: %s is not recognised", verb, s)
		}
	}
}

// A key shows its bytes in no text, wherever it sits: in unexported fields fmt
// calls no methods.
func TestKeyIsRedacted(t *testing.T) {
	key := newKey(t, rawKey)
	type exported struct{ Key Key }
	type hidden struct{ key Key }
	type deep struct {
		m map[string]Key
		s []Key
		p *Key
		h *hidden
		i any
	}
	values := []any{key, &key, exported{key}, &exported{key}, hidden{key}, &hidden{key}, []Key{key}, map[string]Key{"k": key},
		deep{map[string]Key{"k": key}, []Key{key}, &key, &hidden{key}, key}, Material{Key: key}, &Material{Key: key}}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%b", "%c", "%U", "%5.2s", "%+q", "%#q", "%#x", "%#v", "%p", "%t", "%e", "%T", "%!"} {
			if form := leaks(fmt.Sprintf(verb, v)); form != "" {
				t.Errorf("%s of %T shows the key as %s", verb, v, form)
			}
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "v", v)
		log.New(&logged, "", 0).Println("m", v)
		encoded, _ := json.Marshal(v)
		marked, _ := xml.Marshal(v)
		var gobbed, filled bytes.Buffer
		_ = gob.NewEncoder(&gobbed).Encode(v) // refuses what has nothing to encode
		_ = template.Must(template.New("").Parse(`{{.}} {{printf "%x" .}} {{js .}} {{urlquery .}}`)).Execute(&filled, v)
		for what, text := range map[string]string{"a log": logged.String(), "JSON": string(encoded), "XML": string(marked),
			"gob": gobbed.String(), "a template": filled.String()} {
			if form := leaks(text); form != "" {
				t.Errorf("%s of %T shows the key as %s", what, v, form)
			}
		}
	}
	if s := fmt.Sprint(errors.New("with "), key, fmt.Errorf("%w %v", errors.New("x"), key)); leaks(s) != "" || !strings.Contains(s, redacted) {
		t.Errorf("printed %q", s)
	}
}

// Where an encoder asks the key itself, it is told what a key prints as.
func TestKeyMarshalsAsRedacted(t *testing.T) {
	key := newKey(t, rawKey)
	text, err := key.MarshalText()
	if err != nil || string(text) != redacted {
		t.Errorf("text: %q, %v", text, err)
	}
	for want, v := range map[string]any{`"` + redacted + `"`: key, `{"Key":"` + redacted + `"}`: struct{ Key *Key }{&key}} {
		if b, err := json.Marshal(v); err != nil || string(b) != want {
			t.Errorf("JSON: %s, %v, want %s", b, err, want)
		}
	}
	type element struct{ Key Key }
	if b, err := xml.Marshal(element{key}); err != nil || !bytes.Contains(b, []byte("<Key>"+redacted+"</Key>")) {
		t.Errorf("XML: %s, %v", b, err)
	}
	if v := slog.AnyValue(key).Resolve().String(); v != redacted {
		t.Errorf("slog: %s", v)
	}
	var gobbed bytes.Buffer
	_ = gob.NewEncoder(&gobbed).Encode(element{key}) // may refuse
	if leaks(gobbed.String()) != "" {
		t.Error("gob encodes a key's bytes")
	}
}

// A new key has bytes of its own, and leaves none in what it was made of.
func TestNewKeyWipesWhatItTakes(t *testing.T) {
	raw := []byte(rawKey)
	key, err := NewKey(raw)
	if err != nil || string(key.Bytes()) != rawKey || !bytes.Equal(raw, make([]byte, len(raw))) {
		t.Errorf("%q, %v", raw, err)
	}
}

func TestKeySizes(t *testing.T) {
	for n := range 65 {
		key, err := NewKey(make([]byte, n))
		if valid := n == 16 || n == 24 || n == 32; (err == nil) != valid || valid && (key.Bits() != 8*n || key.IsZero()) {
			t.Errorf("%d bytes: %d bits, %v", n, key.Bits(), err)
		}
	}
}

func TestKeyWipe(t *testing.T) {
	raw := []byte(rawKey)
	key, err := NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	same := key
	key.Wipe()
	key.Wipe()
	if !same.IsZero() || same.Bytes() != nil || !bytes.Equal(raw, make([]byte, 32)) {
		t.Error("a copy of a wiped key has its bytes")
	}
	var zero Key
	zero.Wipe()
	if !zero.IsZero() || zero.Bits() != 0 || zero.Bytes() != nil {
		t.Error("the zero key holds something")
	}
}

// The digest of the key of Elastic Transcoder's tutorial.
func TestKeyMD5(t *testing.T) {
	sum := newKey(t, "keykeykeykeykeyk").MD5()
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != "tNUOedzRVo2ZuD6uq6u6Xw==" {
		t.Error(got)
	}
}

func TestCheckEndpoint(t *testing.T) {
	for endpoint, allowed := range map[string]bool{
		"https://s3.eu-west-1.amazonaws.com": true, "https://10.0.0.1:9000": true, "https://127.0.0.1": true,
		"http://127.0.0.1:9000": true, "http://127.8.9.1": true, "http://[::1]:9000": true, "http://localhost:9000": true,
		"http://s3.eu-west-1.amazonaws.com": false, "http://10.0.0.1": false, "http://0.0.0.0": false, "http://[::]": false,
		"http://localhost.example.com": false, "http://127.0.0.1.example.com": false, "http://bucket.localhost": false,
		"http://127.0.0.1@example.com": false, "ftp://127.0.0.1": false, "http://": false, "": false,
	} {
		u, err := url.Parse(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		err = CheckEndpoint(u)
		var refused *PlaintextEndpointError
		if (err == nil) != allowed || err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func TestModes(t *testing.T) {
	for _, c := range []struct {
		name string
		side Side
		bits int
	}{{"", Plain, 0}, {"s3", Storage, 0}, {"s3-aws-kms", Storage, 0}, {"sse-c", Storage, 256}, {ModeWork, Here, 256}, {"s3-encryption-client", Here, 0}} {
		m, err := ModeOf(c.name)
		if err != nil || m.Side != c.side || m.TakesKey() != (c.bits > 0) || m.GenerateBits != c.bits || m.IVSize != 0 {
			t.Errorf("%q: %+v, %v", c.name, m, err)
		}
		for _, bits := range []int{0, 128, 192, 256, 512} {
			if m.Takes(bits) != (bits == c.bits && bits > 0) {
				t.Errorf("%q takes %d bits: %v", c.name, bits, m.Takes(bits))
			}
		}
	}
	for _, name := range []string{"S3", "sse", "aes-ctr ", "\x00"} {
		if m, err := ModeOf(name); err == nil {
			t.Errorf("%q: %+v", name, m)
		}
	}
}
