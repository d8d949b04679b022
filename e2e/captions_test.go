package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/preset"
	"sealreel/pkg/vault"
)

// said is what films say in a language.
func said(language string) []caption.Cue {
	const s = time.Second
	return []caption.Cue{
		{Start: 1 * s, End: 2500 * time.Millisecond, Text: "Hello in " + language},
		{Start: 3500 * time.Millisecond, End: 4500 * time.Millisecond, Text: "Two lines,\nacross a border"},
		{Start: 6 * s, End: 7 * s, Text: "Grüße"},
	}
}

func captionDocument(t *testing.T, format caption.Format, cues []caption.Cue) []byte {
	t.Helper()
	doc, err := caption.Encode(format, caption.Track{Language: "en", Cues: cues})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// sameCues complains unless cues are those that are wanted, but for the time of
// a frame, which is all that scc can say.
func sameCues(t *testing.T, what string, got, want []caption.Cue) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b caption.Cue) bool {
		const frame = 34 * time.Millisecond
		return a.Text == b.Text && (a.Start-b.Start).Abs() <= frame && (a.End-b.End).Abs() <= frame
	}) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// captionFile decrypts a file of captions as its owner and reads it. Each must
// have an IV of its own.
func captionFile(t *testing.T, e *job.Encryption, key string, ivs map[string]string) (caption.Format, []caption.Cue) {
	t.Helper()
	var body []byte
	switch {
	case e == nil || e.Mode == job.ModeS3 || e.Mode == job.ModeS3KMS:
		body, _ = stored(t, key)
	case e.Mode == job.ModeSSEC:
		body = fetch(t, &ledger.Record{Job: job.Job{Outputs: []job.Output{{Encryption: e}}}}, 0, key)
	case e.Mode == job.ModeS3EC:
		body, _ = opened(t, key)
	default:
		sealed, metadata := stored(t, key)
		iv := decoded(t, metadata[vault.MetadataIV])
		if other := ivs[iv]; other != "" || metadata[vault.MetadataMode] != e.Mode {
			t.Errorf("%s in mode %s has the IV of %q", key, metadata[vault.MetadataMode], other)
		}
		ivs[iv] = key
		body = crypt(t, true, e.Mode, unwrapped(t, e), []byte(iv), sealed)
	}
	format := caption.Detect(body)
	if bytes.HasPrefix(body, []byte("WEBVTT\nX-TIMESTAMP-MAP")) && !bytes.Contains(body, []byte("-->")) {
		return format, nil
	}
	cues, err := caption.Decode(format, body)
	if err != nil {
		t.Errorf("%s: %v: %.100q", key, err, body)
	}
	return format, cues
}

// textTracks are the languages and cues of a file's tracks, as ffmpeg decodes
// them.
func textTracks(t *testing.T, file string) (languages []string, tracks [][]caption.Cue) {
	t.Helper()
	for line := range strings.Lines(ffprobe(t, "-select_streams", "s", "-show_entries", "stream=codec_name:stream_tags=language", "-of", "csv=p=0", file)) {
		codec, language, _ := strings.Cut(strings.TrimSpace(line), ",")
		if codec != "mov_text" {
			t.Errorf("a track of %s", codec)
		}
		cues, err := caption.Decode(caption.SRT, []byte(ffmpeg(t, "-i", file, "-map", fmt.Sprintf("0:s:%d", len(tracks)), "-f", "srt", "-")))
		if err != nil {
			t.Error(err)
		}
		languages, tracks = append(languages, language), append(tracks, cues)
	}
	return languages, tracks
}

// tiny is a preset of small pictures.
func tiny(t *testing.T, container string) string {
	t.Helper()
	return customPreset(t, preset.Preset{Container: container, Video: &preset.Video{Codec: "H.264", CodecOptions: map[string]string{"Profile": "main", "Level": "3", "MaxReferenceFrames": "3"},
		BitRate: "200", FrameRate: "auto", KeyframesMaxDist: "50", FixedGOP: "false", MaxWidth: "160", MaxHeight: "96", SizingPolicy: "Fit", PaddingPolicy: "NoPad", DisplayAspectRatio: "auto"},
		Audio: &preset.Audio{Codec: "AAC", SampleRate: "44100", BitRate: "64", Channels: "2", CodecOptions: &preset.AudioOptions{Profile: "AAC-LC"}}})
}

