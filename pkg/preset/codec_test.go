package preset

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sealreel/pkg/document"
)

// in is a preset of a container; "" leaves Video or Audio out.
func in(container, video, audio string) []byte {
	return []byte(strings.Replace(string(custom(video, audio)), `"mp4"`, `"`+container+`"`, 1))
}

// TestContainers goes through every container with every codec.
func TestContainers(t *testing.T) {
	allowed := map[string]string{ // the developer guide's table, by row
		"flac": "flac", "flv": "H.264 AAC mp3", "fmp4": "H.264 AAC", "gif": "gif", "mp3": "mp3", "mp4": "H.264 AAC mp3", "mpg": "mpeg2 mp2",
		"mxf": "mpeg2 pcm", "oga": "flac vorbis", "ogg": "flac vorbis", "ts": "H.264 AAC mp3", "wav": "pcm", "webm": "vp8 vp9 vorbis", "mp2": "mp2",
	}
	if len(allowed) != len(containers) {
		t.Errorf("%d containers, want %d", len(containers), len(allowed))
	}
	for container, codecs := range allowed {
		has := func(codec string) bool { return strings.Contains(" "+codecs+" ", " "+codec+" ") }
		for _, codec := range []string{"H.264", "vp8", "vp9", "mpeg2", "gif"} {
			_, err := Parse(in(container, fmt.Sprintf(`{"Codec":%q,"BitRate":"100","FixedGOP":"true"}`, codec), ""))
			if (err == nil) != has(codec) {
				t.Errorf("video in %s in %s: %v", codec, container, err)
			}
		}
		for _, codec := range []string{"AAC", "vorbis", "mp3", "mp2", "pcm", "flac"} {
			_, err := Parse(in(container, "", fmt.Sprintf(`{"Codec":%q,"BitRate":"128","SampleRate":"48000"}`, codec)))
			if (err == nil) != has(codec) {
				t.Errorf("audio in %s in %s: %v", codec, container, err)
			}
		}
	}
}

// TestOptions goes through every codec option with every codec.
func TestOptions(t *testing.T) {
	host := map[string]string{"H.264": "mp4", "vp8": "webm", "vp9": "webm", "mpeg2": "mpg", "gif": "gif"}
	for name, values := range map[string]map[string]string{ // codec: good values, then bad ones
		"Profile":                  {"H.264": "baseline main high/0 high10", "vp8": "0 1 2 3/4 main", "vp9": "0 3/4"},
		"Level":                    {"H.264": "1 1b 1.1 1.2 1.3 2 2.1 2.2 3 3.1 3.2 4 4.1/1.0 4.2 5"},
		"MaxReferenceFrames":       {"H.264": "0 16/17 -1"},
		"MaxBitRate":               {"H.264": "16 62500/15 62501", "mpeg2": "16/15", "vp8": "62500/62501", "vp9": "16/x"},
		"BufferSize":               {"H.264": "1 2147483/0 2147484", "mpeg2": "1/0", "vp8": "1/0", "vp9": "1/0"},
		"InterlacedMode":           {"H.264": "Progressive TopFirst BottomFirst Auto/auto", "mpeg2": "TopFirst/None"},
		"ColorSpaceConversionMode": {"H.264": "None Bt709ToBt601 Bt601ToBt709 Auto Bt709toBt601 Bt601toBt709/Bt2020ToBt709", "mpeg2": "Auto/On"},
		"ChromaSubsampling":        {"H.264": "yuv420p/yuv422p yuv444p", "mpeg2": "yuv420p yuv422p/yuv444p"},
		"LoopCount":                {"gif": "Infinite 0 100/101 infinite -1"},
	} {
		for codec, container := range host {
			try := func(value string) error {
				_, err := Parse(in(container, fmt.Sprintf(`{"Codec":%q,"BitRate":"100","CodecOptions":{%q:%q}}`, codec, name, value), ""))
				return err
			}
			good, bad, has := strings.Cut(values[codec], "/")
			if !has {
				err := try("1")
				if err == nil || !strings.Contains(err.Error(), "at 'video.codecOptions."+document.LowerCamel(name)+"' failed to satisfy constraint: Member is for the codec") {
					t.Errorf("%s of %s: %v", name, codec, err)
				}
			}
			for value := range strings.FieldsSeq(good) {
				if err := try(value); err != nil {
					t.Errorf("%s %s of %s: %v", name, value, codec, err)
				}
			}
			for value := range strings.FieldsSeq(bad) {
				if try(value) == nil {
					t.Errorf("%s %s of %s is accepted", name, value, codec)
				}
			}
		}
	}
}

