package preset

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// shelf are presets by the last digit of their ids.
func shelf(t *testing.T, docs ...[]byte) func(string) (*Preset, error) {
	t.Helper()
	presets := map[string]*Preset{}
	for i, doc := range docs {
		p, err := Parse(doc)
		if err != nil {
			t.Fatal(err)
		}
		p.ID = place(i)
		presets[p.ID] = p
	}
	return func(id string) (*Preset, error) {
		if p := presets[id]; p != nil {
			return p, nil
		}
		return nil, ErrNotFound
	}
}

func place(i int) string { return fmt.Sprintf("1762992000000-shelf%d", i) }

// TestCheckUse holds an output against what its preset has. Whether this version
// can do it is another question, so only the one rule is looked for.
func TestCheckUse(t *testing.T) {
	const h264, aac = `{"Codec":"H.264","BitRate":"100","FixedGOP":"true","Watermarks":[{"Id":"logo"}]}`, `{"Codec":"AAC","BitRate":"128"}`
	stills := []byte(strings.TrimSuffix(string(custom(h264, "")), "}") + `,"Thumbnails":{"Format":"jpg","Interval":"5"}}`)
	formats := func(names ...string) *job.Captions {
		c := &job.Captions{}
		for _, name := range names {
			c.CaptionFormats = append(c.CaptionFormats, job.CaptionFormat{Format: name, Pattern: "{language}"})
		}
		return c
	}
	art := &job.AlbumArt{MergePolicy: "Replace"}
	logo := func(id string) []job.Watermark { return []job.Watermark{{PresetWatermarkID: id, InputKey: "a.png"}} }
	for name, c := range map[string]struct {
		preset []byte
		output job.Output
		want   string // "" for no broken rule
	}{
		"segments of ts":         {in("ts", h264, ""), job.Output{SegmentDuration: "10"}, ""},
		"segments of fmp4":       {in("fmp4", h264, ""), job.Output{SegmentDuration: "10"}, ""},
		"segments of webm":       {in("webm", `{"Codec":"vp8","BitRate":"100"}`, ""), job.Output{SegmentDuration: "10"}, "Member is available only for 'ts' and 'fmp4' containers"},
		"thumbnails":             {stills, job.Output{ThumbnailPattern: "{count}"}, ""},
		"thumbnails without":     {custom(h264, ""), job.Output{ThumbnailPattern: "{count}"}, "Value '{count}' at 'outputs.1.member.thumbnailPattern' failed to satisfy constraint: Member must be blank, since preset"},
		"thumbnails of sound":    {custom("", aac), job.Output{ThumbnailPattern: "{count}"}, "lacks Video or Thumbnails"},
		"watermark":              {custom(h264, ""), job.Output{Watermarks: logo("logo")}, ""},
		"unknown watermark":      {custom(h264, ""), job.Output{Watermarks: logo("Logo")}, "Value 'Logo' at 'outputs.1.member.watermarks.1.member.presetWatermarkId' failed to satisfy constraint: Member must be the Id of a watermark of preset"},
		"watermark of sound":     {custom("", aac), job.Output{Watermarks: logo("logo")}, "Member must be the Id of a watermark"},
		"album art of mp4":       {custom("", aac), job.Output{AlbumArt: art}, ""},
		"album art of flac":      {in("flac", "", `{"Codec":"flac"}`), job.Output{AlbumArt: art}, ""},
		"album art of mp3":       {in("mp3", "", `{"Codec":"mp3","BitRate":"64"}`), job.Output{AlbumArt: art}, ""},
		"album art of video":     {custom(h264, aac), job.Output{AlbumArt: art}, "'outputs.1.member.albumArt' is available only for outputs of audio alone in the containers flac, mp3 and mp4"},
		"album art of ogg":       {in("ogg", "", `{"Codec":"flac"}`), job.Output{AlbumArt: art}, "is available only for outputs of audio alone"},
		"captions of sound":      {custom("", aac), job.Output{Captions: formats("srt")}, "captions are not available for audio-only transcoding"},
		"captions of mp4":        {custom(h264, ""), job.Output{Captions: formats("mov-text", "srt", "scc", "webvtt")}, ""},
		"cea-708 of ts":          {in("ts", h264, ""), job.Output{Captions: formats("cea-708")}, ""},
		"mov-text of ts":         {in("ts", h264, ""), job.Output{Captions: formats("mov-text")}, "Value 'mov-text' at 'outputs.1.member.captions.captionFormats.1.member.format' failed to satisfy constraint: Member is not available for the container ts"},
		"cea-708 of webm":        {in("webm", `{"Codec":"vp8","BitRate":"100"}`, ""), job.Output{Captions: formats("cea-708")}, "not available for the container webm"},
		"side-car files of fmp4": {in("fmp4", h264, ""), job.Output{Captions: formats("dfxp", "webvtt")}, ""},
		"other captions of fmp4": {in("fmp4", h264, ""), job.Output{Captions: formats("srt")}, "not available for the container fmp4"},
		"what no encoder makes":  {in("mp4", `{"Codec":"H.264","BitRate":"100","CodecOptions":{"InterlacedMode":"Auto","Profile":"baseline"}}`, ""), job.Output{}, "Value '1762992000000-shelf0' at 'outputs.1.member.presetId' failed to satisfy constraint: H.264 has no interlaced pictures in its profile baseline: choose main or high, or Progressive, which 'video.codecOptions.interlacedMode' of the preset asks for"},
	} {
		c.output.Key, c.output.PresetID = "o", place(0)
		err := Check(&job.Request{Outputs: []job.Output{c.output}}, shelf(t, c.preset))
		if got := broken(err); c.want == "" && got != "" || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %v\nwant ...%s...", name, err, c.want)
		}
	}
}

