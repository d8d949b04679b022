package assemble

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/fragment"
	"sealreel/pkg/job"
	"sealreel/pkg/language"
	"sealreel/pkg/part"
	"sealreel/pkg/plan"
	"sealreel/pkg/progressive"
	"sealreel/pkg/task"
	"sealreel/pkg/ts"
)

// captionTypes are the media types of caption files: those that IANA has
// registered, else what is in use.
var captionTypes = map[caption.Format]string{
	caption.SRT: "application/x-subrip", caption.WebVTT: "text/vtt", caption.DFXP: "application/ttml+xml", caption.SCC: "text/x-scc",
}

// captions writes the files of captions beside the output's media, one for the
// whole of it or, as Elastic Transcoder did, one for each segment.
func (m *making) captions(ctx context.Context) error {
	borders := m.borders()
	for _, files := range m.output.CaptionFiles() {
		cues, err := m.cues(ctx, files.Track)
		if err != nil {
			return err
		}
		if err := m.captionFiles(ctx, files, cues, borders); err != nil {
			return err
		}
	}
	return nil
}

// borders are where the segments of the output end; of a single file it is its
// end.
func (m *making) borders() []time.Duration {
	if m.output.SegmentFrames == 0 {
		return []time.Duration{m.length()}
	}
	var borders []time.Duration
	ticks := int64(0)
	for _, made := range m.made {
		for _, s := range made.Segments {
			ticks += s.Ticks
			borders = append(borders, time.Duration(ticks)*time.Second/ts.Clock)
		}
	}
	return borders
}

// length is that of the output's picture, in whole milliseconds.
func (m *making) length() time.Duration {
	g := m.plan.Groups[m.output.Group]
	return time.Duration(g.Rate.Inv().Floor(g.Frames*1000)) * time.Millisecond
}

// cues are those of a track that the output shows.
func (m *making) cues(ctx context.Context, t plan.CaptionTrack) ([]caption.Cue, error) {
	takes := m.plan.Takes(m.output)
	var all []caption.Cue
	for _, piece := range t.Pieces {
		cues, err := m.piece(ctx, piece.File)
		if err != nil {
			return nil, err
		}
		take := takes[piece.Take]
		lasts := m.length() - take.Begins
		if take.Lasts > 0 {
			lasts = min(lasts, take.Lasts)
		}
		all = append(all, caption.Shift(caption.Clip(cues, take.From, max(lasts, 0)), take.Begins)...)
		if len(all) > caption.MaxCues {
			return nil, job.Fail(job.CodeCaptionFile, "the inputs have more than %d captions together in the language %s", caption.MaxCues, t.Language)
		}
	}
	return all, nil
}

// piece reads captions that ingest stored.
func (m *making) piece(ctx context.Context, f task.WorkFile) ([]caption.Cue, error) {
	r, err := m.vault.Work(ctx, f.Key, f.Size)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	packed, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Key, err)
	}
	return caption.Unpack(packed)
}

// atOnce is how many caption files are stored at the same time.
const atOnce = 8

// captionFiles stores the files of one format and language.
func (m *making) captionFiles(ctx context.Context, files plan.CaptionFiles, cues []caption.Cue, borders []time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	room := make(chan struct{}, atOnce)
	from := time.Duration(0)
	for n, to := range borders {
		piece, key := caption.During(cues, from, to), files.Key(n)
		from = to
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			if err := m.captionFile(ctx, files, key, piece); err != nil {
				mu.Lock()
				if first == nil {
					first = err
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return first
}

func (m *making) captionFile(ctx context.Context, files plan.CaptionFiles, key string, cues []caption.Cue) error {
	format := files.Format.Format
	text, err := encodeCaptions(format, files, cues)
	if err != nil {
		return job.FailCause(err, job.CodeValidation, "the captions in the language %s can't be written in the format %s: %v", files.Track.Language, format, err)
	}
	_, err = m.vault.Store(ctx, files.Output(), key, captionTypes[format], bytes.NewReader(text))
	return err
}

// encodeCaptions writes one file. WebVTT beside a segment says where in the time
// of the transport stream it is (RFC 8216, 3.5).
func encodeCaptions(format caption.Format, files plan.CaptionFiles, cues []caption.Cue) ([]byte, error) {
	if files.Series() && format == caption.WebVTT {
		return caption.EncodeWebVTTSegment(cues, ts.Start), nil
	}
	return caption.Encode(format, caption.Track{Language: files.Track.Language, Label: files.Track.Label, Cues: cues})
}

// texts are the output's tracks of timed text, as samples of a file.
type texts struct {
	making  *making
	tracks  []plan.CaptionTrack
	planned []progressive.Captions
}

func (m *making) texts(ctx context.Context) (texts, error) {
	t := texts{making: m, tracks: m.output.EmbeddedCaptions()}
	var err error
	t.planned, err = t.plan(ctx)
	return t, err
}

// samples are those of a track.
func (t texts) samples(ctx context.Context, place int) ([]caption.MovTextSample, error) {
	cues, err := t.making.cues(ctx, t.tracks[place])
	if err != nil {
		return nil, err
	}
	return caption.MovTextSamples(cues, t.making.length())
}

// plan describes the tracks, holding one at a time.
func (t texts) plan(ctx context.Context) ([]progressive.Captions, error) {
	var all []progressive.Captions
	for place, planned := range t.tracks {
		samples, err := t.samples(ctx, place)
		if err != nil {
			return nil, err
		}
		index, err := indexTexts(samples)
		if err != nil {
			return nil, err
		}
		code, err := language.Alpha3(planned.Language)
		if err != nil {
			return nil, err
		}
		all = append(all, progressive.Captions{Index: index, Language: code, Label: planned.Label})
	}
	return all, nil
}

// beside opens the samples of the tracks beside those of other kinds.
func (t texts) beside(ctx context.Context, media part.Open) part.Open {
	return func(kind fragment.Kind, place int) (io.ReadCloser, error) {
		if kind == fragment.Text {
			return t.open(ctx, place)
		}
		return media(kind, place)
	}
}

// open gives the samples of a track, made anew.
func (t texts) open(ctx context.Context, place int) (io.ReadCloser, error) {
	samples, err := t.samples(ctx, place)
	if err != nil {
		return nil, err
	}
	data := make([]io.Reader, len(samples))
	for i, s := range samples {
		data[i] = bytes.NewReader(s.Data)
	}
	return io.NopCloser(io.MultiReader(data...)), nil
}

// indexTexts is the index of a track of timed text.
func indexTexts(samples []caption.MovTextSample) (*part.Index, error) {
	track, err := fragment.NewTrack(caption.MovTextScale, caption.MovTextEntry())
	if err != nil {
		return nil, err
	}
	w := part.NewIndexWriter(track)
	for _, s := range samples {
		at := s.Start.Milliseconds()
		if err := w.Add(fragment.Sample{DTS: at, PTS: at, Duration: s.End.Milliseconds() - at, Key: true, Data: s.Data}); err != nil {
			return nil, err
		}
	}
	return part.ParseIndex(w.Bytes())
}

// noCaptions is what an output says that was to have captions and got none.
func (m *making) noCaptions() string {
	if c := m.output.Captions; c == nil || len(c.Tracks) > 0 {
		return ""
	}
	return "No captions were found in the input or beside it, so that the output has none."
}