func TestColorSpaceSpelling(t *testing.T) {
	p, err := Parse(video(`"BitRate":"100","CodecOptions":{"ColorSpaceConversionMode":"Bt601toBt709"}`))
	if err != nil || p.Video.ColorSpaceConversion() != "Bt601ToBt709" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := Parse(video(`"BitRate":"100"`)); err != nil || p.Video.ColorSpaceConversion() != "None" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestParseEveryMember(t *testing.T) {
	p, err := Parse(in("mxf", `{"Codec":"mpeg2","CodecOptions":{"ChromaSubsampling":"yuv422p","MaxBitRate":50000,"BufferSize":"100000","InterlacedMode":"Auto","ColorSpaceConversionMode":"Auto"},
	  "KeyframesMaxDist":15,"FixedGOP":true,"BitRate":50000,"FrameRate":"29.97","MaxFrameRate":"60","AspectRatio":"16:9","MaxWidth":1920,"MaxHeight":"1080","DisplayAspectRatio":"16:9",
	  "SizingPolicy":"ShrinkToFill","PaddingPolicy":"Pad","Watermarks":[{"Id":"a","MaxWidth":"16px","MaxHeight":"99.5%","SizingPolicy":"Fit","HorizontalAlign":"Center","HorizontalOffset":"0px",
	  "VerticalAlign":"Bottom","VerticalOffset":"1080px","Opacity":"12.5","Target":"Frame"}]}`,
		`{"Codec":"pcm","SampleRate":"48000","Channels":"auto","AudioPackingMode":"OneChannelPerTrackWithMosTo8Tracks","CodecOptions":{"BitDepth":24,"BitOrder":"LittleEndian","Signed":"Signed"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Preset{ID: "1762992000000-custom", Name: "mine", Container: "mxf", Type: TypeCustom,
		Video: &Video{Codec: "mpeg2", CodecOptions: map[string]string{"ChromaSubsampling": "yuv422p", "MaxBitRate": "50000", "BufferSize": "100000", "InterlacedMode": "Auto", "ColorSpaceConversionMode": "Auto"},
			KeyframesMaxDist: "15", FixedGOP: "true", BitRate: "50000", FrameRate: "29.97", MaxFrameRate: "60", AspectRatio: "16:9", MaxWidth: "1920", MaxHeight: "1080", DisplayAspectRatio: "16:9",
			SizingPolicy: "ShrinkToFill", PaddingPolicy: "Pad", Watermarks: []Watermark{{"a", "16px", "99.5%", "Fit", "Center", "0px", "Bottom", "1080px", "12.5", "Frame"}}},
		Audio: &Audio{Codec: "pcm", SampleRate: "48000", Channels: "auto", AudioPackingMode: OneChannelPerTrackOf8, CodecOptions: &AudioOptions{BitDepth: "24", BitOrder: "LittleEndian", Signed: "Signed"}},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v %+v\nwant %+v", p.Video, p.Audio, want.Video)
	}
}

func TestParseAcceptsRules(t *testing.T) {
	places := func(list string) []byte {
		return video(`"BitRate":"100","MaxWidth":"640","MaxHeight":"480","Watermarks":[` + list + `]`)
	}
	for name, doc := range map[string][]byte{
		"four watermarks":     places(`{"Id":"a"},{"Id":"b"},{"Id":"c"},{"Id":"d"}`),
		"limits of watermark": places(`{"Id":"a","MaxWidth":"640px","MaxHeight":"16px","HorizontalOffset":"640px","VerticalOffset":"100%","Opacity":"100."}`),
		"centred":             places(`{"Id":"a","HorizontalAlign":"Center","HorizontalOffset":"0%","VerticalAlign":"Center","VerticalOffset":"00px"}`),
		"flac":                in("flac", "", `{"Codec":"flac","SampleRate":"192000","BitRate":"","CodecOptions":{"BitDepth":"24","Profile":""}}`),
		"pcm with a rate":     in("wav", "", `{"Codec":"pcm","BitRate":"5","CodecOptions":{"BitDepth":"8","Signed":"Unsigned"}}`),
		"sound in a gif":      in("gif", `{"Codec":"gif","BitRate":"auto"}`, `{"Codec":"AAC","BitRate":"64","Channels":"0"}`),
		"vorbis, 192 kHz":     in("oga", "", `{"Codec":"vorbis","BitRate":"320","SampleRate":"192000"}`),
		"older sizes":         []byte(`{"Id":"1762992000000-custom","Name":"n","Container":"mp4","Video":{"Codec":"H.264","BitRate":"100","Resolution":"640x480"},"Thumbnails":{"Resolution":"640x480","Interval":99999}}`),
		"long system name":    []byte(`{"Id":"1762992000000-custom","Type":"System","Name":"` + strings.Repeat("n", 41) + `","Container":"mp3","Audio":{"Codec":"mp3","BitRate":"64"}}`),
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

func TestParseRefusesRules(t *testing.T) {
	place := func(members string) []byte {
		return video(`"BitRate":"100","MaxWidth":"640","MaxHeight":"480","Watermarks":[{"Id":"w",` + members + `}]`)
	}
	thumbnails := func(members string) []byte {
		return []byte(`{"Id":"1762992000000-custom","Name":"n","Container":"mp4","Video":{"Codec":"H.264","BitRate":"100","Resolution":"640x480"},"Thumbnails":{` + members + `}}`)
	}
	for name, c := range map[string]struct {
		doc  []byte
		want string
	}{
		"picture in a sound file":   {in("mp3", `{"Codec":"H.264","BitRate":"100"}`, `{"Codec":"mp3","BitRate":"64"}`), "1 validation error detected: 'video' must be left out: the container mp3 has none."},
		"sound in a gif":            {in("gif", `{"Codec":"gif","BitRate":"100"}`, `{"Codec":"AAC","BitRate":"64"}`), "'audio' must be left out: the container gif has none."},
		"wrong video codec":         {in("webm", `{"Codec":"H.264","BitRate":"100"}`, ""), "Value 'H.264' at 'video.codec' failed to satisfy constraint: Member must be vp8 or vp9 for the container webm"},
		"wrong audio codec":         {in("ts", "", `{"Codec":"vorbis","BitRate":"100"}`), "Value 'vorbis' at 'audio.codec' failed to satisfy constraint: Member must be AAC or mp3 for the container ts"},
		"fmp4 of free GOPs":         {in("fmp4", `{"Codec":"H.264","BitRate":"100","FixedGOP":"false"}`, ""), "Value 'false' at 'video.fixedGOP' failed to satisfy constraint: Member must be true for the container fmp4"},
		"mxf of 44100":              {in("mxf", "", `{"Codec":"pcm","SampleRate":"44100"}`), "Member must be 48000 for the container mxf"},
		"packing in mp4":            {audio(`"BitRate":"64","AudioPackingMode":"OneChannelPerTrack"`), "Member must be SingleTrack for all containers but mxf"},
		"packing":                   {audio(`"BitRate":"64","AudioPackingMode":"Surround"`), "(^SingleTrack$)|(^OneChannelPerTrack$)|(^OneChannelPerTrackWithMosTo8Tracks$)"},
		"AAC of 192 kHz":            {audio(`"BitRate":"64","SampleRate":"192000"`), "Member must be at most 96000 for the codec AAC"},
		"mp3 of 96 kHz":             {in("mp3", "", `{"Codec":"mp3","BitRate":"64","SampleRate":"96000"}`), "Member must be at most 48000 for the codec mp3"},
		"audio bit rate form":       {audio(`"BitRate":"1000"`), `pattern: ^\d{1,3}$`},
		"mp3 without a rate":        {in("mp3", "", `{"Codec":"mp3"}`), "Value null at 'audio.bitRate'"},
		"depth of AAC":              {audio(`"BitRate":"64","CodecOptions":{"BitDepth":"16"}`), "at 'audio.codecOptions.bitDepth' failed to satisfy constraint: Member is for the codec flac, pcm and not for AAC"},
		"depth of flac":             {in("flac", "", `{"Codec":"flac","CodecOptions":{"BitDepth":"8"}}`), "(^16$)|(^24$)"},
		"depth of pcm":              {in("wav", "", `{"Codec":"pcm","CodecOptions":{"BitDepth":"20"}}`), "(^8$)|(^16$)|(^24$)|(^32$)"},
		"order":                     {in("wav", "", `{"Codec":"pcm","CodecOptions":{"BitOrder":"BigEndian"}}`), "(^LittleEndian$)"},
		"signed":                    {in("wav", "", `{"Codec":"pcm","CodecOptions":{"Signed":"true"}}`), "(^Unsigned$)|(^Signed$)"},
		"profile of flac":           {in("flac", "", `{"Codec":"flac","CodecOptions":{"Profile":"auto"}}`), "Member is for the codec AAC and not for flac"},
		"AAC profile":               {audio(`"BitRate":"64","CodecOptions":{"Profile":"xHE-AAC"}`), "(^auto$)|(^AAC-LC$)|(^HE-AAC$)|(^HE-AACv2$)"},
		"options of an odd codec":   {custom(`{"Codec":"av1","BitRate":"100","CodecOptions":{"Level":"9","LoopCount":"3"}}`, ""), "1 validation error detected: Value 'av1' at 'video.codec'"},
		"constant quality of vp8":   {in("webm", `{"Codec":"vp8","Sealreel":{"RateFactor":"20"}}`, ""), "constant quality is made in the codecs H.264 and vp9 only"},
		"long name":                 {[]byte(`{"Id":"1762992000000-custom","Name":"` + strings.Repeat("n", 41) + `","Container":"mp3","Audio":{"Codec":"mp3","BitRate":"64"}}`), "at 'name' failed to satisfy constraint: Member must have length less than or equal to 40"},
		"long description":          {[]byte(`{"Id":"1762992000000-custom","Name":"n","Description":"` + strings.Repeat("n", 256) + `","Container":"mp3","Audio":{"Codec":"mp3","BitRate":"64"}}`), "less than or equal to 255"},
		"five watermarks":           {video(`"BitRate":"100","Watermarks":[{"Id":"a"},{"Id":"b"},{"Id":"c"},{"Id":"d"},{"Id":"e"}]`), "less than or equal to 4"},
		"watermark id twice":        {video(`"BitRate":"100","Watermarks":[{"Id":"a"},{"Id":"a"}]`), "Value 'a' at 'video.watermarks.2.member.id' failed to satisfy constraint: Member must differ from the id of 'video.watermarks.1.member'"},
		"watermark form":            {place(`"MaxWidth":"10"`), `(^\d{1,3}(\.\d{0,5})?%$)|(^\d{1,4}?px$)`},
		"watermark of 15 pixels":    {place(`"MaxWidth":"15px"`), "Member must be from 16px to 640px"},
		"watermark of a larger one": {place(`"MaxHeight":"481px"`), "Member must be from 16px to 480px"},
		"watermark of 101 percent":  {place(`"MaxHeight":"100.1%"`), "from 0 to 100 percent"},
		"offset beyond":             {place(`"HorizontalOffset":"641px"`), "Member must be from 0px to 640px"},
		"offset of the centre":      {place(`"HorizontalAlign":"Center","HorizontalOffset":"1px"`), "Value '1px' at 'video.watermarks.1.member.horizontalOffset' failed to satisfy constraint: Member must be 0 unless HorizontalAlign is Left or Right"},
		"offset of the middle":      {place(`"VerticalAlign":"Center","VerticalOffset":"0.1%"`), "Member must be 0 unless VerticalAlign is Top or Bottom"},
		"opacity":                   {place(`"Opacity":"100.0001"`), "at 'video.watermarks.1.member.opacity' failed to satisfy constraint: Member must be from 0 to 100"},
		"watermark sizing":          {place(`"SizingPolicy":"Fill"`), "(^Fit$)|(^Stretch$)|(^ShrinkToFit$)"},
		"watermark align":           {place(`"HorizontalAlign":"Top"`), "(^Left$)|(^Right$)|(^Center$)"},
		"watermark valign":          {place(`"VerticalAlign":"Left"`), "(^Top$)|(^Bottom$)|(^Center$)"},
		"watermark target":          {place(`"Target":"content"`), "(^Content$)|(^Frame$)"},
		"thumbnail format":          {thumbnails(`"Format":"gif"`), "(^jpg$)|(^png$)"},
		"thumbnail interval":        {thumbnails(`"Interval":"0"`), "at 'thumbnails.interval' failed to satisfy constraint: Member must be a whole number from 1"},
		"thumbnail interval form":   {thumbnails(`"Interval":"1.5"`), `pattern: ^\d{1,5}$`},
		"thumbnail resolution auto": {thumbnails(`"Resolution":"auto"`), "Value 'auto' at 'thumbnails.resolution'"},
		"thumbnail resolution":      {thumbnails(`"Resolution":"642x480"`), "Member must not exceed the Resolution of the video, 640x480"},
		"thumbnail sizing":          {thumbnails(`"SizingPolicy":"x"`), "at 'thumbnails.sizingPolicy'"},
		"thumbnail padding":         {thumbnails(`"PaddingPolicy":"x"`), "at 'thumbnails.paddingPolicy'"},
		"thumbnail aspect":          {thumbnails(`"AspectRatio":"2:1"`), "at 'thumbnails.aspectRatio'"},
		"thumbnail height":          {thumbnails(`"MaxHeight":"3074"`), "from 32 to 3072"},
	} {
		p, err := Parse(c.doc)
		var invalid *document.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) || p != nil {
			t.Errorf("%s: got %v\nwant ...%s...", name, err, c.want)
		}
	}
}

// TestUnsupported: what this version can't do is refused by name, and nothing
// else is.
func TestUnsupported(t *testing.T) {
	for name, c := range map[string]struct {
		doc  []byte
		want []string
	}{
		"mp4":           {custom(`{"Codec":"H.264","BitRate":"100","CodecOptions":{"InterlacedMode":"Progressive","ColorSpaceConversionMode":"None"}}`, `{"Codec":"AAC","BitRate":"64","CodecOptions":{"Profile":"auto"}}`), nil},
		"no sound":      {custom(`{"Codec":"H.264","BitRate":"100"}`, `{"Codec":"mp3","BitRate":"64","Channels":"0"}`), nil},
		"webm":          {in("webm", `{"Codec":"vp9","BitRate":"100"}`, `{"Codec":"vorbis","BitRate":"64"}`), nil},
		"mxf":           {in("mxf", `{"Codec":"mpeg2","BitRate":"100"}`, `{"Codec":"pcm","SampleRate":"48000"}`), nil},
		"mp3 in mp4":    {custom("", `{"Codec":"mp3","BitRate":"64"}`), nil},
		"wav":           {in("wav", "", `{"Codec":"pcm","CodecOptions":{"BitDepth":"8","Signed":"Signed"}}`), nil},
		"unsigned":      {in("wav", "", `{"Codec":"pcm","CodecOptions":{"BitDepth":"24","Signed":"Unsigned"}}`), []string{"at 'audio.codecOptions.signed' failed to satisfy constraint: samples of 24 bits are always signed"}},
		"fast vorbis":   {in("ogg", "", `{"Codec":"vorbis","BitRate":"64","SampleRate":"96000"}`), []string{"at 'audio.sampleRate' failed to satisfy constraint: the encoder of Vorbis keeps to no BitRate above 48000 Hz: choose 48000"}},
		"profile":       {audio(`"BitRate":"64","CodecOptions":{"Profile":"HE-AAC"}`), []string{"at 'audio.codecOptions.profile' failed to satisfy constraint: Sealreel's encoder makes AAC-LC alone: choose AAC-LC, or auto"}},
		"interlaced":    {video(`"BitRate":"100","CodecOptions":{"InterlacedMode":"TopFirst","ColorSpaceConversionMode":"Auto"}`), nil},
		"baseline":      {video(`"BitRate":"100","CodecOptions":{"Profile":"baseline","InterlacedMode":"Auto"}`), []string{"at 'video.codecOptions.interlacedMode' failed to satisfy constraint: H.264 has no interlaced pictures in its profile baseline: choose main or high"}},
		"single tracks": {in("mxf", "", `{"Codec":"pcm","SampleRate":"48000","AudioPackingMode":"OneChannelPerTrack"}`), nil},
		"deep mxf":      {in("mxf", "", `{"Codec":"pcm","SampleRate":"48000","CodecOptions":{"BitDepth":"32"}}`), []string{"at 'audio.codecOptions.bitDepth' failed to satisfy constraint: samples are written into mxf with 16 or 24 bits"}},
	} {
		p, err := Parse(c.doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var problems []document.Problem
		var invalid *document.ValidationError
		if errors.As(Unsupported(p), &invalid) {
			problems = invalid.Problems
		}
		for i, want := range c.want {
			if i >= len(problems) || !strings.Contains(problems[i].String(), want) {
				t.Errorf("%s: got %v\nwant ...%s...", name, problems, want)
			}
		}
		if len(problems) != len(c.want) {
			t.Errorf("%s: got %v", name, problems)
		}
	}
}

// TestWarning stands at both sides of every limit of a level.
func TestWarning(t *testing.T) {
	h264 := func(members, options string) []byte {
		return video(`"BitRate":"100","MaxWidth":"320","MaxHeight":"240",` + members + `"CodecOptions":{` + options + `}`)
	}
	rate := func(kbps, profile, level string) []byte {
		return video(`"MaxWidth":"128","MaxHeight":"96","BitRate":"` + kbps + `","CodecOptions":{"Profile":"` + profile + `","Level":"` + level + `"}`)
	}
	for name, c := range map[string]struct {
		doc  []byte
		want string
	}{
		"no level":            {video(`"BitRate":"99999","FrameRate":"60"`), ""},
		"another codec":       {in("webm", `{"Codec":"vp8","BitRate":"99999"}`, ""), ""},
		"rate fits":           {rate("14000", "main", "3.1"), ""},
		"rate of main":        {rate("14001", "main", "3.1"), "Video:BitRate 14001 is above 14000, the most at H.264 level 3.1"},
		"rate of high fits":   {rate("17500", "high", "3.1"), ""},
		"rate of high":        {rate("17501", "high", "3.1"), "is above 17500"},
		"rate of 2.1":         {rate("4001", "baseline", "2.1"), "is above 4000"},
		"largest rate":        {h264("", `"Level":"3","MaxBitRate":"10001"`), "Video:CodecOptions:MaxBitRate 10001 is above 10000"},
		"PAL fits level 3":    {video(`"BitRate":"100","Resolution":"720x576","FrameRate":"25","CodecOptions":{"Level":"3"}`), ""},
		"size":                {video(`"BitRate":"100","Resolution":"722x576","CodecOptions":{"Level":"3"}`), "Video width x height 722x576 is above 414720 pixels"},
		"size of auto":        {video(`"BitRate":"100","MaxWidth":"auto","CodecOptions":{"Level":"3.1"}`), "1920x1080 is above 921600 pixels"},
		"size of the source":  {video(`"BitRate":"64","Resolution":"auto","FrameRate":"60","CodecOptions":{"Level":"1"}`), ""},
		"references fit":      {h264("", `"Level":"1.3","MaxReferenceFrames":"7"`), ""},
		"references":          {h264("", `"Level":"1.3","MaxReferenceFrames":"8"`), "Video:CodecOptions:MaxReferenceFrames 8 is above 7"},
		"frame rate fits":     {h264(`"FrameRate":"30",`, `"Level":"1.3"`), ""},
		"frame rate":          {h264(`"FrameRate":"50",`, `"Level":"1.3"`), "Video:FrameRate 50 is above 39.60 for 320x240"},
		"frame rate of 1.1":   {h264(`"FrameRate":"10",`, `"Level":"1.1"`), ""},
		"AAC-LC":              {audio(`"BitRate":"64","CodecOptions":{"Profile":"AAC-LC"}`), "Audio:BitRate 64 does not suit the AAC profile AAC-LC, which is for above 64 kbit/s"},
		"AAC-LC fits":         {audio(`"BitRate":"65","CodecOptions":{"Profile":"AAC-LC"}`), ""},
		"HE-AAC":              {audio(`"BitRate":"81","CodecOptions":{"Profile":"HE-AAC"}`), "from 40 to 80"},
		"HE-AAC low":          {audio(`"BitRate":"39","CodecOptions":{"Profile":"HE-AAC"}`), "from 40 to 80"},
		"HE-AAC fits":         {audio(`"BitRate":"80","CodecOptions":{"Profile":"HE-AAC"}`), ""},
		"HE-AACv2":            {audio(`"BitRate":"48","CodecOptions":{"Profile":"HE-AACv2"}`), "below 48"},
		"HE-AACv2 fits":       {audio(`"BitRate":"47","CodecOptions":{"Profile":"HE-AACv2"}`), ""},
		"the encoder decides": {audio(`"BitRate":"16","CodecOptions":{"Profile":"auto"}`), ""},
	} {
		p, err := Parse(c.doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := Warning(p); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want ...%s...", name, got, c.want)
		}
	}
}
