package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"sealreel/pkg/encode"
	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/fragment"
	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/source"
	"sealreel/pkg/task"
)

// sink takes the frames of one output of a chunk and stores them.
type sink interface {
	// frame takes the next frame in decode order.
	frame(ctx context.Context, track *fragment.Track, f frame) error
	// end stores what is left, the sound included, and says what was made.
	end(ctx context.Context) (task.Made, error)
	// abandon lets go of what was begun.
	abandon()
}

// chunk makes one chunk of a group for all its outputs.
func (a *attempt) chunk(ctx context.Context, name string) error {
	group, number, ok := task.ParseChunk(name)
	if !ok || group >= len(a.plan.Groups) || number >= len(a.plan.Groups[group].Chunks) {
		a.Log.WarnContext(ctx, "message for a task that the plan does not have")
		return nil
	}
	receipt, err := a.Ledger.Receipt(ctx, a.plan.Job, name)
	if err == nil {
		return a.passOn(ctx, group, number, receipt)
	}
	if !errors.Is(err, object.ErrNotExist) {
		return err
	}
	start := time.Now()
	work := newChunkWork(a, group, number)
	if err := work.do(ctx); err != nil {
		if !a.permanent(err) {
			return err
		}
		a.Log.WarnContext(ctx, "the chunk cannot be made", "err", err)
		work.failAll(err)
	}
	if work.vault != nil {
		if err := a.Ledger.Warn(ctx, a.plan.Job, work.vault.Warnings()...); err != nil {
			return err
		}
	}
	chunk := a.plan.Groups[group].Chunks[number]
	took := time.Since(start)
	mine := &task.Receipt{Outputs: work.made, Frames: chunk.Frames(), Milliseconds: took.Milliseconds()}
	if receipt, err = a.Ledger.CreateReceipt(ctx, a.plan.Job, name, mine); err != nil {
		return err
	}
	if receipt == mine { // not that of a worker that was faster
		countChunk(ctx, a.plan.Groups[group], chunk, mine, took)
	}
	return a.passOn(ctx, group, number, receipt)
}

// giveUpChunk writes the receipt of a chunk that failed, unless it is done.
func (a *attempt) giveUpChunk(ctx context.Context, name string, failure *job.Failure) error {
	group, number, ok := task.ParseChunk(name)
	if !ok || group >= len(a.plan.Groups) || number >= len(a.plan.Groups[group].Chunks) {
		return nil
	}
	work := newChunkWork(a, group, number)
	work.failAll(failure)
	receipt, err := a.Ledger.CreateReceipt(ctx, a.plan.Job, name, &task.Receipt{Outputs: work.made})
	if err != nil {
		return err
	}
	return a.passOn(ctx, group, number, receipt)
}

// chunkWork is one attempt at one chunk.
type chunkWork struct {
	*attempt
	group, number int
	vault         Vault
	sounds        map[int]*soundtrack // by encoding

	mu         sync.Mutex
	made       map[int]task.Made // by place of the output
	thumbnails map[int][]task.Thumbnail
}

func newChunkWork(a *attempt, group, number int) *chunkWork {
	return &chunkWork{attempt: a, group: group, number: number, made: map[int]task.Made{}, thumbnails: map[int][]task.Thumbnail{}}
}

// set notes what was made of an output. Its failure stays: that of the media is
// also that of the thumbnails, and the other way round.
func (w *chunkWork) set(place int, m task.Made) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.made[place].Failure == nil {
		w.made[place] = m
	}
}

// failAll fails every output that is not made.
func (w *chunkWork) failAll(err error) {
	for _, place := range w.plan.Groups[w.group].Outputs {
		if _, ok := w.made[place]; !ok {
			w.set(place, task.Made{Failure: task.Failed(err)})
		}
	}
}

