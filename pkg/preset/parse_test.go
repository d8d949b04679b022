package preset

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"sealreel/pkg/document"
)

// custom is a valid preset with its Video and Audio replaced; "" leaves one out.
func custom(video, audio string) []byte {
	doc := `{"Id":"1762992000000-custom","Name":"mine","Container":"mp4"`
	if video != "" {
		doc += `,"Video":` + video
	}
	if audio != "" {
		doc += `,"Audio":` + audio
	}
	return []byte(doc + "}")
}

// video is a valid Video with members added.
func video(members string) []byte {
	if members != "" {
		members = "," + members
	}
	return custom(`{"Codec":"H.264"`+members+`}`, "")
}

func audio(members string) []byte {
	if members != "" {
		members = "," + members
	}
	return custom("", `{"Codec":"AAC"`+members+`}`)
}

func TestParse(t *testing.T) {
	p, err := Parse([]byte(`{"Id":"1762992000000-custom","Arn":null,"Name":"mine","Description":"d","Container":"ts","Type":null,
	 "Audio":{"Codec":"AAC","SampleRate":48000,"BitRate":"192","Channels":"auto","AudioPackingMode":"SingleTrack",
	   "CodecOptions":{"Profile":"AAC-LC","BitDepth":null,"BitOrder":"","Signed":null}},
	 "Video":{"Codec":"H.264","CodecOptions":{"Profile":"high","Level":"4.1","MaxReferenceFrames":"4","MaxBitRate":"6000","InterlacedMode":"Progressive"},
	   "KeyframesMaxDist":"60","FixedGOP":true,"BitRate":"5000","FrameRate":"auto","MaxFrameRate":"60","MaxWidth":"1920","MaxHeight":"auto",
	   "DisplayAspectRatio":"16:9","SizingPolicy":"Fit","PaddingPolicy":"Pad","Watermarks":[{"Id":"w","MaxWidth":"10%","Opacity":"50.5"}],
	   "Resolution":null,"AspectRatio":null},
	 "Thumbnails":{"Format":"jpg","Interval":"5","MaxWidth":"192","MaxHeight":"auto","SizingPolicy":"Fit","PaddingPolicy":"NoPad"}}`))
	if err != nil {
		t.Fatal(err)
	}
	v, a := p.Video, p.Audio
	refs, hasRefs := v.References()
	for what, ok := range map[string]bool{
		"type":   p.Type == TypeCustom && p.HasVideo() && p.HasAudio(),
		"audio":  a.Hz() == 48000 && a.Kbps() == 192 && a.ChannelCount() == 0,
		"rates":  v.Kbps() == 5000 && v.MaxKbps() == 6000 && v.BufferKbit() == 60000,
		"codec":  v.Profile() == "high" && v.Level() == "4.1" && refs == 4 && hasRefs,
		"frames": v.KeyframeDistance() == 60 && v.Fixed() && v.MaxFrameRate == "60",
		"rest":   v.Watermarks[0].Opacity == "50.5" && p.Thumbnails.Format == "jpg" && !v.Lossless(),
	} {
		if !ok {
			t.Errorf("%s: read as %+v %+v %+v", what, p, v, a)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	for name, doc := range map[string][]byte{
		"bit rate auto":         video(`"BitRate":"auto"`),
		"constant quality":      video(`"Sealreel":{"RateFactor":"23.5"},"CodecOptions":{"Profile":"high"}`),
		"lossless":              video(`"Sealreel":{"RateFactor":0},"CodecOptions":{"Level":"4"}`),
		"worst":                 video(`"Sealreel":{"RateFactor":"51.00"}`),
		"audio only":            audio(`"BitRate":"128","CodecOptions":{"Profile":"auto"}`),
		"video, audio of none":  custom(`{"Codec":"H.264","BitRate":"500"}`, `{"Codec":"AAC","BitRate":"64","Channels":"0"}`),
		"resolution":            video(`"BitRate":"500","Resolution":"640x480","AspectRatio":"4:3"`),
		"resolution auto":       video(`"BitRate":"500","Resolution":"auto"`),
		"aspect beside a size":  video(`"BitRate":"500","MaxWidth":"640","AspectRatio":"16:9"`),
		"smallest":              video(`"BitRate":"10","MaxWidth":"128","MaxHeight":"96","KeyframesMaxDist":1`),
		"largest":               video(`"BitRate":"99999","MaxWidth":"4096","MaxHeight":"3072","KeyframesMaxDist":100000`),
		"level 1b":              video(`"BitRate":"100","CodecOptions":{"Level":"1b","MaxReferenceFrames":0}`),
		"blank of later things": video(`"BitRate":"100","CodecOptions":{"LoopCount":""},"Watermarks":[]`),
	} {
		p, err := Parse(doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := Parse(again); err != nil || !reflect.DeepEqual(p, q) {
			t.Errorf("%s: written and read again: %v", name, err)
		}
	}
}

func TestMethods(t *testing.T) {
	p, err := Parse(video(`"Sealreel":{"RateFactor":"0.0"}`))
	if err != nil {
		t.Fatal(err)
	}
	factor, ok := p.Video.RateFactor()
	if _, hasRefs := p.Video.References(); !ok || factor != "0.0" || !p.Video.Lossless() || p.HasAudio() || hasRefs ||
		p.Video.Kbps() != 0 || p.Video.BufferKbit() != 0 || p.Video.KeyframeDistance() != 90 || p.Video.Fixed() {
		t.Errorf("read as %+v", p.Video)
	}
	silent, err := Parse(custom(`{"Codec":"H.264","BitRate":"auto"}`, `{"Codec":"AAC","BitRate":"64","Channels":0}`))
	if err != nil || silent.HasAudio() || silent.Video.Kbps() != 0 {
		t.Errorf("%+v, %v", silent, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		doc  []byte
		want string
	}{
		"empty":               {[]byte(`{}`), "4 validation errors detected: Value null at 'id'"},
		"neither":             {custom("", ""), "A preset must have Video, Audio or both."},
		"silence only":        {custom("", `{"Codec":"AAC","BitRate":"64","Channels":"0"}`), "A preset must have Video, Audio or both."},
		"name too long":       {[]byte(strings.Replace(string(video(`"BitRate":"100"`)), "mine", strings.Repeat("n", 41), 1)), "at 'name'"},
		"container exe":       {[]byte(strings.Replace(string(video(`"BitRate":"100"`)), "mp4", "exe", 1)), "Value 'exe' at 'container' failed to satisfy constraint: Member must satisfy regular expression pattern: (^mp4$)|(^ts$)|(^webm$)"},
		"no video codec":      {custom(`{"BitRate":"100"}`, ""), "Value null at 'video.codec'"},
		"opus":                {custom("", `{"Codec":"opus","BitRate":"100"}`), "at 'audio.codec' failed to satisfy constraint: Member must satisfy regular expression pattern: (^AAC$)|(^vorbis$)"},
		"no audio bit rate":   {audio(""), "Value null at 'audio.bitRate'"},
		"audio bit rate":      {audio(`"BitRate":"321"`), "Member must be a whole number from 16 to 320"},
		"audio bit rate auto": {audio(`"BitRate":"auto"`), "at 'audio.bitRate'"},
		"sample rate":         {audio(`"BitRate":"64","SampleRate":"192000"`), "at 'audio.sampleRate'"},
		"channels":            {audio(`"BitRate":"64","Channels":"6"`), "at 'audio.channels'"},
		"no bit rate":         {video(""), "'video.bitRate' must be given"},
		"bit rate":            {video(`"BitRate":"5"`), "at 'video.bitRate'"},
		"both rates":          {video(`"BitRate":"auto","Sealreel":{"RateFactor":"20"}`), "'video.bitRate' must be left out"},
		"factor 52":           {video(`"Sealreel":{"RateFactor":"51.01"}`), "from 0 (lossless) to 51"},
		"factor negative":     {video(`"Sealreel":{"RateFactor":"-1"}`), "from 0 (lossless) to 51"},
		"factor missing":      {video(`"Sealreel":{}`), "Value null at 'video.sealreel.rateFactor'"},
		"lossless profile":    {video(`"Sealreel":{"RateFactor":"0"},"CodecOptions":{"Profile":"high"}`), "no profile of the API can be lossless"},
		"unknown addition":    {video(`"Sealreel":{"RateFactor":"1","Crf":1}`), "at 'video.sealreel.crf' failed to satisfy constraint: Member is unknown"},
		"unknown option":      {video(`"BitRate":"100","CodecOptions":{"profile":"high"}`), "did you mean 'Profile'?"},
		"profile":             {video(`"BitRate":"100","CodecOptions":{"Profile":"high10"}`), "at 'video.codecOptions.profile'"},
		"level":               {video(`"BitRate":"100","CodecOptions":{"Level":"5"}`), "at 'video.codecOptions.level'"},
		"references":          {video(`"BitRate":"100","CodecOptions":{"MaxReferenceFrames":"17"}`), "whole number from 0 to 16"},
		"keyframes 0":         {video(`"BitRate":"100","KeyframesMaxDist":"0"`), "from 1 to 100000"},
		"keyframes":           {video(`"BitRate":"100","KeyframesMaxDist":"+5"`), "from 1 to 100000"},
		"fixed":               {video(`"BitRate":"100","FixedGOP":"yes"`), "at 'video.fixedGOP'"},
		"frame rate":          {video(`"BitRate":"100","FrameRate":"26"`), "at 'video.frameRate'"},
		"max frame rate auto": {video(`"BitRate":"100","MaxFrameRate":"auto"`), "at 'video.maxFrameRate'"},
		"width odd":           {video(`"BitRate":"100","MaxWidth":"641"`), "even number of pixels from 128 to 4096"},
		"width small":         {video(`"BitRate":"100","MaxWidth":"126"`), "at 'video.maxWidth'"},
		"height large":        {video(`"BitRate":"100","MaxHeight":"3074"`), "even number of pixels from 96 to 3072"},
		"resolution odd":      {video(`"BitRate":"100","Resolution":"641x480"`), "auto or WIDTHxHEIGHT"},
		"resolution form":     {video(`"BitRate":"100","Resolution":"640:480"`), "(^auto$)|(^"},
		"both sizes":          {video(`"BitRate":"100","Resolution":"640x480","SizingPolicy":"Fit"`), "'video.resolution' and 'video.sizingPolicy' can't both be given"},
		"policy":              {video(`"BitRate":"100","SizingPolicy":"fit"`), "at 'video.sizingPolicy'"},
		"watermark":           {video(`"BitRate":"100","Watermarks":[{"MaxWidth":"10"}]`), "2 validation errors detected: Value null at 'video.watermarks.1.member.id'"},
		"thumbnails":          {[]byte(`{"Id":"1762992000000-custom","Name":"n","Container":"ts","Audio":{"Codec":"AAC","BitRate":"64"},"Thumbnails":{"MaxWidth":"30","Resolution":"64x64"}}`), "2 validation errors detected: Value '30' at 'thumbnails.maxWidth'"},
		"wrapped":             {[]byte(`{"Preset":{}}`), "Value {...} at 'preset' failed to satisfy constraint: Member is unknown"},
	} {
		p, err := Parse(c.doc)
		var invalid *document.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) || p != nil {
			t.Errorf("%s: got %v\nwant ...%s...", name, err, c.want)
		}
	}
	var size *document.SizeError
	if _, err := Parse(make([]byte, MaxDocument+1)); !errors.As(err, &size) {
		t.Errorf("too long: %v", err)
	}
}

// FuzzParse: whatever Parse lets through can be written, read again and
// turned into an encode without a panic.
func FuzzParse(f *testing.F) {
	for _, id := range SystemIDs() {
		p, _ := System(id)
		doc, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc, 1920, 1080)
	}
	f.Add(video(`"Sealreel":{"RateFactor":"0"}`), 1, 1)
	f.Add(video(`"BitRate":"100","Resolution":"640x480","AspectRatio":"4:3"`), 720, 576)
	f.Add(audio(`"BitRate":"128"`), 0, 0)
	f.Add(in("mxf", `{"Codec":"mpeg2","BitRate":"100","CodecOptions":{"ColorSpaceConversionMode":"Bt709toBt601","LoopCount":""}}`, ""), 720, 480)
	f.Add(in("gif", `{"Codec":"gif","BitRate":"100","CodecOptions":{},"AspectRatio":"1:1"}`, ""), 1, 9)
	f.Fuzz(func(t *testing.T, doc []byte, w, h int) {
		p, err := Parse(doc)
		if err != nil {
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Parse(again)
		if err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("written and read again: %v\n%+v\n%+v", err, p, q)
		}
		_, _ = Warning(p), Unsupported(p)
		if p.Video == nil {
			return
		}
		const side = 1 << 16
		g := SizeFor(p.Video, w&(side-1), h&(side-1), mustRate(t, "64/45"), 90)
		rate := FrameRateFor(p.Video, mustRate(t, "60000/1001"))
		gop := GOPFrames(p.Video, rate, mustRate(t, "10"))
		if g.Width() < 2 || g.Height() < 2 || g.SAR.Sign() <= 0 || rate.Sign() <= 0 || gop.Frames < 1 || gop.SegmentFrames < gop.Frames {
			t.Fatalf("%+v %v %+v", g, rate, gop)
		}
	})
}
