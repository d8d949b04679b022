package e2e

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/s3store"
)

// badKey is a key that KMS wraps, as a job names it.
func badKey(t *testing.T, plaintext []byte, encryptionContext map[string]string) *job.Encryption {
	t.Helper()
	out, err := kms.NewFromConfig(site.aws).Encrypt(t.Context(), &kms.EncryptInput{
		KeyId: &site.keyARN, Plaintext: plaintext, EncryptionContext: encryptionContext})
	if err != nil {
		t.Fatal(err)
	}
	return element(out.CiphertextBlob)
}

func element(ciphertext []byte) *job.Encryption {
	sum := md5.Sum(ciphertext)
	return &job.Encryption{Mode: job.ModeSSEC, Key: base64.StdEncoding.EncodeToString(ciphertext), KeyMd5: base64.StdEncoding.EncodeToString(sum[:])}
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// refusal is a job that must end as an Error. Media is what lies in the ingest
// bucket under the input's key, stored under the key that stored names.
type refusal struct {
	name   string
	media  []byte
	stored *job.Encryption
	// change makes the job wrong; the input's Encryption is stored's.
	change func(*job.Request)
	// document makes the body, for what no job.Request can say.
	document func(good []byte) []byte
	code     job.Code
	says     []string
}

// TestRefusals drops what can't work: each ends as an Error of the closed set
// that says what to do, and nothing is published (invariant 8).
func TestRefusals(t *testing.T) {
	t.Parallel()
	good := read(t, brief(t))
	key := wrapped(t)
	with := func(e *job.Encryption) func(*job.Request) {
		return func(r *job.Request) { r.Inputs[0].Encryption = e }
	}
	truncated := func() *job.Encryption {
		raw, _ := base64.StdEncoding.DecodeString(key.Key)
		return element(raw[:len(raw)-7])
	}
	otherMD5 := *key
	otherMD5.KeyMd5 = wrapped(t).KeyMd5
	plaintext := base64.StdEncoding.EncodeToString(noise(32))
	cases := []refusal{
		{name: "another key", media: good, stored: key, change: with(wrapped(t)), code: 4016, says: []string{"check Key, KeyMd5"}},
		{name: "no key for a sealed file", media: good, stored: key, change: with(nil), code: 4016, says: []string{"sse-c"}},
		{name: "a key for an open file", media: good, change: with(key), code: 4016, says: []string{"check Key"}},
		{name: "a truncated wrapped key", media: good, stored: key, change: with(truncated()), code: 4018, says: []string{"unable to decrypt the ciphered key"}},
		{name: "a KeyMd5 of another key", media: good, stored: key, change: with(&otherMD5), code: 4018, says: []string{"KeyMd5 does not belong to Key", key.KeyMd5}},
		{name: "wrapped under another context", media: good, stored: key, change: with(badKey(t, noise(32), map[string]string{"service": "x"})), code: 4018, says: []string{"context", "elastictranscoder.amazonaws.com"}},
		{name: "wrapped without a context", media: good, stored: key, change: with(badKey(t, noise(32), nil)), code: 4018, says: []string{"context"}},
		{name: "base64 text wrapped", media: good, stored: key, change: with(badKey(t, []byte(plaintext), elasticContext)), code: 4017, says: []string{"wraps the base64 text of a key, not the key"}},
		{name: "128 bits", media: good, stored: key, change: with(badKey(t, noise(16), elasticContext)), code: 4017, says: []string{"128 bits", "256 bits"}},
		{name: "no bits that AES takes", media: good, stored: key, change: with(badKey(t, noise(20), elasticContext)), code: 4017, says: []string{"160 bits"}},
		{name: "a plaintext key", media: good, stored: key, change: with(&job.Encryption{Mode: job.ModeSSEC, Key: plaintext, KeyMd5: key.KeyMd5}), code: 1000, says: []string{"treat it as disclosed"}},
		{name: "an empty file", media: []byte{}, stored: key, code: 4000, says: []string{"upload the file again"}},
		{name: "noise", media: noise(100_000), stored: key, code: 4000},
		{name: "text", media: []byte(strings.Repeat("not a media file\n", 1000)), stored: key, code: 4000},
		{name: "an MP4 without its index", media: withoutIndex(t, good), stored: key, code: 4000},
		{name: "an unknown preset", media: good, stored: key, change: func(r *job.Request) { r.Outputs[0].PresetID = systemPreset + "999999" }, code: 1000, says: []string{"The specified preset was not found"}},
		{name: "an unknown pipeline", media: good, stored: key, change: func(r *job.Request) { r.PipelineID = "1111111111111-abcde1" }, code: 1000, says: []string{"The specified pipeline was not found"}},
		{name: "the sound of a silent film", media: read(t, clip(t, "silent.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x96:d=2")), stored: key, change: func(r *job.Request) {
			r.Outputs[0].PresetID = customPreset(t, preset.Preset{Container: "mp4", Audio: &preset.Audio{Codec: "AAC", SampleRate: "44100", BitRate: "96", Channels: "2"}})
		}, code: 4008, says: []string{"choose a preset that fits"}},
		{name: "too large a picture", media: read(t, clip(t, "big.mkv", "-f", "lavfi", "-i", "color=s=8300x4320:d=0.04", "-c:v", "libx264", "-preset", "ultrafast", "-frames:v", "1")), code: 4001, says: []string{"scale it down"}},
		{name: "a document that is no JSON", document: func([]byte) []byte { return []byte("{\n  \"PipelineId\": \"x\",\n  oops\n}") }, code: 1000, says: []string{"line 3, column 3"}},
		{name: "an empty document", document: func([]byte) []byte { return nil }, code: 1000, says: []string{"JSON"}},
		{name: "a document that is too long", document: func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), job.MaxDocument)...) }, code: 1000, says: []string{"at most", fmt.Sprint(job.MaxDocument)}},
		{name: "an unknown member", media: good, document: func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"PresetId"`), []byte(`"Presets":1,"PresetId"`), 1)
		}, code: 1000, says: []string{"outputs.1.member.presets", "unknown"}},
	}
	cases = append(cases, playlists(t, key)...)
	ids := make([]string, len(cases))
	for i, c := range cases {
		ids[i] = c.submit(t, fmt.Sprintf("refuse/%02d", i))
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(t, ids[i], fmt.Sprintf("refuse/%02d", i), plaintext) })
	}
}

func (c refusal) submit(t *testing.T, name string) string {
	t.Helper()
	if c.media != nil {
		version(t, name+".mp4", c.media, c.stored)
	}
	req := withPipeline(sealedFile(name+".mp4", name+"/", c.stored))
	if c.change != nil {
		c.change(&req)
	}
	document, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	if c.document != nil {
		document = c.document(document)
	}
	return submitDocument(t, document)
}

func (c refusal) check(t *testing.T, id, prefix, secret string) {
	rec := ended(t, id)
	detail := details(rec)
	if rec.Job.Status != job.Error {
		t.Errorf("the job is %s: %s", rec.Job.Status, detail)
	}
	for _, o := range rec.Job.Outputs {
		if !strings.HasPrefix(o.StatusDetail, fmt.Sprint(int(c.code), " ")) || o.Status != job.Error {
			t.Errorf("%s %q, want code %d", o.Status, o.StatusDetail, c.code)
		}
	}
	for _, text := range c.says {
		if !strings.Contains(detail, text) {
			t.Errorf("%q does not say %q", detail, text)
		}
	}
	if detail == "" {
		t.Error("no detail")
	}
	t.Log(detail)
	published := keys(t, prefix+"/")
	if c.stored == nil { // an open file becomes a job of the drop template too
		published = slices.DeleteFunc(published, func(key string) bool { return strings.HasSuffix(key, "/720p.mp4") })
	}
	if got := published; len(got) > 0 {
		t.Errorf("%q was published", got)
	}
	body, _, err := site.store.Get(t.Context(), site.state, "jobs/"+id+".json")
	if err != nil || bytes.Contains(body, []byte(secret)) {
		t.Errorf("the record holds the plaintext key, or can't be read: %v", err)
	}
}

// withoutIndex is a file whose index, which stands at its end, was cut off.
func withoutIndex(t *testing.T, whole []byte) []byte {
	t.Helper()
	at := bytes.LastIndex(whole, []byte("moov"))
	if at < len(whole)/2 {
		t.Fatal("the index is not at the end")
	}
	return whole[:at-4]
}

// playlists pose as media and name other resources: a server that counts what
// it is asked for, and a file.
func playlists(t *testing.T, key *job.Encryption) []refusal {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Write(nil)
	}))
	t.Cleanup(func() {
		server.Close()
		if n := asked.Load(); n > 0 {
			t.Errorf("an input made the functions ask another server %d times (invariant 10)", n)
		}
	})
	file := filepath.Join(t.TempDir(), "secret.mp4")
	if err := os.WriteFile(file, read(t, brief(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []refusal
	for name, body := range map[string]string{
		"m3u8":     "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + server.URL + "/a.ts\n#EXTINF:10,\nfile://" + file + "\n#EXT-X-ENDLIST\n",
		"ffconcat": "ffconcat version 1.0\nfile " + file + "\nfile " + server.URL + "/a.mp4\n",
		"mpd": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>` +
			server.URL + `/a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>`,
		"sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
	} {
		all = append(all, refusal{name: name + " as media", media: []byte(body), stored: key, code: 4006, says: []string{"playlists"}})
	}
	slices.SortFunc(all, func(a, b refusal) int { return strings.Compare(a.name, b.name) })
	return all
}