// broken are the problems of an error but for what this version can't do.
func broken(err error) string {
	var rules []string
	var invalid *document.ValidationError
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			if !strings.Contains(p.Message, "this version of Sealreel can't") {
				rules = append(rules, p.String())
			}
		}
	}
	return strings.Join(rules, "; ")
}

func TestCheckPlaylists(t *testing.T) {
	ts := func(options string) []byte {
		return in("ts", `{"Codec":"H.264","BitRate":"100","CodecOptions":{`+options+`}}`, "")
	}
	fmp4 := func(members, profile, sound string) []byte {
		return in("fmp4", `{"Codec":"H.264","BitRate":"100","FixedGOP":"true","CodecOptions":{"Profile":"`+profile+`"},`+members+`}`,
			`{"Codec":"AAC","BitRate":"128","CodecOptions":{"Profile":"`+sound+`"}}`)
	}
	const thirty = `"FrameRate":"30","KeyframesMaxDist":"90"`
	srt := &job.Captions{CaptionFormats: []job.CaptionFormat{{Format: "dfxp", Pattern: "{language}"}}}
	for name, c := range map[string]struct {
		format   string
		presets  [][]byte
		captions *job.Captions
		want     string
	}{
		"HLS":                   {job.HLSv3, [][]byte{ts(""), ts(`"ColorSpaceConversionMode":"None"`)}, nil, ""},
		"HLS of fmp4":           {job.HLSv4, [][]byte{fmp4(thirty, "main", "AAC-LC")}, nil, "Value 'o0' at 'playlists.1.member.outputKeys.1.member' failed to satisfy constraint: Member must be an output in the container ts, which playlists of the Format HLSv4 have"},
		"DASH of ts":            {job.DASH, [][]byte{ts("")}, nil, "Member must be an output in the container fmp4"},
		"colours":               {job.HLSv3, [][]byte{ts(""), ts(`"ColorSpaceConversionMode":"Auto"`)}, nil, "Outputs 'o0' and 'o1' must have the same ColorSpaceConversionMode since"},
		"sound beside pictures": {job.HLSv4, [][]byte{ts(`"ColorSpaceConversionMode":"Auto"`), in("ts", "", `{"Codec":"AAC","BitRate":"64"}`)}, nil, ""},
		"Smooth":                {job.Smooth, [][]byte{fmp4(thirty, "main", "AAC-LC"), fmp4(`"FrameRate":"25","KeyframesMaxDist":"75"`, "main", "AAC-LC"), fmp4(`"FrameRate":"10","KeyframesMaxDist":"30"`, "main", "AAC-LC")}, nil, ""},
		"Smooth, other ratio":   {job.Smooth, [][]byte{fmp4(thirty, "main", "AAC-LC"), fmp4(`"FrameRate":"25","KeyframesMaxDist":"90"`, "main", "AAC-LC")}, nil, "must have the same ratio of Video:FrameRate to Video:KeyframesMaxDist since"},
		"Smooth, auto":          {job.Smooth, [][]byte{fmp4(`"FrameRate":"auto","MaxFrameRate":"60","KeyframesMaxDist":"90"`, "main", "AAC-LC"), fmp4(`"FrameRate":"auto","MaxFrameRate":"60","KeyframesMaxDist":"90"`, "main", "AAC-LC")}, nil, ""},
		"Smooth, other auto":    {job.Smooth, [][]byte{fmp4(`"FrameRate":"auto","MaxFrameRate":"60","KeyframesMaxDist":"90"`, "main", "AAC-LC"), fmp4(`"FrameRate":"auto","MaxFrameRate":"30","KeyframesMaxDist":"90"`, "main", "AAC-LC")}, nil, "must have the same ratio"},
		"Smooth, profiles":      {job.Smooth, [][]byte{fmp4(thirty, "main", "AAC-LC"), fmp4(thirty, "high", "AAC-LC")}, nil, "must have the same Video:Profile since"},
		"Smooth, AAC profiles":  {job.Smooth, [][]byte{fmp4(thirty, "main", "AAC-LC"), fmp4(thirty, "main", "auto")}, nil, "must have the same Audio:Profile since"},
		"DASH, profiles":        {job.DASH, [][]byte{fmp4(thirty, "main", "AAC-LC"), fmp4(thirty, "high", "auto")}, nil, ""},
		"captions of Smooth":    {job.Smooth, [][]byte{fmp4(thirty, "main", "AAC-LC")}, srt, ""},
		"captions of DASH":      {job.DASH, [][]byte{fmp4(thirty, "main", "AAC-LC")}, srt, "Output 'o0' must have captions in the format webvtt only"},
	} {
		req := &job.Request{Playlists: []job.Playlist{{Name: "p", Format: c.format}}}
		for i := range c.presets {
			key := fmt.Sprint("o", i)
			req.Outputs = append(req.Outputs, job.Output{Key: key, PresetID: place(i), SegmentDuration: "10", Captions: c.captions})
			req.Playlists[0].OutputKeys = append(req.Playlists[0].OutputKeys, key)
		}
		if got := broken(Check(req, shelf(t, c.presets...))); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s\nwant ...%s...", name, got, c.want)
		}
	}
}

