package request

import (
	"encoding/json"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
)

func system(t *testing.T, ids ...string) []*preset.Preset {
	t.Helper()
	var all []*preset.Preset
	for _, id := range ids {
		p, ok := preset.System(id)
		if !ok {
			t.Fatalf("there is no system preset %s", id)
		}
		all = append(all, p)
	}
	return all
}

// complete is a template's document for a file, as the service reads it.
func complete(t *testing.T, template []byte, f Filling) *job.Request {
	t.Helper()
	d, err := Parse(template)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := d.Complete(f)
	if err != nil {
		t.Fatal(err)
	}
	req, err := job.ParseRequest(doc)
	if err != nil {
		t.Fatalf("%v in\n%s", err, doc)
	}
	return req
}

var filling = Filling{PipelineID: "1762992000000-sealrl", Key: "clip-abc/clip.mp4", Name: "clip.mp4", Prefix: "clip-abc/", OutMode: "sse-c"}

func TestPresetsBecomeAJob(t *testing.T) {
	template, err := Template(system(t, "1351620000001-200010", "1351620000001-000010", "1351620000001-200020", "1351620000001-000010"), "index")
	if err != nil {
		t.Fatal(err)
	}
	req := complete(t, template, filling)
	var keys []string
	for _, o := range req.Outputs {
		if o.Encryption == nil || o.Encryption.Mode != "sse-c" || o.Encryption.Key != "" {
			t.Errorf("output %s: Encryption %v", o.Key, o.Encryption)
		}
		if segmented := strings.HasPrefix(o.Key, "hls"); segmented != (o.SegmentDuration == segmentSeconds) {
			t.Errorf("output %s: SegmentDuration %q", o.Key, o.SegmentDuration)
		}
		keys = append(keys, o.Key)
	}
	if got := strings.Join(keys, " "); got != "hls-2m generic-720p.mp4 hls-1-5m generic-720p-2.mp4" {
		t.Errorf("output keys %s", got)
	}
	if p := req.Playlists; len(p) != 1 || p[0].Name != "index" || strings.Join(p[0].OutputKeys, " ") != "hls-2m hls-1-5m" {
		t.Errorf("playlists %v", p)
	}
	if req.PipelineID != filling.PipelineID || req.OutputKeyPrefix != "clip-abc/" || req.Inputs[0].Key != "clip-abc/clip.mp4" {
		t.Errorf("%+v", req)
	}
}

func TestTheLadderIsThere(t *testing.T) {
	template, err := Template(system(t, append(Ladder, Default)...), "")
	if err != nil {
		t.Fatal(err)
	}
	if req := complete(t, template, filling); len(req.Outputs) != 6 || len(req.Playlists) != 0 {
		t.Errorf("%+v", req)
	}
}

func TestAPlaylistNeedsStreams(t *testing.T) {
	if _, err := Template(system(t, Default), "index"); err == nil || !strings.Contains(err.Error(), "HLS") {
		t.Error(err)
	}
}

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"HLS 2M": "hls-2m", " HLS 1.5M ": "hls-1-5m", "Generic 360p 16:9": "generic-360p-16-9", "Über/../Größe": "über-größe",
		"": "", "--": "", "日本語 1": "日本語-1", "a\x00b": "a-b",
	} {
		if got := Slug(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestAnUnknownPresetIsLeftToTheService(t *testing.T) {
	template, err := Template([]*preset.Preset{{ID: "1351620000001-999999"}}, "")
	if err != nil || !json.Valid(template) || !strings.Contains(string(template), `"Key":"1351620000001-999999"`) {
		t.Errorf("%s, %v", template, err)
	}
}