// TestSealedDocumentIsRefused drops a document that is encrypted with a
// customer key: it can't be read, and says so.
func TestSealedDocumentIsRefused(t *testing.T) {
	t.Parallel()
	name, key := unique(t), wrapped(t)
	document, err := json.Marshal(withPipeline(sealedFile(name, name+"/", key)))
	if err != nil {
		t.Fatal(err)
	}
	rec := ended(t, claimed(t, version(t, name+".job.json", document, key)))
	if detail := details(rec); rec.Job.Status != job.Error || !strings.Contains(detail, "must not be encrypted with a customer key") {
		t.Errorf("%s: %s", rec.Job.Status, detail)
	}
}

// TestBadKeyOfAnOutputFailsItAlone gives one of two outputs a key that can't be
// unwrapped.
func TestBadKeyOfAnOutputFailsItAlone(t *testing.T) {
	t.Parallel()
	name, key := unique(t), wrapped(t)
	version(t, name+".mp4", read(t, brief(t)), key)
	req := sealedFile(name+".mp4", name+"/", key)
	req.Outputs = append(req.Outputs, job.Output{Key: "bad.mp4", PresetID: systemPreset + "000040",
		Encryption: badKey(t, noise(32), map[string]string{"service": "another"})})
	rec := ended(t, submit(t, req))
	if o := rec.Job.Outputs; o[0].Status != job.Complete || o[1].Status != job.Error || !strings.HasPrefix(o[1].StatusDetail, "4018 ") {
		t.Errorf("%+v", o)
	}
	if got := keys(t, name+"/"); !slices.Equal(got, []string{name + "/web.mp4"}) {
		t.Errorf("objects %q", got)
	}
}

