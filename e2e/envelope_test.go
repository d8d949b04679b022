package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/s3store"
	"sealreel/pkg/vault"
)

// The names of AWS's S3 Encryption Client, as others spell them.
const gcmNoPadding = "AES/GCM/NoPadding"

var clientContext = map[string]string{"aws:x-amz-cek-alg": gcmNoPadding, "service": elasticContext["service"]}

// enveloped encrypts a file as the client does, with the metadata that go with it.
func enveloped(t *testing.T, plain []byte) ([]byte, map[string]string) {
	t.Helper()
	key, wrapped, err := kmskeys.New(site.aws).Generate(t.Context(), site.keyARN, 32, clientContext)
	if err != nil {
		t.Fatal(err)
	}
	iv := make([]byte, 12)
	rand.Read(iv)
	description, err := json.Marshal(clientContext)
	if err != nil {
		t.Fatal(err)
	}
	return crypt(t, false, job.ModeGCM, key, iv, plain), map[string]string{
		"x-amz-key-v2": base64.StdEncoding.EncodeToString(wrapped), "x-amz-iv": base64.StdEncoding.EncodeToString(iv),
		"x-amz-matdesc": string(description), "x-amz-wrap-alg": "kms+context", "x-amz-cek-alg": gcmNoPadding, "x-amz-tag-len": "128",
	}
}

// opened decrypts an object of an output by its metadata alone.
func opened(t *testing.T, name string) ([]byte, map[string]string) {
	t.Helper()
	sealed, meta := stored(t, name)
	var context map[string]string
	if err := json.Unmarshal([]byte(meta["x-amz-matdesc"]), &context); err != nil || !maps.Equal(context, clientContext) {
		t.Fatalf("%s: the context is %s, %v", name, meta["x-amz-matdesc"], err)
	}
	if meta["x-amz-wrap-alg"] != "kms+context" || meta["x-amz-cek-alg"] != gcmNoPadding || meta["x-amz-tag-len"] != "128" || meta[vault.MetadataMode] != job.ModeS3EC {
		t.Fatalf("%s says of itself %v", name, meta)
	}
	key, err := kmskeys.New(site.aws).Decrypt(t.Context(), []byte(decoded(t, meta["x-amz-key-v2"])), site.keyARN, context)
	if err != nil || len(key) != 32 {
		t.Fatalf("%s: a key of %d bytes, %v", name, len(key), err)
	}
	return crypt(t, true, job.ModeGCM, key, []byte(decoded(t, meta["x-amz-iv"])), sealed), meta
}

func uploadEnveloped(t *testing.T, key string, sealed []byte, metadata map[string]string) {
	t.Helper()
	target := s3store.UploadTarget{Bucket: site.ingest, Key: key, Metadata: metadata}
	if _, err := site.store.Upload(t.Context(), target, bytes.NewReader(sealed)); err != nil {
		t.Fatal(err)
	}
}

func TestEncryptionClientInAndOut(t *testing.T) {
	media := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=9", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=9",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-shortest")
	plain, err := os.ReadFile(media)
	if err != nil {
		t.Fatal(err)
	}
	name := unique(t)
	sealed, metadata := enveloped(t, plain)
	uploadEnveloped(t, name+".mp4", sealed, metadata)
	mode := &job.Encryption{Mode: job.ModeS3EC}
	rec := completed(t, submit(t, job.Request{
		Inputs:          []job.Input{{Key: name + ".mp4", Encryption: mode}},
		OutputKeyPrefix: name + "/",
		Outputs: []job.Output{
			{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4", Encryption: mode},
			{Key: "web.mp4", PresetID: systemPreset + "000040", Encryption: mode},
		},
	}))
	if e := rec.Job.Outputs[0].Encryption; e == nil || *e != *mode {
		t.Errorf("the job shows %+v", e)
	}
	used := map[string]string{}
	open := func(key string) []byte {
		b, meta := opened(t, key)
		for _, part := range []string{meta["x-amz-key-v2"], meta["x-amz-iv"]} {
			if other := used[part]; other != "" {
				t.Errorf("%s and %s share a key or an IV", key, other)
			}
			used[part] = key
		}
		return b
	}
	var ts [][]byte
	for _, key := range keys(t, name+"/") {
		if strings.HasSuffix(key, ".ts") {
			ts = append(ts, open(key))
		}
	}
	if n := len(frames(t, save(t, "all.ts", ts...))); n != 225 || len(ts) != 3 {
		t.Errorf("%d segments have %d frames, want 3 and 225", len(ts), n)
	}
	if n := len(frames(t, save(t, "web.mp4", open(name+"/web.mp4")))); n != 270 {
		t.Errorf("the file has %d frames, want 270", n)
	}
}

// TestForgedEnvelopePublishesNothing changes content or metadata of such an input
// (invariant 4).
func TestForgedEnvelopePublishesNothing(t *testing.T) {
	media := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-c:v", "libx264", "-preset", "ultrafast")
	plain, err := os.ReadFile(media)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, metadata, value, want string }{
		{"a bit", "", "", "4016 "},
		{"CBC", "x-amz-cek-alg", "AES/CBC/PKCS5Padding", "4016 "},
		{"a context that is another's", "x-amz-matdesc", `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","service":"other"}`, "4016 "},
		{"a context that was added to", "x-amz-matdesc", `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","more":"m","service":"` + elasticContext["service"] + `"}`, "4018 "},
		{"not asked for", "", "", "400"}, // 4000, or 4006 where ciphertext by chance begins like some container
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := unique(t)
			sealed, metadata := enveloped(t, plain)
			mode := &job.Encryption{Mode: job.ModeS3EC}
			switch {
			case c.metadata != "":
				metadata[c.metadata] = c.value
			case c.name == "a bit":
				sealed[len(sealed)/2] ^= 1
			default:
				mode = nil
			}
			uploadEnveloped(t, name+".mp4", sealed, metadata)
			rec := ended(t, submit(t, job.Request{
				Inputs:          []job.Input{{Key: name + ".mp4", Encryption: mode}},
				OutputKeyPrefix: name + "/",
				Outputs:         []job.Output{{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4"}},
			}))
			if detail := rec.Job.Outputs[0].StatusDetail; rec.Job.Status != job.Error || !strings.HasPrefix(detail, c.want) {
				t.Errorf("the job is %s: %s", rec.Job.Status, detail)
			}
			if got := keys(t, name+"/"); len(got) > 0 {
				t.Errorf("published: %v", got)
			}
		})
	}
}
