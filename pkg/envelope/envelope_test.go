package envelope

import (
	"bytes"
	"encoding/base64"
	"maps"
	"reflect"
	"strings"
	"testing"
)

const size = 1016 // of the object: a file of 1000 bytes

var wrappedKey = bytes.Repeat([]byte{0xd5}, 184)

// genuine is what AWS's client for Go writes.
func genuine() map[string]string {
	return map[string]string{
		"x-amz-key-v2":                     base64.StdEncoding.EncodeToString(wrappedKey),
		"x-amz-iv":                         "AAECAwQFBgcICQoL",
		"x-amz-matdesc":                    `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","service":"elastictranscoder.amazonaws.com"}`,
		"x-amz-wrap-alg":                   "kms+context",
		"x-amz-cek-alg":                    "AES/GCM/NoPadding",
		"x-amz-tag-len":                    "128",
		"x-amz-unencrypted-content-length": "1000",
	}
}

func TestParse(t *testing.T) {
	e, err := Parse(genuine(), size)
	want := Envelope{wrappedKey, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
		map[string]string{"aws:x-amz-cek-alg": "AES/GCM/NoPadding", "service": "elastictranscoder.amazonaws.com"}}
	if err != nil || !reflect.DeepEqual(e, want) {
		t.Fatalf("%+v, %v", e, err)
	}
	others := genuine()
	delete(others, "x-amz-unencrypted-content-length") // the client for Java does not write it
	others["sealreel-writer"] = "somebody"
	if e, err := Parse(others, 16); err != nil || !reflect.DeepEqual(e, want) {
		t.Errorf("an empty file without its length: %+v, %v", e, err)
	}
}

