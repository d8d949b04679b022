package e2e

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/vault"
)

// cipherKey is a key of a user's own, wrapped by KMS, and an IV.
func cipherKey(t *testing.T, mode string, bits, ivSize int) (*job.Encryption, []byte, []byte) {
	t.Helper()
	raw, iv := make([]byte, bits/8), make([]byte, ivSize)
	rand.Read(raw)
	rand.Read(iv)
	key, err := seal.NewKey(bytes.Clone(raw))
	if err != nil {
		t.Fatal(err)
	}
	blob, err := kmskeys.New(site.aws).Wrap(t.Context(), key, site.keyARN, elasticContext)
	if err != nil {
		t.Fatal(err)
	}
	return &job.Encryption{
		Mode: mode, Key: base64.StdEncoding.EncodeToString(blob), KeyMd5: md5Of(blob),
		InitializationVector: base64.StdEncoding.EncodeToString(iv),
	}, raw, iv
}

func md5Of(b []byte) string {
	sum := md5.Sum(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// crypt encrypts or decrypts as others would: openssl for CBC and CTR, the
// standard library's one-shot AEAD for GCM.
func crypt(t *testing.T, decrypt bool, mode string, key, iv, data []byte) []byte {
	t.Helper()
	if mode == job.ModeGCM {
		block, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		gcm, err := cipher.NewGCMWithNonceSize(block, len(iv))
		if err != nil {
			t.Fatal(err)
		}
		if !decrypt {
			return gcm.Seal(nil, iv, data, nil)
		}
		plain, err := gcm.Open(nil, iv, data, nil)
		if err != nil {
			t.Fatalf("the tag is wrong: %v", err)
		}
		return plain
	}
	name := map[string]string{job.ModeCBC: "cbc", job.ModeCTR: "ctr"}[mode]
	args := []string{"enc", "-aes-" + map[int]string{16: "128", 24: "192", 32: "256"}[len(key)] + "-" + name,
		"-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv), "-in", save(t, "data", data)}
	if decrypt {
		args = append(args, "-d")
	}
	return []byte(program(t, "openssl", args...))
}

// stored reads an object as it is stored, with its metadata.
func stored(t *testing.T, key string) ([]byte, map[string]string) {
	t.Helper()
	o := s3store.Object{Bucket: site.output, Key: key}
	info, err := site.store.Head(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := site.store.ReadRange(t.Context(), o, nil, 0, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b, info.Metadata
}

func TestEveryModeInAndOut(t *testing.T) {
	media := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=9", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=9",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-shortest")
	plain, err := os.ReadFile(media)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in         string
		bits, iv   int
		out        string
		generated  bool
		outputBits int
	}{
		{job.ModeCBC, 128, 16, job.ModeGCM, false, 256},
		{job.ModeCTR, 192, 16, job.ModeCBC, false, 192},
		{job.ModeGCM, 256, 16, job.ModeCTR, false, 128},
		{job.ModeGCM, 128, 12, job.ModeGCM, true, 128},
		{job.ModeCTR, 256, 16, job.ModeCTR, true, 128},
		{job.ModeCBC, 256, 16, job.ModeCBC, true, 128},
	} {
		t.Run(c.in+" to "+c.out, func(t *testing.T) {
			t.Parallel()
			name := unique(t)
			in, key, iv := cipherKey(t, c.in, c.bits, c.iv)
			upload(t, name+".mp4", save(t, "sealed", crypt(t, false, c.in, key, iv, plain)), nil)
			out1, raw1, _ := cipherKey(t, c.out, c.outputBits, 16)
			out2, raw2, _ := cipherKey(t, c.out, c.outputBits, 16)
			if c.generated {
				out1, out2 = &job.Encryption{Mode: c.out}, &job.Encryption{Mode: c.out}
			}
			rec := completed(t, submit(t, job.Request{
				Inputs:          []job.Input{{Key: name + ".mp4", Encryption: in}},
				OutputKeyPrefix: name + "/",
				Outputs: []job.Output{
					{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4", Encryption: out1},
					{Key: "web.mp4", PresetID: systemPreset + "000040", Encryption: out2},
				},
			}))
			if c.generated {
				raw1, raw2 = unwrapped(t, rec.Job.Outputs[0].Encryption), unwrapped(t, rec.Job.Outputs[1].Encryption)
			}
			checkSealedFiles(t, rec, name, c.out, raw1, raw2)
		})
	}
}

func unwrapped(t *testing.T, e *job.Encryption) []byte {
	t.Helper()
	m, err := keyring(t).Unwrap(t.Context(), *e)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(m.Key.Bytes())
}

// checkSealedFiles opens every file of a job's two outputs by its own metadata.
func checkSealedFiles(t *testing.T, rec *ledger.Record, name, mode string, hlsKey, mp4Key []byte) {
	t.Helper()
	ivs := map[string]string{}
	open := func(key string, raw []byte) []byte {
		sealed, meta := stored(t, key)
		iv, err := base64.StdEncoding.DecodeString(meta[vault.MetadataIV])
		if err != nil || len(iv) != 16 || meta[vault.MetadataMode] != mode || meta[vault.MetadataKey] == "" || meta[vault.MetadataKeyMD5] == "" {
			t.Fatalf("%s says of itself %v", key, meta)
		}
		if other := ivs[string(iv)]; other != "" {
			t.Errorf("%s and %s have one IV", key, other)
		}
		ivs[string(iv)] = key
		k, err := seal.NewKey(bytes.Clone(raw))
		if err != nil {
			t.Fatal(err)
		}
		m, err := seal.ModeOf(mode)
		if err != nil {
			t.Fatal(err)
		}
		material := &seal.Material{Mode: m, Key: k, IV: iv}
		if err := material.Committed(meta[vault.MetadataCommitment], site.output, key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if material.Committed(meta[vault.MetadataCommitment], site.output, key+"x") == nil {
			t.Errorf("%s: the commitment holds for another name", key)
		}
		return crypt(t, true, mode, raw, iv, sealed)
	}
	var ts [][]byte
	for _, key := range keys(t, name+"/") {
		if strings.HasSuffix(key, ".ts") {
			ts = append(ts, open(key, hlsKey))
		}
	}
	if n := len(frames(t, save(t, "all.ts", ts...))); n != 225 {
		t.Errorf("the segments have %d frames, want 225", n)
	}
	file := save(t, "web.mp4", open(name+"/web.mp4", mp4Key))
	if n := len(frames(t, file)); n != 270 {
		t.Errorf("the file has %d frames, want 270", n)
	}
	if want := rec.Job.Outputs[1].Encryption.InitializationVector; ivs[decoded(t, want)] != name+"/web.mp4" {
		t.Error("the single file is not sealed with the IV that the job shows")
	}
}

func decoded(t *testing.T, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestForgedInputPublishesNothing flips bits of a GCM input (invariant 4), and
// damages the others where that can be known.
func TestForgedInputPublishesNothing(t *testing.T) {
	media := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-c:v", "libx264", "-preset", "ultrafast")
	plain, err := os.ReadFile(media)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
	}
	for _, c := range []struct {
		name, mode string
		damage     func([]byte) []byte
		wrongKey   bool
	}{
		{"first bit", job.ModeGCM, flip(0), false},
		{"a bit in the middle", job.ModeGCM, flip(len(plain) / 2), false},
		{"last bit of the tag", job.ModeGCM, flip(-1), false},
		{"cut", job.ModeGCM, func(b []byte) []byte { return b[:len(b)-1] }, false},
		{"shorter than a tag", job.ModeGCM, func(b []byte) []byte { return b[:15] }, false},
		{"another key", job.ModeGCM, func(b []byte) []byte { return b }, true},
		{"another key in cbc", job.ModeCBC, func(b []byte) []byte { return b }, true},
		{"another key in ctr", job.ModeCTR, func(b []byte) []byte { return b }, true},
		{"cut in cbc", job.ModeCBC, func(b []byte) []byte { return b[:len(b)-1] }, false},
		{"a block less in cbc", job.ModeCBC, func(b []byte) []byte { return b[:16] }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := unique(t)
			in, key, iv := cipherKey(t, c.mode, 256, 16)
			upload(t, name+".mp4", save(t, "sealed", c.damage(crypt(t, false, c.mode, key, iv, bytes.Clone(plain)))), nil)
			if c.wrongKey {
				other, _, _ := cipherKey(t, c.mode, 256, 16)
				other.InitializationVector = in.InitializationVector
				in = other
			}
			rec := ended(t, submit(t, job.Request{
				Inputs:          []job.Input{{Key: name + ".mp4", Encryption: in}},
				OutputKeyPrefix: name + "/",
				Outputs:         []job.Output{{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4"}},
			}))
			if detail := rec.Job.Outputs[0].StatusDetail; rec.Job.Status != job.Error || !strings.HasPrefix(detail, "4016 ") {
				t.Errorf("the job is %s: %s", rec.Job.Status, detail)
			}
			if got := keys(t, name+"/"); len(got) > 0 {
				t.Errorf("published: %v", got)
			}
		})
	}
}

func TestAPairOfKeyAndIVIsUsedOnce(t *testing.T) {
	media := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-c:v", "libx264", "-preset", "ultrafast")
	name := unique(t)
	upload(t, name+".mp4", media, nil)
	pair, _, _ := cipherKey(t, job.ModeCTR, 128, 16)
	rewrapped := *pair
	raw := unwrapped(t, pair)
	key, err := seal.NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := kmskeys.New(site.aws).Wrap(t.Context(), key, site.keyARN, elasticContext)
	if err != nil {
		t.Fatal(err)
	}
	rewrapped.Key, rewrapped.KeyMd5 = base64.StdEncoding.EncodeToString(blob), md5Of(blob)
	request := func(prefix string, first, second *job.Encryption) job.Request {
		return job.Request{Inputs: []job.Input{{Key: name + ".mp4"}}, OutputKeyPrefix: name + prefix, Outputs: []job.Output{
			{Key: "a.mp4", PresetID: systemPreset + "000040", Encryption: first},
			{Key: "b.mp4", PresetID: systemPreset + "000040", Encryption: second},
		}}
	}
	rec := ended(t, submit(t, request("/1/", pair, &rewrapped)))
	if o := rec.Job.Outputs; o[0].Status != job.Complete || o[1].Status != job.Error || !strings.Contains(o[1].StatusDetail, "InitializationVector") {
		t.Errorf("within a job: %s %s, %s %s", o[0].Status, o[0].StatusDetail, o[1].Status, o[1].StatusDetail)
	}
	rec = ended(t, submit(t, request("/2/", pair, nil)))
	if o := rec.Job.Outputs; o[0].Status != job.Error || !strings.Contains(o[0].StatusDetail, "InitializationVector") || o[1].Status != job.Complete {
		t.Errorf("in another job: %s %s, %s %s", o[0].Status, o[0].StatusDetail, o[1].Status, o[1].StatusDetail)
	}
}
