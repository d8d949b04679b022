package account

import (
	"strings"

	"sealreel/e2e/scale/cost"
)

// ingest is the event of a drop: the first probe reads the whole input, and where
// it has a tag another reading verifies it before.
func (s *simulation) ingest(t *title) {
	if t.dropped > s.now {
		s.after(t.dropped-s.now, func() { s.ingest(t) })
		return
	}
	s.async(ingest, func(end func()) { s.ingesting(t, 1, end) }, func() { s.lost++ })
}

func (s *simulation) ingesting(t *title, try int, end func()) {
	if t.planned || t.outcome != underWay {
		s.after(5*oneRequest, end)
		return
	}
	if t.recorded == 0 {
		t.recorded = s.now
	}
	seconds := s.ingestSeconds(t)
	if seconds > s.Rules.IngestTimeout {
		s.slow++
		s.after(s.Rules.IngestTimeout, func() {
			end()
			if try <= 2 { // MaximumRetryAttempts
				s.after(60*float64(try), func() {
					s.async(ingest, func(end func()) { s.ingesting(t, try+1, end) }, func() { s.lost++ })
				})
			}
		})
		return
	}
	s.after(seconds, func() {
		if !t.planned && t.outcome == underWay {
			t.planned = true
			s.queue.send(s.now, t, audio)
		}
		end()
	})
}

func (s *simulation) ingestSeconds(t *title) float64 {
	w := s.kind.Ingest.Of(t.seconds)
	passes := 1.0
	if strings.Contains(s.kind.Input, "gcm") {
		passes = 2
	}
	seconds := about(s.random, s.serial(w)+max(w.CPU/(ingestMB/processorMB), passes*t.bytes/network))
	return seconds + s.demands[t.batch].ingest.ask(s.now, seconds)
}

// serial is the time of the small requests that a step makes one after the
// other: those about state and keys. Media is read and written beside the work.
func (s *simulation) serial(w cost.Work) float64 {
	n := w.Requests["kms"] + w.Requests["sqs"]
	for kind, count := range w.Requests {
		if strings.HasSuffix(kind, " state") {
			n += count
		}
	}
	return n * oneRequest
}

// work does the task of a message in an environment that was given to it.
func (s *simulation) work(m *message) {
	seconds, done := s.task(m)
	timedOut := seconds > functionMax
	if timedOut {
		s.slow++
		seconds = functionMax
	}
	s.worked += seconds
	s.after(seconds, func() {
		s.lambda.give(s.now, transcode)
		s.mapping.busy--
		s.queue.settle(s.now, m)
		switch {
		case !timedOut:
			done()
		case m.receives >= attempts: // the function says so itself
			s.end(m.title, failed)
		default:
			s.queue.put(*m)
		}
		s.dispatch()
	})
}

// task is how long a message takes and what comes of it.
func (s *simulation) task(m *message) (seconds float64, done func()) {
	t := m.title
	switch {
	case t.outcome != underWay, m.chunk == audio && t.pieces == t.chunks, m.chunk != audio && t.done[m.chunk]:
		s.repeated++
		return 3 * oneRequest, func() {}
	case m.chunk == audio:
		return s.sound(t)
	case s.now-float64(t.piece[m.chunk]) > s.Rules.WorkExpiry:
		return 5 * oneRequest, func() {
			if t.outcome == underWay {
				s.gone++
			}
			s.end(t, failed)
		}
	}
	w := s.kind.Chunk.Fixed
	seconds = about(s.random, s.serial(w)+max(w.CPU/(transcodeMB/processorMB), t.bytes/float64(t.chunks)/network))
	seconds += s.demands[t.batch].chunk.ask(s.now, seconds)
	twice := t.busy[m.chunk] > 0
	t.busy[m.chunk]++
	return seconds, func() { s.made(t, m.chunk, twice, seconds) }
}

// sound encodes the sound of a title. Its encoder and the decoder before it are
// one thread each, so that the larger memory gains it nothing. The piece of a
// chunk is there, and the chunk's message sent, when the encoder is past it.
func (s *simulation) sound(t *title) (seconds float64, done func()) {
	w := s.kind.Audio.Of(t.seconds)
	media := about(s.random, max(w.CPU, t.bytes/network, s.serial(w)))
	media += s.demands[t.batch].audio.ask(s.now, media)
	stored := t.pieces
	for c := stored; c < t.chunks; c++ {
		at := media * float64(c+1) / float64(t.chunks)
		if at > functionMax {
			break
		}
		s.after(at, func() { s.stored(t, c) })
	}
	return media + 10*oneRequest, func() {}
}

func (s *simulation) stored(t *title, chunk int) {
	if t.piece[chunk] > 0 || t.outcome != underWay {
		return
	}
	t.piece[chunk] = float32(s.now)
	t.pieces++
	if w := s.window(); w == 0 || chunk < w || t.done[chunk-w] {
		s.queue.send(s.now, t, chunk)
		s.dispatch()
	}
}

// window is how many chunks of a title wait in the queue at once, 0 for all.
func (s *simulation) window() int {
	if s.Rules.Window {
		return s.Rules.MaximumConcurrency
	}
	return 0
}

// made notes the receipt of a chunk, and has the outputs assembled behind the
// last one.
func (s *simulation) made(t *title, chunk int, twice bool, seconds float64) {
	t.busy[chunk]--
	if twice || t.done[chunk] {
		s.wasted += seconds
	}
	if t.done[chunk] || t.outcome != underWay {
		return
	}
	t.done[chunk] = true
	if w := s.window(); w > 0 && chunk+w < t.chunks && t.piece[chunk+w] > 0 && !t.done[chunk+w] {
		s.queue.send(s.now, t, chunk+w)
	}
	if t.count++; t.count < t.chunks {
		return
	}
	for range s.kind.Count {
		s.assemble(t)
	}
}

func (s *simulation) assemble(t *title) {
	s.async(assemble, func(end func()) {
		w := s.kind.Assemble.Of(t.seconds)
		seconds := about(s.random, s.serial(w)+w.CPU/(assembleMB/processorMB))
		seconds += s.demands[t.batch].assemble.ask(s.now, seconds)
		if seconds > functionMax {
			s.slow++
		}
		s.after(seconds, func() {
			if t.assembled++; t.assembled == s.kind.Count {
				s.end(t, complete)
			}
			end()
		})
	}, func() { s.lost++ })
}