func TestParseRefuses(t *testing.T) {
	const missing = "\x00"
	long := base64.StdEncoding.EncodeToString(make([]byte, 6145))
	const alg = `"aws:x-amz-cek-alg":"AES/GCM/NoPadding"`
	for _, c := range []struct{ what, name, value, want string }{
		{"no envelope", "x-amz-key-v2", missing, "instruction file"},
		{"CBC", "x-amz-cek-alg", "AES/CBC/PKCS5Padding", `x-amz-cek-alg is "AES/CBC/PKCS5Padding"; only AES/GCM/NoPadding is read`},
		{"CTR", "x-amz-cek-alg", "AES/CTR/NoPadding", "only AES/GCM/NoPadding"},
		{"another case", "x-amz-cek-alg", "AES/GCM/NOPADDING", "only AES/GCM/NoPadding"},
		{"no cipher", "x-amz-cek-alg", missing, "only AES/GCM/NoPadding"},
		{"a long cipher", "x-amz-cek-alg", strings.Repeat("A", 2000), `is "` + strings.Repeat("A", 40) + `";`},
		{"keys without context", "x-amz-wrap-alg", "kms", "only kms+context"},
		{"keys wrapped by AES", "x-amz-wrap-alg", "AES/GCM", "only kms+context"},
		{"keys wrapped by RSA", "x-amz-wrap-alg", "RSA-OAEP-SHA1", "only kms+context"},
		{"no wrapping", "x-amz-wrap-alg", missing, "only kms+context"},
		{"a shorter tag", "x-amz-tag-len", "96", "only 128"},
		{"no tag length", "x-amz-tag-len", missing, "only 128"},
		{"tag length in bytes", "x-amz-tag-len", "16", "only 128"},
		{"version 1 too", "x-amz-key", "AAAA", "version 1"},
		{"version 3 too", "x-amz-c", "115", "version 3"},
		{"version 3's key", "x-amz-3", "AAAA", "version 3"},
		{"an instruction file", "x-amz-crypto-instr-file", "", "an instruction file"},
		{"key no base64", "x-amz-key-v2", "a-_b", "x-amz-key-v2 is no base64"},
		{"key with a line end", "x-amz-key-v2", "AAAA\nAAAA", "x-amz-key-v2 is no base64"},
		{"a plaintext key", "x-amz-key-v2", base64.StdEncoding.EncodeToString([]byte("a secret key of 32 bytes, truly!")), "32 bytes"},
		{"a key that is too long", "x-amz-key-v2", long, "too long"},
		{"a key of a megabyte", "x-amz-key-v2", strings.Repeat("A", 1<<20), "too long"},
		{"no IV", "x-amz-iv", missing, "x-amz-iv has 0 bytes, not 12"},
		{"IV of 16 bytes", "x-amz-iv", "AAECAwQFBgcICQoLDA0ODw==", "x-amz-iv has 16 bytes, not 12"},
		{"IV of 11 bytes", "x-amz-iv", "AAECAwQFBgcICQo=", "x-amz-iv has 11 bytes, not 12"},
		{"IV no base64", "x-amz-iv", "AAECAwQFBgcICQo", "x-amz-iv is no base64"},
		{"IV with loose bits", "x-amz-iv", "AAECAwQFBgcICQp=", "x-amz-iv is no base64"},
		{"no context", "x-amz-matdesc", missing, "x-amz-matdesc is no JSON"},
		{"an empty context", "x-amz-matdesc", "{}", `does not have "aws:x-amz-cek-alg"`},
		{"a context for CBC", "x-amz-matdesc", `{"aws:x-amz-cek-alg":"AES/CBC/PKCS5Padding"}`, `does not have "aws:x-amz-cek-alg"`},
		{"KMS's first context", "x-amz-matdesc", `{"kms_cmk_id":"k"}`, `does not have "aws:x-amz-cek-alg"`},
		{"a list", "x-amz-matdesc", "[" + alg + "]", "does not begin with {"},
		{"null", "x-amz-matdesc", "null", "does not begin with {"},
		{"a null", "x-amz-matdesc", "{" + alg + `,"a":null}`, "no string"},
		{"a number", "x-amz-matdesc", "{" + alg + `,"a":1}`, "no string"},
		{"an object", "x-amz-matdesc", "{" + alg + `,"a":{}}`, "no string"},
		{"a name twice", "x-amz-matdesc", "{" + alg + `,"a":"1","a":"2"}`, "twice"},
		{"a name twice, once escaped", "x-amz-matdesc", "{" + alg + `,"a":"1","\u0061":"2"}`, "twice"},
		{"cut short", "x-amz-matdesc", "{" + alg, "does not end with }"},
		{"cut in a name", "x-amz-matdesc", "{" + alg + `,"a`, "syntax"},
		{"more behind", "x-amz-matdesc", "{" + alg + "}{}", "something follows"},
		{"no UTF-8", "x-amz-matdesc", "{" + alg + ",\"a\":\"\xff\"}", "UTF-8"},
		{"a long context", "x-amz-matdesc", "{" + alg + `,"a":"` + strings.Repeat("a", 8192) + `"}`, "more than 8192"},
		{"an unknown encoding", "x-amz-matdesc", "=?EBCDIC?Q?=C3?=", "encoding"},
		{"another length", "x-amz-unencrypted-content-length", "1001", `is "1001", but the object holds 1000 bytes`},
		{"a length with a sign", "x-amz-unencrypted-content-length", "+1000", "1000 bytes"},
		{"a length of nothing", "x-amz-unencrypted-content-length", "", "1000 bytes"},
	} {
		metadata := genuine()
		metadata[c.name] = c.value
		if c.value == missing {
			delete(metadata, c.name)
		}
		e, err := Parse(metadata, size)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", c.what, e, err)
			continue
		}
		if strings.Contains(err.Error(), "secret key") || len(err.Error()) > 250 {
			t.Errorf("%s: the error shows too much: %v", c.what, err)
		}
	}
	for _, n := range []int64{0, 1, 15} {
		if _, err := Parse(genuine(), n); err == nil || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// S3 answers with metadata that is not ASCII in encoded words: bytes of UTF-8
// taken for Latin-1, and those in UTF-8 again.
func TestParseContextOfOtherScripts(t *testing.T) {
	const plain = `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","é":"日"}`
	for what, text := range map[string]string{
		"as it is":     plain,
		"escaped":      `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","\u00e9":"\u65e5"}`,
		"by S3":        `=?UTF-8?Q?{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","=C3=83=C2=A9":"=C3=A6=C2=97=C2=A5"}?=`,
		"by S3, in B":  "=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte("{\"aws:x-amz-cek-alg\":\"AES/GCM/NoPadding\",\"\u00c3\u00a9\":\"\u00e6\u0097\u00a5\"}")) + "?=",
		"encoded once": `=?UTF-8?Q?{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","=C3=A9":"=E6=97=A5"}?=`,
	} {
		metadata := genuine()
		metadata["x-amz-matdesc"] = text
		e, err := Parse(metadata, size)
		if err != nil || len(e.Context) != 2 || e.Context["é"] != "日" {
			t.Errorf("%s: %v, %v", what, e.Context, err)
		}
	}
}

