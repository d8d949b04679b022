package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/vault"
)

// greys are how many steps of grey tell a number, and greyStep is the luma between
// two of them.
const (
	greys    = 20
	greyStep = 11
)

// numbered is a film of fewer than 400 frames whose left half tells the frame's
// number modulo 20 by its grey, and whose right half tells the rest.
func numbered(t *testing.T, rate string, seconds int) string {
	t.Helper()
	return clip(t, "numbered.mp4", "-f", "lavfi", "-i", fmt.Sprintf("nullsrc=s=160x90:r=%s:d=%d,format=yuv420p,"+
		"geq=lum='16+%d*if(lt(X,80),mod(N,%d),floor(N/%d))':cb=128:cr=128", rate, seconds, greyStep, greys, greys),
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "8", "-g", "48")
}

// numberIn reads a frame's number from its picture.
func numberIn(t *testing.T, m image.Image) int {
	t.Helper()
	digit := func(x int) int {
		r, g, b, _ := m.At(x, m.Bounds().Dy()/2).RGBA()
		grey := float64(r+g+b) / 3 / 257 // full range; 16 to 235 became 0 to 255
		return int(math.Round(grey * 219 / 255 / greyStep))
	}
	w := m.Bounds().Dx()
	return digit(w/4) + greys*digit(w*3/4)
}

