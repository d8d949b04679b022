package job

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMarshalWire(t *testing.T) {
	j := ladderJob()
	j.Inputs[0].Encryption = &Encryption{Mode: ModeS3KMS}
	j.Inputs[0].DetectedProperties = &DetectedProperties{Width: 1280, Height: 720, FrameRate: "25", FileSize: 5368709120}
	j.Inputs[0].TimeSpan = &TimeSpan{StartTime: "1"}
	j.Outputs, j.Playlists = j.Outputs[:1], j.Playlists[1:]
	j, err := CompleteOutput(j, "1", Result{DurationMillis: 1400, Width: 640, Height: 360, FrameRate: "25", FileSize: 99}, at(3))
	if err != nil {
		t.Fatal(err)
	}
	got, err := MarshalWire(j, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := `{"Key":"in.mp4","FrameRate":null,"Resolution":null,"AspectRatio":null,"Interlaced":null,"Container":null,` +
		`"Encryption":{"Mode":"s3-aws-kms","Key":null,"KeyMd5":null,"InitializationVector":null},` +
		`"TimeSpan":{"StartTime":"1","Duration":null},"InputCaptions":null,` +
		`"DetectedProperties":{"Width":1280,"Height":720,"FrameRate":"25","FileSize":5368709120,"DurationMillis":null}}`
	out := `{"Id":"1","Key":"a","ThumbnailPattern":null,"ThumbnailEncryption":null,"Rotate":null,"PresetId":"` + hls2M + `",` +
		`"SegmentDuration":null,"Status":"Complete","StatusDetail":null,"Duration":1,"Width":640,"Height":360,"FrameRate":"25",` +
		`"FileSize":99,"DurationMillis":1400,"Watermarks":[],"AlbumArt":null,"Composition":null,"Captions":null,"Encryption":null,` +
		`"AppliedColorSpaceConversion":null}`
	want := `{"Job":{"Id":"1700000000000-abc123","Arn":null,"PipelineId":"` + pipelineID + `","Input":` + in + `,"Inputs":[` + in +
		`],"Output":` + out + `,"Outputs":[` + out + `],"OutputKeyPrefix":null,"Playlists":[{"Name":"one","Format":"HLSv3","OutputKeys":["a"],` +
		`"HlsContentProtection":null,"PlayReadyDrm":null,"Status":"Complete","StatusDetail":null}],"Status":"Complete","UserMetadata":null,` +
		`"Timing":{"SubmitTimeMillis":1700000000000,"StartTimeMillis":1700000003000,"FinishTimeMillis":1700000003000}}}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMarshalWireForms(t *testing.T) {
	many, err := MarshalWire(ladderJob(), json.RawMessage(`{"Objects":[1]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"Output":null,"Outputs":[{`, `"Input":{`, `},"Sealreel":{"Objects":[1]}}`} {
		if !strings.Contains(string(many), part) {
			t.Errorf("%s lacks %s", many, part)
		}
	}
	none, err := MarshalWire(Job{ID: "x", Status: Error}, nil)
	if err != nil || !strings.Contains(string(none), `"Input":null,"Inputs":[],"Output":null,"Outputs":[],"OutputKeyPrefix":null,"Playlists":[]`) {
		t.Errorf("%s, %v", none, err)
	}
	if _, err := MarshalWire(Job{}, json.RawMessage("{")); err == nil {
		t.Error("broken additions were written")
	}
}
