// Package request writes the job documents that the command drops: from presets
// that are named, or from a template, which is a CreateJob request without what
// only the drop knows (PipelineId and the input's key and encryption).
//
// It judges nothing that the service judges: a document that breaks a rule is
// written as it is, so that rules and their texts exist once.
package request

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
)

// segmentSeconds is the SegmentDuration of HLS outputs made from presets.
const segmentSeconds = "10"

// Ladder are the presets of a playlist for which none are named: HLS from
// 2 Mbit/s to 400 kbit/s.
var Ladder = []string{
	"1351620000001-200010", "1351620000001-200020", "1351620000001-200030", "1351620000001-200040", "1351620000001-200050",
}

// Default is the preset of a job for which none is named: Generic 720p.
const Default = "1351620000001-000010"

// Template is the template of a job with one output for each preset, in order,
// and, when playlist is not empty, a master playlist of that name over the HLS
// ones.
func Template(presets []*preset.Preset, playlist string) ([]byte, error) {
	var t struct {
		Outputs   []job.Output
		Playlists []job.Playlist `json:",omitempty"`
	}
	var streams []string
	taken := map[string]bool{}
	for _, p := range presets {
		o := job.Output{Key: outputKey(p, taken), PresetID: p.ID}
		if p.Container == "ts" {
			o.SegmentDuration = segmentSeconds
			streams = append(streams, o.Key)
		}
		t.Outputs = append(t.Outputs, o)
	}
	if playlist != "" {
		if len(streams) == 0 {
			return nil, fmt.Errorf("a playlist needs HLS outputs: name presets of the container ts, or none for the ladder %s to %s", Ladder[0], Ladder[len(Ladder)-1])
		}
		t.Playlists = []job.Playlist{{Name: playlist, Format: "HLSv3", OutputKeys: streams}}
	}
	return json.Marshal(t)
}

// outputKey is the preset's name as a key that is not taken: hls-2m, or
// generic-720p.mp4.
func outputKey(p *preset.Preset, taken map[string]bool) string {
	slug := Slug(strings.TrimPrefix(p.Name, "System preset:"))
	if slug == "" {
		slug = p.ID
	}
	suffix := ""
	if p.Container != "ts" && p.Container != "" {
		suffix = "." + p.Container
	}
	key := slug + suffix
	for n := 2; taken[key]; n++ {
		key = slug + "-" + strconv.Itoa(n) + suffix
	}
	taken[key] = true
	return key
}

// Slug is a name in lower-case letters and digits with a hyphen for whatever is
// between them: "HLS 1.5M" is "hls-1-5m".
func Slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}