func TestLacks(t *testing.T) {
	e := Envelope{Context: map[string]string{"service": "s", "tenant": "", "more": "m"}}
	for _, c := range []struct {
		pairs map[string]string
		want  string
	}{
		{nil, ""},
		{map[string]string{"service": "s"}, ""},
		{map[string]string{"service": "s", "tenant": ""}, ""},
		{map[string]string{"service": "S"}, "service"},
		{map[string]string{"Service": "s"}, "Service"},
		{map[string]string{"absent": ""}, "absent"},
		{map[string]string{"z": "", "tenant": "t", "y": ""}, "tenant"},
	} {
		if got := e.Lacks(c.pairs); got != c.want {
			t.Errorf("%v: %q, want %q", c.pairs, got, c.want)
		}
	}
}

func TestContext(t *testing.T) {
	pairs := map[string]string{"service": "s"}
	got, err := Context(pairs)
	if err != nil || !maps.Equal(got, map[string]string{"service": "s", "aws:x-amz-cek-alg": "AES/GCM/NoPadding"}) || len(pairs) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Context(nil); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Context(map[string]string{"aws:x-amz-cek-alg": "AES/GCM/NoPadding"}); err == nil {
		t.Error("the format's own pair was accepted")
	}
	for n, fits := range map[int]bool{300: true, 352: true, 353: false, 4096: false} {
		all, err := Context(map[string]string{"a": strings.Repeat("a", n)})
		if (err == nil) != fits || fits && len(formatContext(all)) > MaxContext {
			t.Errorf("a value of %d bytes: %v", n, err)
		}
	}
}

// What is written is what AWS's client writes, and is printable ASCII whatever is
// in the context.
func TestMetadata(t *testing.T) {
	e, err := Parse(genuine(), size)
	if err != nil {
		t.Fatal(err)
	}
	written := e.Metadata()
	maps.Copy(written, Length(size))
	if !maps.Equal(written, genuine()) {
		t.Errorf("wrote %v", written)
	}
	e.Context, err = Context(map[string]string{"é日😀": "\x00\x7f\t  \u2028\"\\ =?UTF-8?Q?=41?= \ufffd", "": ""})
	if err != nil {
		t.Fatal(err)
	}
	checkWritten(t, e)
}

// checkWritten reads what is written of an envelope.
func checkWritten(t *testing.T, e Envelope) {
	t.Helper()
	written := e.Metadata()
	for name, value := range written {
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) || strings.Contains(value, "=?") {
			t.Errorf("%s does not pass through a header: %q", name, value)
		}
	}
	got, err := Parse(written, size)
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("wrote %+v, read %+v, %v", e, got, err)
	}
}

// FuzzParse: whatever is in the metadata, the answer is an error or an envelope
// of the one format, which is written and read unchanged.
func FuzzParse(f *testing.F) {
	g := genuine()
	f.Add(g["x-amz-key-v2"], g["x-amz-iv"], g["x-amz-matdesc"], g["x-amz-wrap-alg"], g["x-amz-cek-alg"], g["x-amz-tag-len"], "1000", "x-amz-c", int64(size))
	f.Add(g["x-amz-key-v2"], g["x-amz-iv"], `=?UTF-8?Q?{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","=C3=83=C2=A9":"\ud800"}?=`, "kms+context", "AES/GCM/NoPadding", "128", "1", "a", int64(17))
	f.Add("", "", "{", "kms", "AES/CBC/PKCS5Padding", "", "", "x-amz-key", int64(-1))
	f.Fuzz(func(t *testing.T, key, iv, context, wrap, cipher, tag, length, other string, n int64) {
		metadata := map[string]string{other: "x", "x-amz-key-v2": key, "x-amz-iv": iv, "x-amz-matdesc": context,
			"x-amz-wrap-alg": wrap, "x-amz-cek-alg": cipher, "x-amz-tag-len": tag, "x-amz-unencrypted-content-length": length}
		e, err := Parse(metadata, n)
		if err != nil {
			return
		}
		if n < 16 || len(e.IV) != 12 || len(e.WrappedKey) <= 32 || e.Lacks(map[string]string{"aws:x-amz-cek-alg": "AES/GCM/NoPadding"}) != "" ||
			cipher != "AES/GCM/NoPadding" || wrap != "kms+context" || tag != "128" {
			t.Fatalf("took %v", metadata)
		}
		if len(formatContext(e.Context)) <= maxContext {
			checkWritten(t, e)
		}
	})
}

func TestPresent(t *testing.T) {
	for name, want := range map[string]bool{
		"x-amz-key-v2": true, "x-amz-key": true, "x-amz-3": true, "x-amz-crypto-instr-file": true,
		"x-amz-iv": false, "sealreel-mode": false, "": false,
	} {
		if Present(map[string]string{name: ""}) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}
