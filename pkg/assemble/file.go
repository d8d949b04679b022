package assemble

import (
	"bufio"
	"context"
	"errors"
	"io"

	"sealreel/pkg/cover"
	"sealreel/pkg/fragment"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/part"
	"sealreel/pkg/soundfile"
	"sealreel/pkg/task"
	"sealreel/pkg/transcode"
)

// write writes a planned file. The same output gives the same bytes each time.
type write func(ctx context.Context, w io.Writer) error

// container is a way of writing a single file.
type container struct {
	video, audio string // its media types, with a picture and without
	plan         func(p *parts) (write, error)
}

// containers are those of single files, by their names in presets.
var containers = map[string]container{
	"mp4": {"video/mp4", "audio/mp4", progressiveMP4},
	"gif": {"image/gif", "", asEncoded},

	"flv":  {"video/x-flv", "audio/x-flv", flashVideo},
	"fmp4": {"video/mp4", "audio/mp4", fragmentedMP4},
	"webm": {"video/webm", "audio/webm", webMedia},
	"mpg":  {"video/mpeg", "audio/mpeg", remuxed(programStream, nil)},
	"ts":   {"video/mp2t", "video/mp2t", remuxed(transportStream, nil)},
	"mxf":  {"application/mxf", "application/mxf", remuxed(materialExchange, completed)},

	"flac": {"", "audio/flac", soundWithAlbum(cover.FLAC, soundfile.AlbumFLAC)},
	"mp2":  {"", "audio/mpeg", soundAlone(soundfile.Raw)},
	"mp3":  {"", "audio/mpeg", soundWithAlbum(cover.ID3, soundfile.AlbumMP3)},
	"oga":  {"", "audio/ogg", soundAlone(soundfile.Ogg)},
	"ogg":  {"", "audio/ogg", soundAlone(soundfile.Ogg)},
	"wav":  {"", "audio/wav", soundAlone(soundfile.WAV)},
}

// file joins the output's parts into one file, straight into the sealed upload.
func (m *making) file(ctx context.Context) (*ledger.Result, error) {
	c, known := containers[m.output.Container]
	if !known {
		return nil, job.Fail(job.CodeInternal, "the plan asks for a file in the container %s, which cannot be written", m.output.Container)
	}
	p, err := m.parts(ctx)
	if err != nil {
		return nil, err
	}
	write, err := c.plan(p)
	var failure *job.Failure
	switch {
	case errors.As(err, &failure):
		return nil, err
	case err != nil:
		return nil, job.FailCause(err, job.CodeSegmentsMismatch, "the parts of the output do not fit together: drop the job again, and tell the operator if it happens twice")
	}
	contentType := c.video
	if m.output.Picture == nil {
		contentType = c.audio
	}
	size, err := m.store(ctx, contentType, write)
	if err != nil {
		return nil, err
	}
	return &ledger.Result{Result: job.Result{DurationMillis: int64(p.ends*1000 + 0.5), FileSize: size}}, nil
}

// store seals and stores what write writes, and tells its bytes.
func (m *making) store(ctx context.Context, contentType string, write write) (int64, error) {
	r, w := io.Pipe()
	go func() {
		buf := bufio.NewWriterSize(w, 256<<10)
		err := write(ctx, buf)
		if err == nil {
			err = buf.Flush()
		}
		w.CloseWithError(err)
	}()
	sealed, err := m.vault.Store(ctx, m.output, m.output.Key, contentType, r)
	r.CloseWithError(io.ErrClosedPipe)
	return sealed.Bytes, err
}

// parts are an output's parts in order, by track, with their indexes.
type parts struct {
	making  *making
	stored  map[fragment.Kind][]task.Part
	indexes map[fragment.Kind][]*part.Index
	covers  []cover.Cover // of the album, in order
	texts   texts         // captions that become part of the file
	ends    float64       // when the last is shown or heard to its end, in seconds
}

func (m *making) parts(ctx context.Context) (*parts, error) {
	p := &parts{making: m, stored: map[fragment.Kind][]task.Part{}, indexes: map[fragment.Kind][]*part.Index{}, covers: m.covers(ctx)}
	var err error
	if p.texts, err = m.texts(ctx); err != nil {
		return nil, err
	}
	for _, made := range m.made {
		if made.Part == nil {
			continue
		}
		if err := p.add(ctx, fragment.Video, *made.Part); err != nil {
			return nil, err
		}
	}
	if m.output.Sound < 0 {
		return p, nil
	}
	for chunk := range m.plan.Groups[m.output.Group].Chunks {
		sound, err := m.ledger.Sound(ctx, m.plan.Job, task.Piece(m.output.Group, chunk))
		if err != nil {
			return nil, err
		}
		if err := p.add(ctx, fragment.Audio, sound.Parts[m.output.Sound]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add loads the index of a part. One without an index is the whole file.
func (p *parts) add(ctx context.Context, kind fragment.Kind, stored task.Part) error {
	if stored.Index.Key == "" {
		p.stored[kind] = append(p.stored[kind], stored)
		g := p.making.plan.Groups[p.making.output.Group]
		p.ends = max(p.ends, float64(g.Frames)/g.Rate.Float64())
		return nil
	}
	index, err := transcode.LoadIndex(ctx, p.making.vault, stored.Index)
	if err != nil {
		return err
	}
	p.stored[kind] = append(p.stored[kind], stored)
	p.indexes[kind] = append(p.indexes[kind], index)
	if index.Samples > 0 {
		p.ends = max(p.ends, float64(index.Last)/float64(index.Track.Timescale))
	}
	return nil
}

// open opens the samples of the parts.
func (p *parts) open(ctx context.Context) part.Open {
	return func(kind fragment.Kind, place int) (io.ReadCloser, error) {
		data := p.stored[kind][place].Data
		return p.making.vault.Work(ctx, data.Key, data.Size)
	}
}