// TestCaptionsOfEveryFormatInEveryMode: side-car files in each format and mode
// go into each format and mode, say the same at the same time, and are opened by
// what the job and the objects say of them.
func TestCaptionsOfEveryFormatInEveryMode(t *testing.T) {
	t.Parallel()
	name := unique(t)
	media := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=8", "-f", "lavfi", "-i", "sine=d=8", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac")
	key := wrapped(t)
	upload(t, name+".mp4", media, key)
	in := &job.InputCaptions{MergePolicy: "MergeOverride"}
	languages := []string{"en", "de", "fra", "es", "it", "pt"}
	for i, s := range []struct {
		format caption.Format
		mode   string
	}{{caption.SRT, job.ModeCBC}, {caption.WebVTT, job.ModeCTR}, {caption.DFXP, job.ModeGCM}, {caption.SCC, job.ModeSSEC}, {caption.SRT, job.ModeS3EC}, {caption.WebVTT, job.ModeS3}} {
		source := job.CaptionSource{Key: name + "/" + languages[i] + "." + string(s.format), Language: languages[i]}
		cues := said(languages[i])
		if i == 0 {
			source.Label, source.TimeOffset = "English", "-00:00:02.5"
			cues = caption.Shift(cues, 2500*time.Millisecond)
		}
		source.Encryption = uploadIn(t, source.Key, s.mode, captionDocument(t, s.format, cues))
		in.CaptionSources = append(in.CaptionSources, source)
	}
	named, _, _ := cipherKey(t, job.ModeCTR, 192, 16)
	mp4, ts := tiny(t, "mp4"), tiny(t, "ts")
	sealed := func(mode string) *job.Encryption { return &job.Encryption{Mode: mode} }
	id := submit(t, job.Request{
		Inputs: []job.Input{{Key: name + ".mp4", Encryption: key, InputCaptions: in}}, OutputKeyPrefix: name + "/",
		Outputs: []job.Output{
			{Key: "a.mp4", PresetID: mp4, Encryption: sealed(job.ModeGCM), Captions: &job.Captions{CaptionFormats: []job.CaptionFormat{
				{Format: "mov-text"}, {Format: "srt", Pattern: "a-{language}", Encryption: sealed(job.ModeCBC)},
				{Format: "webvtt", Pattern: "{language}/a", Encryption: named}, {Format: "dfxp", Pattern: "a-{language}", Encryption: sealed(job.ModeGCM)}}}},
			{Key: "b.mp4", PresetID: mp4, Captions: &job.Captions{CaptionFormats: []job.CaptionFormat{
				{Format: "scc", Pattern: "b-{language}", Encryption: sealed(job.ModeSSEC)}, {Format: "srt", Pattern: "b-{language}", Encryption: sealed(job.ModeS3EC)},
				{Format: "webvtt", Pattern: "b-{language}"}, {Format: "dfxp", Pattern: "b-{language}", Encryption: sealed(job.ModeS3KMS)}}}},
			{Key: "hls", PresetID: ts, SegmentDuration: "4", Encryption: sealed(job.ModeCTR), Captions: &job.Captions{CaptionFormats: []job.CaptionFormat{
				{Format: "webvtt", Pattern: "hls-{language}", Encryption: sealed(job.ModeGCM)}, {Format: "scc", Pattern: "hls-{language}", Encryption: sealed(job.ModeCTR)}}}},
		},
	})
	rec := completed(t, id)
	ivs := map[string]string{}
	for n, o := range planOf(t, id).Outputs {
		for i, f := range rec.Job.Outputs[n].Captions.CaptionFormats {
			if e := f.Encryption; e != nil && e.Mode != job.ModeS3EC && e.Mode != job.ModeS3KMS && e.Key == "" {
				t.Errorf("output %d: the job shows no key of the captions in %s", n, f.Format)
			}
			for _, files := range o.CaptionFiles() {
				if string(files.Format.Format) != f.Format {
					continue
				}
				checkCaptionFiles(t, rec.Job.Outputs[n].Captions.CaptionFormats[i].Encryption, files.Track.Language, files.Key, files.Series(), caption.Format(f.Format), ivs)
			}
		}
	}
	file := save(t, "a.mp4", openMedia(t, rec, 0, name+"/a.mp4"))
	got, tracks := textTracks(t, file)
	if want := []string{"eng", "deu", "fra", "spa", "ita", "por"}; !slices.Equal(got, want) {
		t.Errorf("the tracks are in %v, want %v", got, want)
	}
	for i := range tracks {
		sameCues(t, "mov-text in "+languages[i], tracks[i], said(languages[i]))
	}
	if n := len(frames(t, file)); n != 200 {
		t.Errorf("%d frames, want 200", n)
	}
	if said := warnings(t, "-i", file, "-map", "0:v", "-map", "0:a", "-f", "null", "-"); said != "" {
		t.Errorf("decoding the file beside its captions: %.2000s", said)
	}
	if n := len(keys(t, name+"/")); n != 2+1+2+(3+4)*6+2*2*6 {
		t.Errorf("%d objects: %v", n, keys(t, name+"/"))
	}
}

