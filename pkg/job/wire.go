package job

import (
	"encoding/json"

	"sealreel/pkg/document"
)

// MarshalWire is the job as ReadJob answered it: {"Job":{...}} with every
// member there, null when unset, numbers as numbers, and Input and Output
// beside the lists when there is one of each. Additions, when not nil, become
// the top-level member Sealreel; anything that encodes to JSON will do.
func MarshalWire(j Job, additions any) ([]byte, error) {
	return json.Marshal(struct {
		Job      wireJob `json:"Job"`
		Sealreel any     `json:"Sealreel,omitempty"`
	}{toWire(j), additions})
}

// text is a string that is null when it is unset.
type text = document.Text

// number is an integer that is null when it is unset. No number of the API
// means anything at 0.
type number int64

func (n number) MarshalJSON() ([]byte, error) {
	if n == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(int64(n))
}

// The wire types list the members of the API's shapes in their order there.
type (
	wireJob struct {
		ID              string            `json:"Id"`
		Arn             text              `json:"Arn"`
		PipelineID      text              `json:"PipelineId"`
		Input           *wireInput        `json:"Input"`
		Inputs          []wireInput       `json:"Inputs"`
		Output          *wireOutput       `json:"Output"`
		Outputs         []wireOutput      `json:"Outputs"`
		OutputKeyPrefix text              `json:"OutputKeyPrefix"`
		Playlists       []wirePlaylist    `json:"Playlists"`
		Status          string            `json:"Status"`
		UserMetadata    map[string]string `json:"UserMetadata"`
		Timing          wireTiming        `json:"Timing"`
	}
	wireInput struct {
		Key                text            `json:"Key"`
		FrameRate          text            `json:"FrameRate"`
		Resolution         text            `json:"Resolution"`
		AspectRatio        text            `json:"AspectRatio"`
		Interlaced         text            `json:"Interlaced"`
		Container          text            `json:"Container"`
		Encryption         *wireEncryption `json:"Encryption"`
		TimeSpan           *wireTimeSpan   `json:"TimeSpan"`
		InputCaptions      *wireCaptions   `json:"InputCaptions"`
		DetectedProperties *wireDetected   `json:"DetectedProperties"`
	}
	wireOutput struct {
		ID                  text            `json:"Id"`
		Key                 text            `json:"Key"`
		ThumbnailPattern    text            `json:"ThumbnailPattern"`
		ThumbnailEncryption *wireEncryption `json:"ThumbnailEncryption"`
		Rotate              text            `json:"Rotate"`
		PresetID            text            `json:"PresetId"`
		SegmentDuration     text            `json:"SegmentDuration"`
		Status              text            `json:"Status"`
		StatusDetail        text            `json:"StatusDetail"`
		Duration            number          `json:"Duration"`
		Width               number          `json:"Width"`
		Height              number          `json:"Height"`
		FrameRate           text            `json:"FrameRate"`
		FileSize            number          `json:"FileSize"`
		DurationMillis      number          `json:"DurationMillis"`
		Watermarks          []wireWatermark `json:"Watermarks"`
		AlbumArt            *wireAlbumArt   `json:"AlbumArt"`
		Composition         []wireClip      `json:"Composition"`
		Captions            *wireCaptions   `json:"Captions"`
		Encryption          *wireEncryption `json:"Encryption"`
		ColorConversion     text            `json:"AppliedColorSpaceConversion"`
	}
	wirePlaylist struct {
		Name                 text           `json:"Name"`
		Format               text           `json:"Format"`
		OutputKeys           []string       `json:"OutputKeys"`
		HlsContentProtection *wireProtected `json:"HlsContentProtection"`
		PlayReadyDrm         *wirePlayReady `json:"PlayReadyDrm"`
		Status               text           `json:"Status"`
		StatusDetail         text           `json:"StatusDetail"`
	}
	wireEncryption struct {
		Mode                 text `json:"Mode"`
		Key                  text `json:"Key"`
		KeyMd5               text `json:"KeyMd5"`
		InitializationVector text `json:"InitializationVector"`
	}
	wireTimeSpan struct {
		StartTime text `json:"StartTime"`
		Duration  text `json:"Duration"`
	}
	wireDetected struct {
		Width          number `json:"Width"`
		Height         number `json:"Height"`
		FrameRate      text   `json:"FrameRate"`
		FileSize       number `json:"FileSize"`
		DurationMillis number `json:"DurationMillis"`
	}
	wireTiming struct {
		SubmitTimeMillis number `json:"SubmitTimeMillis"`
		StartTimeMillis  number `json:"StartTimeMillis"`
		FinishTimeMillis number `json:"FinishTimeMillis"`
	}
)

