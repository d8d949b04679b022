package assemble

import (
	"context"
	"io"

	"sealreel/pkg/cover"
)

// covers are the pictures of the output's album, which the task of its first
// chunk made. They are opened under ctx.
func (m *making) covers(ctx context.Context) []cover.Cover {
	var all []cover.Cover
	for _, made := range m.made {
		for _, a := range made.Artwork {
			all = append(all, cover.Cover{Format: a.Format, Width: a.Width, Height: a.Height, Size: a.Bytes,
				Open: func() (io.ReadCloser, error) { return m.vault.Work(ctx, a.File.Key, a.File.Size) }})
		}
	}
	return all
}
