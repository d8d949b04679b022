package ts

import "sealreel/pkg/fragment"

// ahead is by how much sound is written before the frames that it goes with. It
// is more than audioSpan, since sound waits for its packet to fill, and less
// than the clock's lead.
const ahead = audioSpan + Clock/20

// Interleaver puts the frames of a segment's two streams in order. It keeps
// only frames of sound, by reference, until the picture comes near: give it the
// sound of the segment first, then the picture as it comes. A segment with
// sound alone is written at Close.
type Interleaver struct {
	w     *Writer
	queue []queued
}

type queued struct {
	frame []byte
	pts   int64
}

// NewInterleaver returns an Interleaver to w, which it closes at the end.
func NewInterleaver(w *Writer) *Interleaver { return &Interleaver{w: w} }

// Audio queues an AAC frame. The frame must not change until Close.
func (i *Interleaver) Audio(frame []byte, pts int64) {
	i.queue = append(i.queue, queued{frame, pts})
}

// Video writes the sound that is due and then the frame.
func (i *Interleaver) Video(s fragment.Sample, pts, dts int64) error {
	n := 0
	for n < len(i.queue) && i.queue[n].pts <= dts+ahead {
		if err := i.w.WriteAudio(i.queue[n].frame, i.queue[n].pts); err != nil {
			return err
		}
		n++
	}
	i.queue = i.queue[n:]
	return i.w.WriteVideo(s, pts, dts)
}

// Close writes the sound that is left and closes the Writer.
func (i *Interleaver) Close() error {
	for _, q := range i.queue {
		if err := i.w.WriteAudio(q.frame, q.pts); err != nil {
			return err
		}
	}
	i.queue = nil
	return i.w.Close()
}
