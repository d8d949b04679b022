package ingest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/still"
)

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWatermarksArePinned: a picture is read once for all outputs that draw it
// under the same Encryption, and one that can't be used fails its output alone.
func TestWatermarksArePinned(t *testing.T) {
	w := newWorld()
	w.media = map[string]string{"film.mp4": "v1", "logo.png": "v7", "noise.png": "v1", "huge.png": "v1", "sealed.jpg": "v1", "endless.png": "v1"}
	w.bodies = map[string][]byte{"logo.png": picture(t, 400, 200), "noise.png": []byte("no picture at all"), "huge.png": picture(t, still.MaxWidth+1, 1),
		"sealed.jpg": []byte("what a wrong key gives"), "endless.png": nil}
	w.sizes = map[string]int64{"endless.png": still.MaxBytes + 1}
	bare := &job.Encryption{Mode: job.ModeCTR, Key: base64.StdEncoding.EncodeToString(make([]byte, 100)), KeyMd5: base64.StdEncoding.EncodeToString(make([]byte, 16)), InitializationVector: base64.StdEncoding.EncodeToString(make([]byte, 16))}
	ssec := &job.Encryption{Mode: job.ModeSSEC, Key: bare.Key, KeyMd5: bare.KeyMd5}
	outputs := []struct {
		key  string
		e    *job.Encryption
		code job.Code
	}{
		{"logo.png", nil, 0}, {"logo.png", nil, 0}, {"logo.png", ssec, 0}, {"noise.png", nil, 4003}, {"noise.png", ssec, 4003},
		{"huge.png", nil, 4004}, {"sealed.jpg", bare, 4016}, {"gone.png", nil, 3001}, {"endless.png", nil, 4005},
	}
	req := job.Request{PipelineID: defaultID, Inputs: []job.Input{{Key: "film.mp4"}}, OutputKeyPrefix: "x/"}
	for i, o := range outputs {
		req.Outputs = append(req.Outputs, job.Output{Key: strings.Repeat("a", i+1) + ".mp4", PresetID: "1351620000001-000020",
			Watermarks: []job.Watermark{{PresetWatermarkID: "TopLeft", InputKey: o.key, Encryption: o.e}, {PresetWatermarkID: "BottomRight", InputKey: o.key, Encryption: o.e}}})
	}
	body, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	w.docs["a.job.json"] = body
	d, err := w.drop("a.job.json")
	if err != nil {
		t.Fatal(err)
	}
	rec := w.job(t, d)
	p, err := ledger.New(&w.state, "state").Plan(t.Context(), rec.Job.ID)
	if err != nil {
		t.Fatal(err, rec.Warnings)
	}
	for i, o := range outputs {
		got := p.Outputs[i]
		if o.code == 0 && got.Failure != nil || o.code != 0 && (got.Failure == nil || got.Failure.Code != o.code || !strings.Contains(got.Failure.Detail, o.key)) {
			t.Errorf("output %d with %s: %+v, want %d", i, o.key, got.Failure, o.code)
		}
	}
	if n := len(p.Stills); n != 2 || p.Stills[0].Input.VersionID != "v7" || p.Stills[0].Info != (still.Info{Format: still.PNG, Width: 400, Height: 200}) || p.Stills[1].Input.Encryption == nil {
		t.Errorf("%+v", p.Stills)
	}
	if want := []int{0, 1, 2}; !slices.Equal(p.Groups[0].Outputs, want) {
		t.Errorf("outputs %v are made, want %v", p.Groups[0].Outputs, want)
	}
	// 10 % of 320x180, the film's size: the logo is shrunk to 32x16, 10 % from the border.
	want := []plan.Mark{{Still: 1, Overlay: preset.Overlay{X: 32, Y: 18, W: 32, H: 16, Opacity: 1}}, {Still: 1, Overlay: preset.Overlay{X: 256, Y: 146, W: 32, H: 16, Opacity: 1}}}
	if got := p.Outputs[2].Picture; !slices.Equal(got.Marks, want) || got.Matrix != "bt601" {
		t.Errorf("marks %+v in %s, want %+v", got.Marks, got.Matrix, want)
	}
	if n := w.pinned["logo.png"]; n != 2 {
		t.Errorf("the picture was pinned %d times, want once for each Encryption", n)
	}
}

// TestPicturesAreNoMedia: dropping what jobs draw makes no job.
func TestPicturesAreNoMedia(t *testing.T) {
	w := newWorld()
	for _, key := range []string{"logo.png", "logos/own.jpg", "a.jpeg"} {
		w.media[key] = "v1"
		if _, err := w.drop(key); err != nil {
			t.Fatal(err)
		}
	}
	for key := range w.state.Keys(t.Context(), "state", "jobs/") {
		t.Errorf("there is a job: %s", key)
	}
}