// openMedia decrypts a file of an output in one of the AES modes.
func openMedia(t *testing.T, rec *ledger.Record, output int, key string) []byte {
	t.Helper()
	e := rec.Job.Outputs[output].Encryption
	body, metadata := stored(t, key)
	return crypt(t, true, e.Mode, unwrapped(t, e), []byte(decoded(t, metadata[vault.MetadataIV])), body)
}

// checkCaptionFiles reads the files of one language, a series of two among them.
func checkCaptionFiles(t *testing.T, e *job.Encryption, language string, key func(int) string, series bool, want caption.Format, ivs map[string]string) {
	t.Helper()
	all := said(language)
	pieces := [][]caption.Cue{all}
	if series {
		pieces = [][]caption.Cue{all[:2], all[1:]}
	}
	for n, cues := range pieces {
		format, got := captionFile(t, e, key(n), ivs)
		if format != want {
			t.Errorf("%s is in the format %s", key(n), format)
		}
		sameCues(t, key(n), got, cues)
	}
}

// TestCaptionsWithinTheInput: the tracks of an encrypted film are merged with a
// side-car file as each policy says.
func TestCaptionsWithinTheInput(t *testing.T) {
	t.Parallel()
	name := unique(t)
	en := save(t, "en.srt", captionDocument(t, caption.SRT, said("within")))
	media := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=8", "-i", en, "-i", en, "-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-preset", "veryfast",
		"-c:s", "mov_text", "-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=fre")
	key := wrapped(t)
	upload(t, name+".mp4", media, key)
	source := job.CaptionSource{Key: name + "/en.vtt", Language: "en"}
	source.Encryption = uploadIn(t, source.Key, job.ModeGCM, captionDocument(t, caption.WebVTT, said("beside")))
	video := tiny(t, "mp4")
	want := map[string][]string{"MergeOverride": {"eng beside", "fra within"}, "MergeRetain": {"eng within", "fra within"}, "Override": {"eng beside"}, "": {"eng within", "fra within"}}
	policies := []string{"MergeOverride", "MergeRetain", "Override", ""}
	req := job.Request{Inputs: []job.Input{{Key: name + ".mp4", Encryption: key}}, OutputKeyPrefix: name + "/"}
	for _, p := range policies {
		c := &job.Captions{MergePolicy: p, CaptionFormats: []job.CaptionFormat{{Format: "mov-text"}}}
		if p != "" {
			c.CaptionSources = []job.CaptionSource{source}
		}
		req.Outputs = append(req.Outputs, job.Output{Key: p + ".mp4", PresetID: video, Captions: c})
	}
	rec := completed(t, submit(t, req))
	for n, p := range policies {
		languages, tracks := textTracks(t, save(t, "a.mp4", fetch(t, rec, n, name+"/"+p+".mp4")))
		var got []string
		for i := range tracks {
			got = append(got, languages[i]+" "+strings.TrimPrefix(tracks[i][0].Text, "Hello in "))
			sameCues(t, p, tracks[i][1:], said("")[1:])
		}
		if !slices.Equal(got, want[p]) {
			t.Errorf("%q: %v, want %v", p, got, want[p])
		}
	}
}

