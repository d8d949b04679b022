package assemble

import (
	"bufio"
	"context"
	"io"

	"sealreel/pkg/fragment"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/progressive"
	"sealreel/pkg/task"
	"sealreel/pkg/transcode"
)

// file joins the output's parts into one MP4 with the index in front, straight
// into the sealed upload.
func (m *making) file(ctx context.Context) (*ledger.Result, error) {
	parts, err := m.parts(ctx)
	if err != nil {
		return nil, err
	}
	indexes := map[fragment.Kind][]*progressive.Index{}
	var ends float64
	for kind, list := range parts {
		for _, p := range list {
			index, err := transcode.LoadIndex(ctx, m.vault, p.Index)
			if err != nil {
				return nil, err
			}
			indexes[kind] = append(indexes[kind], index)
			if index.Samples > 0 {
				ends = max(ends, float64(index.Last)/float64(index.Track.Timescale))
			}
		}
	}
	layout, err := progressive.Plan(indexes[fragment.Video], indexes[fragment.Audio], progressive.Options{})
	if err != nil {
		return nil, job.FailCause(err, job.CodeSegmentsMismatch, "the parts of the output do not fit together: drop the job again, and tell the operator if it happens twice")
	}
	r, w := io.Pipe()
	go func() {
		buf := bufio.NewWriterSize(w, 256<<10)
		err := layout.Stream(buf, func(kind fragment.Kind, part int) (io.ReadCloser, error) {
			data := parts[kind][part].Data
			return m.vault.Work(ctx, data.Key, data.Size)
		})
		if err == nil {
			err = buf.Flush()
		}
		w.CloseWithError(err)
	}()
	contentType := "video/mp4"
	if m.output.Picture == nil {
		contentType = "audio/mp4"
	}
	sealed, err := m.vault.Store(ctx, m.output, m.output.Key, contentType, r)
	r.CloseWithError(io.ErrClosedPipe)
	if err != nil {
		return nil, err
	}
	return &ledger.Result{Result: job.Result{DurationMillis: int64(ends*1000 + 0.5), FileSize: sealed.Bytes}}, nil
}

// parts are the output's parts in order, by track.
func (m *making) parts(ctx context.Context) (map[fragment.Kind][]task.Part, error) {
	parts := map[fragment.Kind][]task.Part{}
	for _, made := range m.made {
		if made.Part != nil {
			parts[fragment.Video] = append(parts[fragment.Video], *made.Part)
		}
	}
	if m.output.Sound < 0 {
		return parts, nil
	}
	for chunk := range m.plan.Groups[m.output.Group].Chunks {
		sound, err := m.ledger.Sound(ctx, m.plan.Job, task.Piece(m.output.Group, chunk))
		if err != nil {
			return nil, err
		}
		parts[fragment.Audio] = append(parts[fragment.Audio], sound.Parts[m.output.Sound])
	}
	return parts, nil
}