func TestCheckThumbnailNames(t *testing.T) {
	with := func(first, second string) *job.Request {
		a, b := single("a"), single("b")
		a.ThumbnailPattern, b.ThumbnailPattern = first, second
		return &job.Request{Outputs: []job.Output{a, b}}
	}
	for _, c := range []struct {
		req  *job.Request
		want string
	}{
		{with("t{count}", "u{count}"), ""},
		{with("{resolution}{count}", "{resolution}{count}"), ""},
		{with("t{count}", "t{count}"), "Value 't{count}' at 'outputs.2.member.thumbnailPattern' failed to satisfy constraint: Member gives the name 't{count}.png' to thumbnails of output 'b', which is also that of thumbnails of output 'a'"},
	} {
		if got := broken(Check(c.req, lookup)); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: got %s\nwant ...%s...", c.req.Outputs, got, c.want)
		}
	}
}

func TestCheckNamesSuccessor(t *testing.T) {
	o := single("a")
	o.PresetID = "1351620000001-100010"
	err := Check(&job.Request{Outputs: []job.Output{o}}, lookup)
	if err == nil || !strings.Contains(err.Error(), "The specified preset was not found; Elastic Transcoder withdrew it in favour of 1351620000001-100020") {
		t.Errorf("got %v", err)
	}
}

// TestCheckMalformed: a preset that was stored with mistakes is a mistake of the
// job that names it, and no trouble of the storage.
func TestCheckMalformed(t *testing.T) {
	for _, doc := range [][]byte{custom("", ""), []byte("{"), make([]byte, MaxDocument+1)} {
		err := Check(&job.Request{Outputs: []job.Output{single("a")}}, func(string) (*Preset, error) {
			_, err := Parse(doc)
			return nil, fmt.Errorf("reading: %w", err)
		})
		var invalid *document.ValidationError
		if !errors.As(err, &invalid) || invalid.Problems[0].Path != "outputs.1.member.presetId" || !strings.Contains(err.Error(), "The specified preset breaks rules of its own: reading: ") {
			t.Errorf("got %v", err)
		}
	}
}
