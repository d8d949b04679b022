package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"sealreel/pkg/rational"
)

// headerEntries are the fields of ffprobe's -show_entries that a document has.
// Tags are left out but for one: they can be as long as the file likes.
const headerEntries = "format=format_name" +
	":stream=index,codec_type,codec_name,width,height,sample_aspect_ratio,pix_fmt,color_range,color_space,color_transfer,color_primaries,field_order," +
	"has_b_frames,r_frame_rate,avg_frame_rate,time_base,start_pts,sample_rate,channels,bit_rate" +
	":stream_disposition=default,attached_pic,timed_thumbnails,still_image:stream_tags=language" +
	":stream_side_data=rotation"

// document collects the JSON that ffprobe prints.
type document struct{ bytes.Buffer }

// entry is a stream in that JSON.
type entry struct {
	Index       int            `json:"index"`
	Kind        string         `json:"codec_type"`
	Codec       string         `json:"codec_name"`
	Width       int            `json:"width"`
	Height      int            `json:"height"`
	SAR         string         `json:"sample_aspect_ratio"`
	PixelFormat string         `json:"pix_fmt"`
	ColorRange  string         `json:"color_range"`
	ColorSpace  string         `json:"color_space"`
	Transfer    string         `json:"color_transfer"`
	Primaries   string         `json:"color_primaries"`
	FieldOrder  string         `json:"field_order"`
	Reorder     int            `json:"has_b_frames"`
	Nominal     string         `json:"r_frame_rate"`
	Average     string         `json:"avg_frame_rate"`
	TimeBase    string         `json:"time_base"`
	Start       *int64         `json:"start_pts"`
	SampleRate  string         `json:"sample_rate"`
	Channels    int            `json:"channels"`
	BitRate     string         `json:"bit_rate"`
	Disposition map[string]int `json:"disposition"`
	Tags        struct {
		Language string `json:"language"`
	} `json:"tags"`
	SideData []struct {
		Rotation *float64 `json:"rotation"` // counterclockwise
	} `json:"side_data_list"`
}

// report reads the JSON.
func (d *document) report() (*Report, error) {
	var parsed struct {
		Format struct {
			Name string `json:"format_name"`
		} `json:"format"`
		Streams []entry `json:"streams"`
	}
	if err := json.Unmarshal(d.Bytes(), &parsed); err != nil {
		return nil, fmt.Errorf("probe: read what ffprobe printed: %w", err)
	}
	r := &Report{Format: parsed.Format.Name}
	for _, e := range parsed.Streams {
		r.Streams = append(r.Streams, e.stream())
	}
	return r, nil
}

func (e entry) stream() Stream {
	s := Stream{
		Index:       e.Index,
		Kind:        e.Kind,
		Codec:       e.Codec,
		TimeBase:    fraction(e.TimeBase),
		NominalRate: fraction(e.Nominal),
		AverageRate: fraction(e.Average),
		Width:       e.Width,
		Height:      e.Height,
		SAR:         fraction(e.SAR),
		PixelFormat: e.PixelFormat,
		Range:       e.ColorRange,
		Matrix:      e.ColorSpace,
		Transfer:    e.Transfer,
		Primaries:   e.Primaries,
		FieldOrder:  e.FieldOrder,
		SampleRate:  int(integer(e.SampleRate)),
		Channels:    e.Channels,
		BitRate:     integer(e.BitRate),
		Language:    e.Tags.Language,
		Default:     e.Disposition["default"] == 1,
		start:       noTime,
		reorder:     max(e.Reorder, 0),
	}
	still := e.Disposition["attached_pic"] + e.Disposition["timed_thumbnails"] + e.Disposition["still_image"]
	s.AttachedPicture = still > 0
	if s.Codec == "unknown" || s.Codec == "none" {
		s.Codec = ""
	}
	if s.FieldOrder == "unknown" {
		s.FieldOrder = ""
	}
	if e.Start != nil && sane(*e.Start, s.TimeBase) {
		s.start = *e.Start
	}
	for _, side := range e.SideData {
		if side.Rotation != nil && !math.IsNaN(*side.Rotation) {
			s.Rotation = (int(math.Round(-*side.Rotation))%360 + 360) % 360
		}
	}
	return s
}

// fraction reads a positive fraction of 32-bit integers. ffprobe writes "0/0",
// "0:1" or "N/A" for what is unknown: zero.
func fraction(s string) rational.Rational {
	r, err := rational.Parse(s)
	if err != nil || r.Sign() <= 0 || r.Num > math.MaxInt32 || r.Den > math.MaxInt32 {
		return rational.Rational{}
	}
	return r
}

// integer reads a number; what is none is zero.
func integer(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