// withThumbnails is a preset whose outputs have thumbnails.
func withThumbnails(t *testing.T, container string, th preset.Thumbnails) string {
	t.Helper()
	return customPreset(t, preset.Preset{Container: container, Thumbnails: &th, Video: &preset.Video{Codec: "H.264", FrameRate: "auto", BitRate: "300",
		KeyframesMaxDist: "60", FixedGOP: "false", MaxWidth: "auto", MaxHeight: "auto", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad"}})
}

// TestThumbnails: each output's own thumbnails are there, under their names, in
// their size and format, of exactly the frames that are shown at their times
// although chunks divide the film, and each sealed with an IV of its own that it
// and its job tell.
func TestThumbnails(t *testing.T) {
	t.Parallel()
	const seconds = 12
	ctr, ctrKey, _ := cipherKey(t, job.ModeCTR, 256, 16)
	cbc, cbcKey, _ := cipherKey(t, job.ModeCBC, 192, 16)
	cases := []struct {
		output    string
		container string
		pattern   string
		sealed    *job.Encryption
		key       []byte // nil where it is generated
		th        preset.Thumbnails
		names     string // with the number's place
		w, h      int
	}{
		{"gcm", "ts", "t/{resolution}/{count}", &job.Encryption{Mode: job.ModeGCM}, nil,
			preset.Thumbnails{Format: "png", Interval: "1", MaxWidth: "96", MaxHeight: "96", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad"}, "t/96x54/%05d.png", 96, 54},
		{"ctr.mp4", "mp4", "ctr{count}-{resolution}", ctr, ctrKey, preset.Thumbnails{Format: "jpg", Interval: "5", Resolution: "64x64", AspectRatio: "auto"}, "ctr%05d-64x64.jpg", 64, 64},
		{"cbc.mp4", "mp4", "cbc-{count}", cbc, cbcKey,
			preset.Thumbnails{Format: "jpg", Interval: "3", MaxWidth: "64", MaxHeight: "64", SizingPolicy: "Fill", PaddingPolicy: "NoPad"}, "cbc-%05d.jpg", 64, 64},
		{"ssec.mp4", "mp4", "{count}", &job.Encryption{Mode: job.ModeSSEC}, nil,
			preset.Thumbnails{Format: "png", Interval: "2", MaxWidth: "80", MaxHeight: "96", SizingPolicy: "Stretch", PaddingPolicy: "Pad"}, "%05d.png", 80, 96},
		{"plain.mp4", "mp4", "plain-{count}", nil, nil,
			preset.Thumbnails{Format: "jpg", Interval: "60", MaxWidth: "auto", MaxHeight: "auto", SizingPolicy: "Keep", PaddingPolicy: "NoPad"}, "plain-%05d.jpg", 160, 90},
	}
	name := unique(t)
	sealed := wrapped(t)
	upload(t, name+".mp4", numbered(t, "30000/1001", seconds), sealed)
	req := job.Request{Inputs: []job.Input{{Key: name + ".mp4", Encryption: sealed}}, OutputKeyPrefix: name + "/"}
	for _, c := range cases {
		o := job.Output{Key: c.output, PresetID: withThumbnails(t, c.container, c.th), ThumbnailPattern: c.pattern, ThumbnailEncryption: c.sealed}
		if c.container == "ts" {
			o.SegmentDuration = "4"
		}
		req.Outputs = append(req.Outputs, o)
	}
	rec := completed(t, submit(t, req))
	if chunks := planOf(t, rec.Job.ID).Groups[0].Chunks; len(chunks) < 3 {
		t.Errorf("%d chunks", len(chunks))
	}
	ivs := map[string]bool{"": true, decoded(t, ctr.InitializationVector): true, decoded(t, cbc.InitializationVector): true}
	want := keysBeside(t, name, rec)
	for i, c := range cases {
		interval := integer(t, c.th.Interval)
		result, err := site.ledger.Result(t.Context(), rec.Job.ID, rec.Job.Outputs[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		// The film is of 30 times as many frames, and so a little longer.
		if n := rational.New(1001*30*seconds, 30000*interval).Ceil(1); int64(len(result.Thumbnails)) != n {
			t.Errorf("%s: %d thumbnails, want %d", c.output, len(result.Thumbnails), n)
		}
		for n, still := range result.Thumbnails {
			if key := name + "/" + fmt.Sprintf(c.names, n+1); still.Key != key {
				t.Errorf("%s: thumbnail %s, want %s", c.output, still.Key, key)
			}
			want = append(want, still.Key)
			body := thumbnail(t, rec, i, still.Key, c.key)
			if iv := decoded(t, still.IV); c.sealed != nil && c.sealed.Mode != job.ModeSSEC {
				if ivs[iv] {
					t.Errorf("%s: another file has its IV, or the job", still.Key)
				}
				ivs[iv] = true
			}
			m, format, err := image.Decode(bytes.NewReader(body))
			if err != nil {
				t.Fatalf("%s: %v", still.Key, err)
			}
			if m.Bounds().Dx() != c.w || m.Bounds().Dy() != c.h || strings.Replace(format, "jpeg", "jpg", 1) != c.th.Format || int64(len(body)) != still.Bytes {
				t.Errorf("%s: %v, %s, %d bytes", still.Key, m.Bounds(), format, len(body))
			}
			if got, want := numberIn(t, m), rational.New(30000, 1001).Floor(int64(n)*interval); int64(got) != want {
				t.Errorf("%s is frame %d, want %d", still.Key, got, want)
			}
		}
	}
	slices.Sort(want)
	if got := keys(t, name+"/"); !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// keysBeside are the objects of a job's outputs that are no thumbnails.
func keysBeside(t *testing.T, name string, rec *ledger.Record) []string {
	t.Helper()
	var all []string
	for _, o := range planOf(t, rec.Job.ID).Outputs {
		all = append(all, o.MainKey())
		result, err := site.ledger.Result(t.Context(), rec.Job.ID, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range result.Segments {
			all = append(all, s.Key)
		}
	}
	return all
}

// thumbnail reads a thumbnail of an output as its owner. One that is sealed by us
// is opened by what it says of itself and a program of others.
func thumbnail(t *testing.T, rec *ledger.Record, output int, key string, raw []byte) []byte {
	t.Helper()
	e := rec.Job.Outputs[output].ThumbnailEncryption
	if e == nil || e.Mode == job.ModeSSEC {
		asOutput := *rec
		asOutput.Job.Outputs = slices.Clone(rec.Job.Outputs)
		asOutput.Job.Outputs[output].Encryption = e
		return fetch(t, &asOutput, output, key)
	}
	sealed, meta := stored(t, key)
	if meta[vault.MetadataMode] != e.Mode || meta[vault.MetadataKey] != e.Key || e.Key == "" || meta[vault.MetadataKeyMD5] != e.KeyMd5 {
		t.Fatalf("%s says of itself %v", key, meta)
	}
	if raw == nil {
		raw = unwrapped(t, e)
	}
	iv := []byte(decoded(t, meta[vault.MetadataIV]))
	k, err := seal.NewKey(bytes.Clone(raw))
	if err != nil {
		t.Fatal(err)
	}
	mode, err := seal.ModeOf(e.Mode)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&seal.Material{Mode: mode, Key: k, IV: iv}).Committed(meta[vault.MetadataCommitment], site.output, key); err != nil {
		t.Errorf("%s: %v", key, err)
	}
	result, err := site.ledger.Result(t.Context(), rec.Job.ID, rec.Job.Outputs[output].ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, still := range result.Thumbnails {
		if still.Key == key && still.IV != base64.StdEncoding.EncodeToString(iv) {
			t.Errorf("%s has another IV than its job tells", key)
		}
	}
	return crypt(t, true, e.Mode, raw, iv, sealed)
}

// TestThumbnailNamesThatAreTaken fails the output that wants them (3002), be they
// an object's or those of another output of the job; the others are made.
func TestThumbnailNamesThatAreTaken(t *testing.T) {
	t.Parallel()
	name := unique(t)
	sealed := wrapped(t)
	upload(t, name+".mp4", numbered(t, "25", 4), sealed)
	id := withThumbnails(t, "mp4", preset.Thumbnails{Format: "jpg", Interval: "1", MaxWidth: "64", MaxHeight: "64", SizingPolicy: "Fit", PaddingPolicy: "Pad"})
	for _, key := range []string{"first00001.jpg", "later00003.jpg"} {
		if _, err := site.store.Upload(t.Context(), s3store.UploadTarget{Bucket: site.output, Key: name + "/" + key}, strings.NewReader("theirs")); err != nil {
			t.Fatal(err)
		}
	}
	req := job.Request{Inputs: []job.Input{{Key: name + ".mp4", Encryption: sealed}}, OutputKeyPrefix: name + "/"}
	for i, pattern := range []string{"first{count}", "later{count}", "x{resolution}-{count}", "x64x64-{count}", ""} {
		req.Outputs = append(req.Outputs, job.Output{Key: fmt.Sprintf("%d.mp4", i), PresetID: id, ThumbnailPattern: pattern})
	}
	rec := ended(t, submit(t, req))
	for i, want := range []string{job.Error, job.Error, job.Complete, job.Error, job.Complete} {
		o := rec.Job.Outputs[i]
		if o.Status != want || want == job.Error && !strings.HasPrefix(o.StatusDetail, "3002 ") {
			t.Errorf("%s: %s, %s", o.ThumbnailPattern, o.Status, o.StatusDetail)
		}
	}
	for _, key := range []string{"first00001.jpg", "later00003.jpg"} {
		if body := fetch(t, rec, 4, name+"/"+key); string(body) != "theirs" {
			t.Errorf("%s was overwritten", key)
		}
	}
	if got := len(keys(t, name+"/x64x64-")); got != 4 {
		t.Errorf("%d thumbnails of the output that goes on", got)
	}
}

// TestKilledWorkerLeavesTheSameThumbnails kills the transcode function when it has
// stored thumbnails of a chunk that it is not done with. Another makes the chunk,
// and takes those that are there for its own.
func TestKilledWorkerLeavesTheSameThumbnails(t *testing.T) {
	name := unique(t)
	key := wrapped(t)
	upload(t, name+".mp4", numbered(t, "25", 12), key)
	quiet(t)
	large := customPreset(t, preset.Preset{Container: "mp4",
		Video: &preset.Video{Codec: "H.264", FrameRate: "auto", BitRate: "auto", KeyframesMaxDist: "90", FixedGOP: "false",
			MaxWidth: "2560", MaxHeight: "1440", SizingPolicy: "Fit", PaddingPolicy: "NoPad"},
		Thumbnails: &preset.Thumbnails{Format: "png", Interval: "1", MaxWidth: "64", MaxHeight: "36", SizingPolicy: "Fit", PaddingPolicy: "NoPad"}})
	id := submit(t, job.Request{Inputs: []job.Input{{Key: name + ".mp4", Encryption: key}}, OutputKeyPrefix: name + "/", Outputs: []job.Output{
		{Key: "a.mp4", PresetID: large, ThumbnailPattern: "{count}", ThumbnailEncryption: &job.Encryption{Mode: job.ModeGCM}}}})
	var victim int
	eventually(t, time.Minute, "a thumbnail of a chunk that is being made", func() bool {
		done, err := site.ledger.Receipts(t.Context(), id)
		if err != nil || len(keys(t, name+"/0")) <= 4*len(done) {
			return false
		}
		for _, p := range processes("sealreel-TranscodeFunction", "sealreel-transcode") {
			if len(children(p)) > 0 {
				victim = p
			}
		}
		return victim != 0
	})
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for _, k := range keys(t, name+"/0") {
		body, _ := stored(t, k)
		before[k] = string(body)
	}
	t.Parallel() // the wait for the message costs nothing
	rec := completed(t, id)
	t.Logf("%d thumbnails were there when the worker was killed", len(before))
	for n := range 12 {
		k := fmt.Sprintf("%s/%05d.png", name, n+1)
		m, _, err := image.Decode(bytes.NewReader(thumbnail(t, rec, 0, k, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if got := numberIn(t, m); got != n*25 {
			t.Errorf("%s is frame %d, want %d", k, got, n*25)
		}
		if body, _ := stored(t, k); before[k] != "" && before[k] != string(body) {
			t.Errorf("%s was overwritten", k)
		}
	}
	if got := keys(t, name+"/0"); len(got) != 12 {
		t.Errorf("%q", got)
	}
	if _, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.output, Key: name + "/00013.png"}, nil); err == nil || !strings.Contains(err.Error(), object.ErrNotExist.Error()) {
		t.Errorf("a thumbnail too many: %v", err)
	}
}
