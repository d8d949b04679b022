package transcode

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/loopback"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// broken is a stream that fails at its beginning.
type broken struct{ err error }

func (b broken) Track() (*fragment.Track, error)   { return nil, b.err }
func (b broken) Next() (*fragment.Fragment, error) { return nil, b.err }
func (b broken) Complete() bool                    { return false }

// TestStreamsThatEndEarly: a stream that ffmpeg itself ended too early is about
// the media, and is not tried again as if this attempt alone had failed. One that
// was cut is.
func TestStreamsThatEndEarly(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		media bool
	}{
		"ended by ffmpeg":         {io.ErrUnexpectedEOF, true},
		"ended by ffmpeg, in box": {fmt.Errorf("box: %w", io.ErrUnexpectedEOF), true},
		"cut":                     {fmt.Errorf("%w: %w", loopback.ErrCut, io.ErrUnexpectedEOF), false},
		"no stream of ours":       {errors.New("a box of the wrong kind"), false},
	} {
		err := readFrames(whole{broken{c.err}}, plan.Group{Rate: rational.Int(25)}, plan.Chunk{}, nil)
		if errors.Is(err, errFrames) != c.media {
			t.Errorf("%s: %v", name, err)
		}
		if again := (&attempt{}).mediaError(err); (&attempt{}).permanent(again) != c.media {
			t.Errorf("%s: to be tried again: %v", name, again)
		}
	}
}
