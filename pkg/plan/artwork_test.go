package plan

import (
	"fmt"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
	"sealreel/pkg/still"
)

// TestArtworkIsMerged: which pictures an album has, and in which order.
func TestArtworkIsMerged(t *testing.T) {
	good := func(n int) (all []SourceArtwork) {
		for i := range n {
			all = append(all, SourceArtwork{Stream: i + 1, Codec: []string{"mjpeg", "png"}[i%2], Width: 100, Height: 100})
		}
		return all
	}
	for _, c := range []struct {
		policy   string
		given    int
		embedded []SourceArtwork
		want     string // g: given, e: embedded
		code     job.Code
	}{
		{"Replace", 2, good(2), "g0 g1 ", 0},
		{"Replace", 0, good(2), "", 0},
		{"Prepend", 2, good(2), "g0 g1 e1 e2 ", 0},
		{"Prepend", 0, good(2), "e1 e2 ", 0},
		{"Append", 2, good(2), "e1 e2 g0 g1 ", 0},
		{"Append", 1, nil, "g0 ", 0},
		{"Fallback", 2, good(1), "e1 ", 0},
		{"Fallback", 2, nil, "g0 g1 ", 0},
		{"Fallback", 0, nil, "", 0},
		{"Append", 18, good(2), "e1 e2 g0 g1 g2 g3 g4 g5 g6 g7 g8 g9 g10 g11 g12 g13 g14 g15 g16 g17 ", 0},
		{"Append", 19, good(2), "", 4009},
		{"Fallback", 20, good(2), "e1 e2 ", 0},
		{"Prepend", 0, good(21), "", 4009},
		{"Replace", 20, good(21), "g0 g1 g2 g3 g4 g5 g6 g7 g8 g9 g10 g11 g12 g13 g14 g15 g16 g17 g18 g19 ", 0},
		{"Append", 1, []SourceArtwork{{Codec: "bmp", Width: 9, Height: 9}}, "", 4011},
		{"Append", 1, []SourceArtwork{{Codec: "png"}}, "", 4011},
		{"Prepend", 1, []SourceArtwork{{Codec: "png", Width: still.MaxWidth + 1, Height: 9}}, "", 4013},
		{"Replace", 1, []SourceArtwork{{Codec: "bmp"}}, "g0 ", 0},
	} {
		src := source(rational.Int(25), 10, false, true)
		src.Artwork = c.embedded
		w := Wish{Output: job.Output{ID: "1", Key: "a.m4a", AlbumArt: &job.AlbumArt{MergePolicy: c.policy}}, Key: "a.m4a",
			Preset: &preset.Preset{Container: "mp4", Audio: &preset.Audio{Codec: "AAC", SampleRate: "44100", BitRate: "96", Channels: "2"}}}
		for i := range c.given {
			w.Output.AlbumArt.Artwork = append(w.Output.AlbumArt.Artwork, job.Artwork{MaxWidth: "300", AlbumArtFormat: "jpg"})
			w.Artwork = append(w.Artwork, Still{Input: Input{Key: fmt.Sprint(i)}, Info: still.Info{Format: still.PNG, Width: 900, Height: 600}})
		}
		p := Make(src, []Wish{w}, Options{ChunkSeconds: 30})
		got := ""
		for _, a := range p.Outputs[0].Artwork {
			if a.Embedded {
				got += fmt.Sprintf("e%d ", a.Stream)
				continue
			}
			got += fmt.Sprintf("g%s ", p.Stills[a.Still].Input.Key)
			if a.Info != (still.Info{Format: still.JPEG, Width: 300, Height: 200}) {
				t.Errorf("%+v: made as %+v", c, a.Info)
			}
		}
		code := job.Code(0)
		if f := p.Outputs[0].Failure; f != nil {
			code = f.Code
		}
		if got != c.want || code != c.code || (code != 0) != (len(p.Groups[0].Outputs) == 0) {
			t.Errorf("%s of %d with %v: %q, %d; want %q, %d", c.policy, c.given, c.embedded, got, code, c.want, c.code)
		}
	}
}
