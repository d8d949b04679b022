package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/object"
)

// harvest unwraps every wrapped key that records, plans and the metadata of
// objects hold, whoever made it, as the user may. Each is named by where it was
// first found.
func harvest(t *testing.T) map[string][]byte {
	t.Helper()
	h := harvester{t: t, kms: kmskeys.New(site.aws), tried: map[string]bool{}, keys: map[string][]byte{}}
	for name, err := range site.store.Keys(t.Context(), site.state, "") {
		if err != nil {
			t.Fatal(err)
		}
		body, _, err := site.store.Get(t.Context(), site.state, name)
		if errors.Is(err, object.ErrNotExist) {
			continue // it was only there for a while
		}
		if err != nil {
			t.Fatal(err)
		}
		var document any
		if err := json.Unmarshal(body, &document); err == nil {
			h.walk(name, document)
		}
	}
	for _, c := range fly(t).canaries {
		if c.out != job.ModeSSEC { // whose key is in the record
			for _, name := range keys(t, c.name+"/") {
				_, metadata := stored(t, name)
				for _, value := range metadata {
					h.try(name, value)
				}
			}
		}
	}
	return h.keys
}

type harvester struct {
	t     *testing.T
	kms   *kmskeys.Keys
	tried map[string]bool
	keys  map[string][]byte
}

func (h *harvester) walk(name string, v any) {
	switch v := v.(type) {
	case string:
		h.try(name, v)
	case []any:
		for _, item := range v {
			h.walk(name, item)
		}
	case map[string]any:
		for _, item := range v {
			h.walk(name, item)
		}
	}
}

// try takes a text for a wrapped key, which is longer than any key.
func (h *harvester) try(name, text string) {
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(blob) < 64 || h.tried[text] {
		return
	}
	h.tried[text] = true
	for _, context := range []map[string]string{elasticContext, clientContext} {
		if key, err := h.kms.Decrypt(h.t.Context(), blob, "", context); err == nil {
			h.keys[fmt.Sprintf("%d in %s", len(h.keys), name)] = key
		}
	}
}

// mistake is a job that fails for its key, and what must not be read anywhere.
type mistake struct {
	name    string
	input   *job.Encryption
	stored  []byte
	media   *job.Encryption // what S3 encrypts the input with
	meta    map[string]string
	output  *job.Encryption
	secrets map[string][]byte
	told    []string // the objects that may hold the secret, which the user put into the document

	id string
}

// mistakes are those that people make with keys, in every mode that takes one.
func mistakes(t *testing.T, film []byte) []*mistake {
	t.Helper()
	var all []*mistake
	add := func(name string, m mistake) {
		m.name = name
		all = append(all, &m)
	}
	sse := wrapped(t)
	add("another key in sse-c", mistake{input: wrapped(t), stored: film, media: sse,
		secrets: map[string][]byte{"of the object": plainKey(t, *sse)}})
	for _, mode := range []string{job.ModeCBC, job.ModeCTR, job.ModeGCM} {
		e, key, iv := cipherKey(t, mode, 256, 16)
		other, otherKey, _ := cipherKey(t, mode, 128, 16)
		sealed := crypt(t, false, mode, key, iv, film)
		add("another key in "+mode, mistake{input: other, stored: sealed, secrets: map[string][]byte{"of the object": key, "of the job": otherKey}})
		wrong := *e
		wrong.KeyMd5 = other.KeyMd5
		add("KeyMd5 of another in "+mode, mistake{input: &wrong, stored: sealed, secrets: map[string][]byte{"": key}})
		for what, text := range map[string]string{"base64": base64.StdEncoding.EncodeToString(key), "hex": hex.EncodeToString(key)} {
			add(what+" text wrapped, in "+mode, mistake{input: textKey(t, mode, text), stored: sealed, secrets: map[string][]byte{"": key, "text": []byte(text)}})
			add(what+" text wrapped, for an output in "+mode, mistake{input: sse, stored: film, media: sse, output: textKey(t, mode, text), secrets: map[string][]byte{"": key, "text": []byte(text)}})
		}
		plain, secret := *e, noise(32)
		plain.Key = base64.StdEncoding.EncodeToString(secret)
		add("a plaintext key in "+mode, mistake{input: &plain, secrets: map[string][]byte{"": secret}, told: []string{servedAs(site.ingest, "")}})
		digest, short := *other, noise(16)
		digest.KeyMd5 = base64.StdEncoding.EncodeToString(short)
		add("a plaintext key as KeyMd5 in "+mode, mistake{input: &digest, stored: sealed, secrets: map[string][]byte{"": short},
			told: []string{servedAs(site.ingest, "")}}) // by itself it looks like a digest
	}
	e, key, iv := cipherKey(t, job.ModeGCM, 256, 16)
	sealed := crypt(t, false, job.ModeGCM, key, iv, film)
	sealed[len(sealed)/2] ^= 1
	add("tampered in aes-gcm", mistake{input: e, stored: sealed, secrets: map[string][]byte{"": key}})
	tampered, metadata := enveloped(t, film)
	tampered[len(tampered)/2] ^= 1
	envelopeKey, err := kmskeys.New(site.aws).Decrypt(t.Context(), []byte(decoded(t, metadata["x-amz-key-v2"])), "", clientContext)
	if err != nil {
		t.Fatal(err)
	}
	add("tampered in s3-encryption-client", mistake{input: &job.Encryption{Mode: job.ModeS3EC}, stored: tampered, meta: metadata, secrets: map[string][]byte{"": envelopeKey}})
	odd := noise(20)
	add("of a size that AES has not", mistake{input: badKey(t, odd, elasticContext), stored: film, media: sse, secrets: map[string][]byte{"": odd}})
	elsewhere := noise(32)
	add("wrapped under another context", mistake{input: badKey(t, elsewhere, map[string]string{"service": "x"}), stored: film, media: sse, secrets: map[string][]byte{"": elsewhere}})
	return all
}

