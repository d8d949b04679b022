package crypt

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/job"
)

// secret stands for a key that somebody put in the wrong place.
var secret = base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))

func TestAnElementThatIsNone(t *testing.T) {
	for doc, want := range map[string]string{
		"":                               "EOF",
		"{":                              "EOF",
		secret:                           "invalid character",
		`"` + secret + `"`:               "cannot unmarshal",
		`["` + secret + `"]`:             "cannot unmarshal",
		`{"Plaintext":"` + secret + `"}`: `unknown field "Plaintext"`,
		`{"Key":["` + secret + `"]}`:     "Key of type string",
		`{"Mode":"aes-gcm"} ` + secret:   "something follows",
		`{} {"Key":"` + secret + `"}`:    "something follows",
		`{"Key":"` + strings.Repeat("A", maxElement) + `"}`: "more than",
	} {
		e, err := parse([]byte(doc))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) || e != (job.Encryption{}) {
			t.Errorf("%.40s: %+v, %v", doc, e, err)
		}
	}
}

func TestElementsComeBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "e.json")
	e := Element([]byte("what KMS made of a key"))
	e.Mode, e.InitializationVector = job.ModeCTR, "AAAAAAAAAAAAAAAAAAAAAA=="
	if err := CreateElement(name, e); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadElement(name); err != nil || got != e {
		t.Errorf("%+v, %v", got, err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := CreateElement(name, job.Encryption{}); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Error(err)
	}
	if got, err := ReadElement(name); err != nil || got != e {
		t.Errorf("overwritten: %+v, %v", got, err)
	}
}

func TestIn(t *testing.T) {
	for _, c := range []struct{ element, flag, otherwise, want, fault string }{
		{"", "", job.ModeGCM, job.ModeGCM, ""},
		{"", job.ModeCTR, job.ModeGCM, job.ModeCTR, ""},
		{job.ModeCBC, "", job.ModeGCM, job.ModeCBC, ""},
		{job.ModeCBC, job.ModeCBC, "", job.ModeCBC, ""},
		{job.ModeCBC, job.ModeCTR, "", "", "leave one out"},
		{"", "", "", "", "--mode"},
		{job.ModeSSEC, "", "", "", "takes aes-cbc-pkcs7, aes-ctr and aes-gcm"},
		{"sealreel-work", "", "", "", "takes aes-cbc-pkcs7"},
		{job.ModeS3EC, "", "", "", "is for objects alone, in whose metadata the key is"},
	} {
		e, err := In(job.Encryption{Mode: c.element, Key: "k"}, c.flag, c.otherwise)
		switch {
		case c.fault == "" && (err != nil || e.Mode != c.want || e.Key != "k"):
			t.Errorf("%+v: %+v, %v", c, e, err)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCheck(t *testing.T) {
	good := Element([]byte("a wrapped key is longer than any plaintext key"))
	good.Mode, good.InitializationVector = job.ModeGCM, "AAAAAAAAAAAAAAAA" // 12 bytes, which are read
	if err := Check(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*job.Encryption){
		"treat it as disclosed":  func(e *job.Encryption) { e.Key = secret },
		"base64 of 16 bytes":     func(e *job.Encryption) { e.Mode = job.ModeCTR },
		"together":               func(e *job.Encryption) { e.KeyMd5 = "" },
		"together ":              func(e *job.Encryption) { e.InitializationVector = "" },
		"the MD5 of the decoded": func(e *job.Encryption) { e.KeyMd5 = "AAAA" },
	} {
		e := good
		change(&e)
		if err := Check(e); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzElement: whatever is not an element is an error, and what is one comes back.
func FuzzElement(f *testing.F) {
	f.Add([]byte(`{"Mode":"aes-gcm","Key":"k","KeyMd5":"m","InitializationVector":"i"}`))
	f.Add([]byte(`{"Mode":1}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		e, err := parse(doc)
		if err != nil {
			return
		}
		var b strings.Builder
		if err := WriteElement(&b, e); err != nil {
			t.Fatal(err)
		}
		if again, err := parse([]byte(b.String())); b.Len() <= maxElement && (err != nil || again != e) {
			t.Errorf("%q came back as %+v, %v", doc, again, err)
		}
	})
}