func (w *chunkWork) do(ctx context.Context) error {
	vault, err := w.Open(ctx, w.plan.Keys)
	if err != nil {
		return err
	}
	defer vault.Close()
	w.vault = vault
	if err := w.loadSounds(ctx); err != nil {
		return err
	}
	g := w.plan.Groups[w.group]
	var places []int
	for _, place := range g.Outputs {
		if _, failed := w.made[place]; !failed {
			places = append(places, place)
		}
	}
	if !g.Picture {
		for _, place := range places {
			if err := w.finish(ctx, place, w.sink(place)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(places) == 0 {
		return nil
	}
	return w.encodePictures(ctx, places)
}

// loadSounds reads the chunk's sound. Where it failed, so do its outputs.
func (w *chunkWork) loadSounds(ctx context.Context) error {
	needed := w.plan.SoundsOf(w.group)
	if len(needed) == 0 {
		return nil
	}
	s, err := w.Ledger.Sound(ctx, w.plan.Job, task.Piece(w.group, w.number))
	if err != nil {
		return err
	}
	if err := s.Failure.Err(); err != nil {
		for _, place := range w.plan.Groups[w.group].Outputs {
			if w.plan.Outputs[place].Sound >= 0 {
				w.set(place, task.Made{Failure: s.Failure})
			}
		}
		return nil
	}
	w.sounds = map[int]*soundtrack{}
	for _, sound := range needed {
		if w.sounds[sound], err = w.loadSound(ctx, s.Parts[sound], w.muxes(sound)); err != nil {
			return err
		}
	}
	return nil
}

// muxes says whether the chunk puts the sound into segments. That of single
// files stays where it is stored, however long it is, until they are assembled.
func (w *chunkWork) muxes(sound int) bool {
	for _, place := range w.plan.Groups[w.group].Outputs {
		if o := w.plan.Outputs[place]; o.Sound == sound && o.SegmentFrames > 0 {
			return true
		}
	}
	return false
}

// retreats are how many seconds before the planned place the input is looked
// for, one after the other, where a seek landed too late; the last is the
// beginning of any input.
var retreats = []int64{0, 15, 1 << 20}

// A chunk that joins inputs has no second try: there a seek that landed too late
// shows only when all frames are counted, and files may be stored by then whose
// pictures are in the wrong places, which the next try would take for its own.
// Package plan has it look far enough back at once.
const joinedTries = 1

// encodePictures encodes the chunk for the outputs at the places.
func (w *chunkWork) encodePictures(ctx context.Context, places []int) error {
	g := w.plan.Groups[w.group]
	planned, programme := g.Chunks[w.number], w.plan.Programmes[g.Programme]
	var takes []plan.Take
	for _, r := range planned.Reads {
		takes = append(takes, programme[r.Take])
	}
	in, done, err := w.openInputs(ctx, w.vault, takes)
	defer done()
	if err != nil {
		return err
	}
	pictures, err := w.pictures(ctx, places)
	defer closeAll(pictures)
	if err != nil {
		return err
	}
	tries := retreats
	if len(planned.Reads) > 1 {
		tries = retreats[:joinedTries]
	}
	for i, seconds := range tries {
		c := planned
		switch {
		case i > 0 && c.FromStart():
			return job.BadMedia(err)
		case seconds == retreats[len(retreats)-1]:
			c = c.Start()
		default:
			c = c.Earlier(programme, seconds)
		}
		if err = w.encodeFrom(ctx, in, pictures, places, c); !errors.Is(err, errFrames) {
			return w.mediaError(err)
		}
		w.Log.WarnContext(ctx, "looking for the chunk's frames from further back", "err", err, "seconds", seconds)
	}
	return job.BadMedia(err)
}

func (w *chunkWork) encodeFrom(ctx context.Context, in []source.Media, pictures []picture, places []int, c plan.Chunk) error {
	g := w.plan.Groups[w.group]
	thumbnailed := encode.Thumbnailed(w.plan, w.group, c, places)
	streams := make([]stream, 0, len(places)+len(thumbnailed))
	for _, place := range places {
		streams = append(streams, stream{name: fmt.Sprintf("picture-%d", place), take: func(ctx context.Context, body io.Reader) error {
			return w.take(ctx, place, body, g, c)
		}})
	}
	for _, place := range thumbnailed {
		streams = append(streams, stream{name: fmt.Sprintf("thumbnails-%d", place), take: func(ctx context.Context, body io.Reader) error {
			return w.takeThumbnails(ctx, place, body, g, c)
		}})
	}
	defer w.join(thumbnailed)
	return w.encode(ctx, in, pictures, streams, func(inputs, stills, outputs [][]string) []string {
		return encode.Pictures(w.plan, w.group, c, places, inputs, stills, outputs, w.Settings)
	})
}

// take reads one output's frames from ffmpeg. A failure of this output alone,
// such as a name that is taken, does not end the others.
func (w *chunkWork) take(ctx context.Context, place int, body io.Reader, g plan.Group, c plan.Chunk) error {
	picture := w.plan.Outputs[place].Picture
	if encode.StreamOf(picture) == encode.GIF {
		return w.takeWhole(ctx, place, body, c)
	}
	s := w.sink(place)
	err := readFrames(framesOf(picture, body), g, c, func(t *fragment.Track, f frame) error { return s.frame(ctx, t, f) })
	if err != nil {
		s.abandon()
		return w.alone(ctx, place, err)
	}
	return w.finish(ctx, place, s)
}

func (w *chunkWork) finish(ctx context.Context, place int, s sink) error {
	made, err := s.end(ctx)
	if err == nil && w.number == 0 {
		made.Artwork, err = w.artwork(ctx, place)
	}
	if err != nil {
		s.abandon()
		return w.alone(ctx, place, err)
	}
	w.set(place, made)
	return nil
}

// alone notes a failure that concerns one output only and hides it from the
// run; any other error is returned.
func (w *chunkWork) alone(ctx context.Context, place int, err error) error {
	var f *job.Failure
	if !errors.As(err, &f) {
		return err
	}
	w.Log.WarnContext(ctx, "an output failed", "output", w.plan.Outputs[place].ID, "err", err)
	w.set(place, task.Made{Failure: task.Failed(f)})
	return nil
}

func (w *chunkWork) sink(place int) sink {
	o := w.plan.Outputs[place]
	if o.SegmentFrames > 0 {
		return &segmenter{chunkWork: w, output: o, sound: w.sounds[o.Sound].reader()}
	}
	return &reel{chunkWork: w, place: place}
}

// mediaError tells an input that ffmpeg can't work with, which will not change,
// from a run that was ended from outside.
func (a *attempt) mediaError(err error) error {
	if unusable(err) || errors.Is(err, errFrames) {
		return job.BadMedia(err)
	}
	return err
}

// unusable says whether ffmpeg ended by itself because of what it read.
func unusable(err error) bool {
	var exit *ffmpeg.ExitError
	return errors.As(err, &exit) && exit.Signal == 0
}
