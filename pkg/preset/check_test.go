package preset

import (
	"errors"
	"strings"
	"testing"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

const (
	hls    = "1351620000001-200010"
	file   = "1351620000001-000010"
	absent = "1351620000001-999999"
)

func lookup(id string) (*Preset, error) {
	if p, ok := System(id); ok {
		return p, nil
	}
	return nil, ErrNotFound
}

func segmented(key string) job.Output {
	return job.Output{Key: key, PresetID: hls, SegmentDuration: "10"}
}

func single(key string) job.Output { return job.Output{Key: key, PresetID: file} }

func captioned(o job.Output, pattern string, formats ...string) job.Output {
	o.Captions = &job.Captions{}
	for _, f := range formats {
		o.Captions.CaptionFormats = append(o.Captions.CaptionFormats, job.CaptionFormat{Format: f, Pattern: pattern})
	}
	return o
}

// spoken is an input with captions of a language.
func spoken(language string) []job.Input {
	return []job.Input{{InputCaptions: &job.InputCaptions{CaptionSources: []job.CaptionSource{{Language: language}}}}}
}

func TestCheck(t *testing.T) {
	master := func(name string, keys ...string) []job.Playlist {
		return []job.Playlist{{Name: name, Format: "HLSv3", OutputKeys: keys}}
	}
	for name, c := range map[string]struct {
		req  job.Request
		want string // of the error's text; "" for none
	}{
		"ladder":                 {job.Request{Outputs: []job.Output{segmented("a"), segmented("b"), single("c.mp4")}, Playlists: master("index", "a", "b")}, ""},
		"neighbouring keys":      {job.Request{Outputs: []job.Output{segmented("a"), segmented("a1"), segmented("a00000")}}, ""},
		"file beside segments":   {job.Request{Outputs: []job.Output{segmented("a"), single("a"), single("a0000.ts")}}, ""},
		"unknown preset":         {job.Request{Outputs: []job.Output{single("a"), {Key: "b", PresetID: absent}}}, "1 validation error detected: Value '" + absent + "' at 'outputs.2.member.presetId' failed to satisfy constraint: The specified preset was not found"},
		"segments of an mp4":     {job.Request{Outputs: []job.Output{{Key: "a", PresetID: file, SegmentDuration: "10"}}}, "Value '10' at 'outputs.1.member.segmentDuration' failed to satisfy constraint: Member is available only for 'ts' and 'fmp4' containers"},
		"ts without segments":    {job.Request{Outputs: []job.Output{{Key: "a", PresetID: hls}}}, ""},
		"file named as playlist": {job.Request{Outputs: []job.Output{segmented("a"), single("a.m3u8")}}, "Value 'a.m3u8' at 'outputs.2.member.key' failed to satisfy constraint: Member gives the name 'p/a.m3u8' to output 'a.m3u8', which is also that of output 'a'"},
		"file named as segment":  {job.Request{Outputs: []job.Output{single("a00007.ts"), segmented("a")}}, "which is also that of a segment of output 'a'"},
		"master as variant":      {job.Request{Outputs: []job.Output{segmented("a")}, Playlists: master("a", "a")}, "Value 'a' at 'playlists.1.member.name' failed to satisfy constraint: Member gives the name 'p/a.m3u8' to playlist 'a', which is also that of output 'a'"},
		"master as file":         {job.Request{Outputs: []job.Output{segmented("a"), single("x.m3u8")}, Playlists: master("x", "a")}, "which is also that of output 'x.m3u8'"},
		"captions":               {job.Request{Outputs: []job.Output{captioned(single("a"), "c-{language}", "srt", "webvtt"), captioned(single("b"), "d-{language}", "srt"), captioned(segmented("h"), "c-{language}", "srt")}}, ""},
		"captions of two":        {job.Request{Outputs: []job.Output{captioned(single("a"), "c-{language}", "srt"), captioned(single("b"), "c-{language}", "webvtt", "srt")}}, "Value 'c-{language}' at 'outputs.2.member.captions.captionFormats.2.member.pattern' failed to satisfy constraint: Member gives the name 'p/c-{language}.srt' to captions of output 'b', which is also that of captions of output 'a'"},
		"captions named as file": {job.Request{Inputs: spoken("de"), Outputs: []job.Output{captioned(single("a"), "b-{language}", "srt"), single("b-de.srt")}}, "Member gives the name 'p/b-de.srt' to captions of output 'a', which is also that of output 'b-de.srt'"},
		"captions of a segment":  {job.Request{Inputs: spoken("de"), Outputs: []job.Output{captioned(segmented("a"), "b-{language}", "srt"), single("b-de00012.srt")}}, "which is also that of captions of a segment of output 'a'"},
		"captions of one name":   {job.Request{Inputs: spoken("de"), Outputs: []job.Output{captioned(single("a"), "de-{language}", "srt"), captioned(single("b"), "{language}-de", "srt")}}, "Member gives the name 'p/de-de.srt' to captions of output 'b'"},
		"all at once":            {job.Request{Outputs: []job.Output{{Key: "a", PresetID: absent}, {Key: "b", PresetID: absent}}}, "2 validation errors detected"},
	} {
		c.req.OutputKeyPrefix = "p/"
		err := Check(&c.req, lookup)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var invalid *document.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant ...%s...", name, err, c.want)
		}
	}
}

// TestCheckPassesErrorsOn: that a preset could not be fetched says nothing
// about the request.
func TestCheckPassesErrorsOn(t *testing.T) {
	broken := errors.New("storage is down")
	err := Check(&job.Request{Outputs: []job.Output{single("a")}}, func(string) (*Preset, error) { return nil, broken })
	var invalid *document.ValidationError
	if !errors.Is(err, broken) || errors.As(err, &invalid) {
		t.Errorf("got %v", err)
	}
}