// TestCaptionRefusals: captions that can't be used fail the outputs that want
// them, each with its code, and nothing of these is published.
func TestCaptionRefusals(t *testing.T) {
	t.Parallel()
	name := unique(t)
	key := wrapped(t)
	upload(t, name+".mp4", brief(t), key)
	good := captionDocument(t, caption.SRT, said("en"))
	other, _, _ := cipherKey(t, job.ModeCTR, 256, 16)
	gcm, raw, iv := cipherKey(t, job.ModeGCM, 128, 16)
	forged := crypt(t, false, job.ModeGCM, raw, iv, bytes.Clone(good))
	forged[10] ^= 1
	upload(t, name+"/forged", save(t, "forged", forged), nil)
	cases := []struct {
		key    string
		e      *job.Encryption
		format string
		want   string // code and what the detail says; "" for success
	}{
		{"good.srt", uploadIn(t, name+"/good.srt", job.ModeCTR, good), "srt", ""},
		{"no.srt", uploadIn(t, name+"/no.srt", "", []byte("1\nno captions\n")), "srt", "4101 no.srt"},
		{"latin.srt", uploadIn(t, name+"/latin.srt", job.ModeSSEC, bytes.ReplaceAll(good, []byte("ü"), []byte("\xfc"))), "srt", "4102 latin.srt"},
		{"good.srt", other, "srt", "4016 good.srt"},
		{"forged", gcm, "srt", "4016 forged"},
		{"gone.srt", nil, "srt", "3001 gone.srt"},
		{"chinese.srt", uploadIn(t, name+"/chinese.srt", "", bytes.ReplaceAll(good, []byte("Hello"), []byte("你好"))), "scc", "1000 scc"},
	}
	video := tiny(t, "mp4")
	req := job.Request{Inputs: []job.Input{{Key: name + ".mp4", Encryption: key}}, OutputKeyPrefix: name + "/"}
	for n, c := range cases {
		req.Outputs = append(req.Outputs, job.Output{Key: fmt.Sprintf("%d.mp4", n), PresetID: video, Captions: &job.Captions{MergePolicy: "Override",
			CaptionSources: []job.CaptionSource{{Key: name + "/" + c.key, Language: "en", Encryption: c.e}},
			CaptionFormats: []job.CaptionFormat{{Format: c.format, Pattern: fmt.Sprintf("%d-{language}", n)}}}})
	}
	rec := ended(t, submit(t, req))
	for n, c := range cases {
		code, names, _ := strings.Cut(c.want, " ")
		o := rec.Job.Outputs[n]
		if c.want == "" && o.Status != job.Complete || c.want != "" && (o.Status != job.Error || !strings.HasPrefix(o.StatusDetail, code+" ") || !strings.Contains(o.StatusDetail, names)) {
			t.Errorf("%d, %s: %s %s", n, c.key, o.Status, o.StatusDetail)
		}
	}
	if got, want := keys(t, name+"/"), []string{name + "/0-en.srt", name + "/0.mp4"}; !slices.Equal(got, want) {
		t.Errorf("published: %v, want %v", got, want)
	}
}

// TestCaptionsFollowClips: what is said in the part of an input that plays is
// shown when it plays.
func TestCaptionsFollowClips(t *testing.T) {
	t.Parallel()
	name := unique(t)
	en := save(t, "en.srt", captionDocument(t, caption.SRT, said("within")))
	key := wrapped(t)
	upload(t, name+".mp4", clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=8", "-i", en, "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "veryfast",
		"-c:s", "mov_text", "-metadata:s:s:0", "language=eng"), key)
	source := job.CaptionSource{Key: name + "/en.dfxp", Language: "en"}
	source.Encryption = uploadIn(t, source.Key, job.ModeCBC, captionDocument(t, caption.DFXP, said("beside")))
	rec := completed(t, submit(t, job.Request{OutputKeyPrefix: name + "/",
		Inputs: []job.Input{
			{Key: name + ".mp4", Encryption: key, TimeSpan: &job.TimeSpan{StartTime: "2", Duration: "2"}},
			{Key: name + ".mp4", Encryption: key, TimeSpan: &job.TimeSpan{StartTime: "00:00:04.000"}, InputCaptions: &job.InputCaptions{MergePolicy: "Override", CaptionSources: []job.CaptionSource{source}}},
		},
		Outputs: []job.Output{{Key: "a.mp4", PresetID: tiny(t, "mp4"), Captions: &job.Captions{CaptionFormats: []job.CaptionFormat{{Format: "mov-text"}, {Format: "webvtt", Pattern: "a-{language}", Encryption: &job.Encryption{Mode: job.ModeCTR}}}}}},
	}))
	const s = time.Second
	want := []caption.Cue{
		{Start: 0, End: s / 2, Text: "Hello in within"}, {Start: 3 * s / 2, End: 2 * s, Text: "Two lines,\nacross a border"},
		{Start: 2 * s, End: 5 * s / 2, Text: "Two lines,\nacross a border"}, {Start: 4 * s, End: 5 * s, Text: "Grüße"},
	}
	_, got := captionFile(t, rec.Job.Outputs[0].Captions.CaptionFormats[1].Encryption, name+"/a-eng.vtt", map[string]string{})
	sameCues(t, "side-car", got, want)
	languages, tracks := textTracks(t, save(t, "a.mp4", fetch(t, rec, 0, name+"/a.mp4")))
	if !slices.Equal(languages, []string{"eng"}) {
		t.Fatalf("tracks in %v", languages)
	}
	joined := slices.Clone(want[:1])
	joined = append(joined, caption.Cue{Start: 3 * s / 2, End: 5 * s / 2, Text: want[1].Text}, want[3])
	sameCues(t, "mov-text", tracks[0], joined)
}