// textKey wraps a text, as people do who take a key's text for the key.
func textKey(t *testing.T, mode, text string) *job.Encryption {
	t.Helper()
	e := badKey(t, []byte(text), elasticContext)
	e.Mode = mode
	e.InitializationVector = base64.StdEncoding.EncodeToString(noise(16))
	return e
}

func (m *mistake) drop(t *testing.T, name string) {
	t.Helper()
	output := m.output
	if output == nil {
		output = &job.Encryption{Mode: job.ModeSSEC}
	}
	m.id = submit(t, job.Request{
		Inputs: []job.Input{{Key: name, Encryption: m.input}}, OutputKeyPrefix: name + "/",
		Outputs: []job.Output{{Key: "web.mp4", PresetID: systemPreset + "000040", Encryption: output}},
	})
	switch {
	case m.stored == nil: // the job fails without its input, which would be a drop of its own
	case m.meta != nil:
		uploadEnveloped(t, name, m.stored, m.meta)
	default:
		version(t, name, m.stored, m.media)
	}
}

// plainKey unwraps a key as its owner does.
func plainKey(t *testing.T, e job.Encryption) []byte {
	t.Helper()
	return unwrapped(t, &e)
}

// TestNoKeyAnywhere looks for all data keys, the user's and generated ones, of
// jobs that succeed in every mode and of those that fail for their keys, in
// every place that TestNoPlaintextAnywhere looks in (invariant 1).
func TestNoKeyAnywhere(t *testing.T) {
	f := fly(t)
	film := read(t, clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-c:v", "libx264", "-preset", "ultrafast"))
	all := mistakes(t, film)
	w := startWatch()
	base := unique(t)
	for i, m := range all {
		m.drop(t, fmt.Sprintf("%s-%02d", base, i))
	}
	for _, m := range all {
		rec := ended(t, m.id)
		if rec.Job.Status != job.Error {
			t.Errorf("%s: the job is %s", m.name, rec.Job.Status)
		}
		t.Logf("%s: %s", m.name, details(rec))
	}
	quiet(t)
	w.stop()

	var needles []needle
	told := map[string][]string{}
	count := 0
	for _, m := range all {
		for which, key := range m.secrets {
			name := strings.TrimSpace("the key "+which) + " of " + m.name
			needles, told[name] = append(needles, keyForms(name, key)...), m.told
			count++
		}
	}
	harvested := harvest(t)
	checkHarvest(t, f, harvested)
	for name, key := range harvested {
		needles = append(needles, keyForms("the key "+name, key)...)
	}
	s := newSearcher(t, needles)
	documents := 0
	for _, h := range search(t, s, f.watch, w) {
		if slices.ContainsFunc(told[h.secret], func(place string) bool { return strings.HasPrefix(h.place, place) }) && strings.HasSuffix(h.place, ".json") {
			documents++
			continue
		}
		t.Error(h)
	}
	if documents == 0 {
		t.Error("the plaintext keys are not seen in the documents that the user dropped with them")
	}
	t.Logf("%d keys of failing jobs and %d that were found wrapped, in %d forms", count, len(harvested), len(needles))
}

// checkHarvest complains when a key that a canary's record shows is not among the
// harvested ones, or when there are fewer than there must be.
func checkHarvest(t *testing.T, f *flight, harvested map[string][]byte) {
	t.Helper()
	have := map[string]bool{}
	for key := range maps.Values(harvested) {
		have[string(key)] = true
	}
	least := 0
	for _, c := range f.canaries {
		least++ // the work key
		if c.inputKey != nil && !have[string(c.inputKey)] {
			t.Errorf("the key of the input in %s is not harvested", c.in)
		}
		for _, o := range c.rec.Job.Outputs {
			if o.Encryption == nil || o.Encryption.Key == "" {
				continue
			}
			least++
			if !have[string(plainKey(t, *o.Encryption))] {
				t.Errorf("the key of the output %s in %s is not harvested", o.Key, c.out)
			}
		}
	}
	if len(have) < least {
		t.Errorf("%d keys are harvested, of at least %d", len(have), least)
	}
}