// TestTakenNameFailsItsOutputAlone puts an object where an output should go.
func TestTakenNameFailsItsOutputAlone(t *testing.T) {
	t.Parallel()
	name, key := unique(t), wrapped(t)
	theirs := []byte("somebody else's")
	target := s3store.UploadTarget{Bucket: site.output, Key: name + "/web.mp4"}
	if _, err := site.store.Upload(context.Background(), target, bytes.NewReader(theirs)); err != nil {
		t.Fatal(err)
	}
	segment := s3store.UploadTarget{Bucket: site.output, Key: name + "/hls00000.ts"}
	if _, err := site.store.Upload(context.Background(), segment, bytes.NewReader(theirs)); err != nil {
		t.Fatal(err)
	}
	version(t, name+".mp4", read(t, brief(t)), key)
	req := sealedFile(name+".mp4", name+"/", key)
	sealed := &job.Encryption{Mode: job.ModeSSEC}
	req.Outputs = append(req.Outputs,
		job.Output{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4", Encryption: sealed},
		job.Output{Key: "free.mp4", PresetID: systemPreset + "000040", Encryption: sealed})
	rec := ended(t, submit(t, req))
	for i, want := range []string{"3002 ", "3002 ", ""} {
		if o := rec.Job.Outputs[i]; !strings.HasPrefix(o.StatusDetail, want) || (o.Status == job.Complete) != (want == "") {
			t.Errorf("output %d is %s %q, want %q", i, o.Status, o.StatusDetail, want)
		}
	}
	for _, key := range []string{"/web.mp4", "/hls00000.ts"} {
		if body, _, err := site.store.Get(t.Context(), site.output, name+key); err != nil || !bytes.Equal(body, theirs) {
			t.Errorf("%s was touched: %q, %v", key, body, err)
		}
	}
	if got := keys(t, name+"/"); slices.Contains(got, name+"/hls.m3u8") || !slices.Contains(got, name+"/free.mp4") {
		t.Errorf("objects %q", got)
	}
}