func toWire(j Job) wireJob {
	w := wireJob{
		ID: j.ID, Arn: text(j.Arn), PipelineID: text(j.PipelineID),
		Inputs: []wireInput{}, Outputs: []wireOutput{}, Playlists: []wirePlaylist{},
		OutputKeyPrefix: text(j.OutputKeyPrefix), Status: j.Status, UserMetadata: j.UserMetadata,
		Timing: wireTiming{number(j.Timing.SubmitTimeMillis), number(j.Timing.StartTimeMillis), number(j.Timing.FinishTimeMillis)},
	}
	for _, in := range j.Inputs {
		w.Inputs = append(w.Inputs, inputToWire(in))
	}
	for _, o := range j.Outputs {
		w.Outputs = append(w.Outputs, outputToWire(o))
	}
	for _, p := range j.Playlists {
		w.Playlists = append(w.Playlists, wirePlaylist{
			Name: text(p.Name), Format: text(p.Format), OutputKeys: append([]string{}, p.OutputKeys...),
			HlsContentProtection: protectionToWire(p.HlsContentProtection), PlayReadyDrm: playReadyToWire(p.PlayReadyDrm),
			Status: text(p.Status), StatusDetail: text(p.StatusDetail),
		})
	}
	if len(w.Inputs) == 1 {
		w.Input = &w.Inputs[0]
	}
	if len(w.Outputs) == 1 {
		w.Output = &w.Outputs[0]
	}
	return w
}

func inputToWire(in Input) wireInput {
	w := wireInput{
		Key: text(in.Key), FrameRate: text(in.FrameRate), Resolution: text(in.Resolution), AspectRatio: text(in.AspectRatio),
		Interlaced: text(in.Interlaced), Container: text(in.Container), Encryption: encryptionToWire(in.Encryption),
	}
	w.TimeSpan = timeSpanToWire(in.TimeSpan)
	if c := in.InputCaptions; c != nil {
		w.InputCaptions = &wireCaptions{MergePolicy: text(c.MergePolicy), CaptionSources: sourcesToWire(c.CaptionSources)}
	}
	if d := in.DetectedProperties; d != nil {
		w.DetectedProperties = &wireDetected{number(d.Width), number(d.Height), text(d.FrameRate), number(d.FileSize), number(d.DurationMillis)}
	}
	return w
}

func outputToWire(o Output) wireOutput {
	return wireOutput{
		ID: text(o.ID), Key: text(o.Key), ThumbnailPattern: text(o.ThumbnailPattern), ThumbnailEncryption: encryptionToWire(o.ThumbnailEncryption),
		Rotate: text(o.Rotate), PresetID: text(o.PresetID), SegmentDuration: text(o.SegmentDuration),
		Status: text(o.Status), StatusDetail: text(o.StatusDetail),
		Duration: number(o.Duration), Width: number(o.Width), Height: number(o.Height), FrameRate: text(o.FrameRate),
		FileSize: number(o.FileSize), DurationMillis: number(o.DurationMillis),
		Watermarks: watermarksToWire(o.Watermarks), AlbumArt: albumArtToWire(o.AlbumArt), Composition: clipsToWire(o.Composition),
		Captions: captionsToWire(o.Captions), Encryption: encryptionToWire(o.Encryption), ColorConversion: text(o.AppliedColorSpaceConversion),
	}
}

func encryptionToWire(e *Encryption) *wireEncryption {
	if e == nil {
		return nil
	}
	return &wireEncryption{text(e.Mode), text(e.Key), text(e.KeyMd5), text(e.InitializationVector)}
}
