package sqs

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sealreel/local/internal/atomicfile"
)

// record is one line of the journal: one member is set, and says what
// changed. Replaying the records in order gives the state.
type record struct {
	Queue     *queueRecord    `json:",omitempty"` // made, or its attributes set
	Drop      string          `json:",omitempty"` // name of a deleted queue
	Purge     *purgeRecord    `json:",omitempty"`
	Put       *message        `json:",omitempty"` // arrived
	Delivered *deliveryRecord `json:",omitempty"` // received, or its visibility changed
	Delete    *messageRef     `json:",omitempty"`
}

type queueRecord struct {
	Name              string
	Attributes        map[string]string `json:",omitempty"`
	Created, Modified time.Time
	Purged            time.Time
}

type purgeRecord struct {
	Queue string
	At    time.Time
}

type messageRef struct{ Queue, ID string }

type deliveryRecord struct {
	messageRef
	Delivery delivery
}

// journal is the file that the records are appended to. They reach the
// operating system before a request is answered, so the death of the process
// loses nothing; losing power may lose the last few seconds.
type journal struct {
	path   string
	file   *os.File
	size   int64 // bytes appended since it was compacted
	settle int64 // bytes it had then
}

// minGrowth is how far a journal may grow, in bytes, before it is compacted.
const minGrowth = 4 << 20

// openJournal replays the journal in dir into s, and compacts it.
func openJournal(dir string, s *Server) (*journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sqs: make the folder of the queues: %w", err)
	}
	j := &journal{path: filepath.Join(dir, "queues.jsonl")}
	file, err := os.Open(j.path)
	switch {
	case err == nil:
		err = replay(file, s)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("sqs: read %s: %w; repair the line or remove the file to start without queues", j.path, err)
		}
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("sqs: open the queues' journal: %w", err)
	}
	if err := j.compact(s); err != nil {
		return nil, fmt.Errorf("sqs: %w", err)
	}
	return j, nil
}

// replay applies every record of r. A last line without its end was being
// written when the process died, so nobody was told that it happened.
func replay(r io.Reader, s *Server) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var rec record
		if err := json.Unmarshal(line, &rec); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := s.apply(rec); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// append writes records at the end, in one piece.
func (j *journal) append(records ...record) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	for _, rec := range records {
		if err := enc.Encode(rec); err != nil {
			return fmt.Errorf("encode a record: %w", err)
		}
	}
	n, err := j.file.Write(buf.Bytes())
	j.size += int64(n)
	return err
}

// grown reports whether most of the journal is likely about the past.
func (j *journal) grown() bool { return j.size > max(minGrowth, j.settle) }

// compact replaces the journal by one that only holds the present state.
func (j *journal) compact(s *Server) error {
	err := atomicfile.Write(j.path, 0o600, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		for _, name := range slices.Sorted(maps.Keys(s.queues)) {
			q := s.queues[name]
			if err := enc.Encode(record{Queue: q.record()}); err != nil {
				return err
			}
			for _, m := range q.inOrder() {
				if err := enc.Encode(record{Put: m}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	if j.file != nil {
		j.file.Close() // of the file that is gone
	}
	j.file, j.size, j.settle = file, 0, info.Size()
	return nil
}

func (j *journal) close() error {
	if err := j.file.Sync(); err != nil {
		j.file.Close()
		return fmt.Errorf("sqs: sync %s: %w", j.path, err)
	}
	return j.file.Close()
}

func (q *queue) record() *queueRecord {
	return &queueRecord{Name: q.name, Attributes: q.attributes, Created: q.created, Modified: q.modified, Purged: q.purged}
}

// inOrder returns the messages as they arrived.
func (q *queue) inOrder() []*message {
	return slices.SortedFunc(maps.Values(q.messages), func(a, b *message) int { return cmp.Compare(a.order, b.order) })
}

// apply makes the change of a record that the journal held.
func (s *Server) apply(rec record) error {
	switch {
	case rec.Queue != nil:
		return s.applyQueue(*rec.Queue)
	case rec.Drop != "":
		delete(s.queues, rec.Drop)
	case rec.Purge != nil:
		q, err := s.find(rec.Purge.Queue)
		if err != nil {
			return err
		}
		q.purge(rec.Purge.At)
	case rec.Put != nil:
		q, err := s.find(rec.Put.Queue)
		if err != nil {
			return err
		}
		q.add(rec.Put)
	case rec.Delivered != nil:
		// A message that is gone expired meanwhile; the record says no more
		// than that it was there.
		if q, m := s.locate(rec.Delivered.messageRef); m != nil {
			q.redeliver(m, rec.Delivered.Delivery)
		}
	case rec.Delete != nil:
		if q, m := s.locate(*rec.Delete); m != nil {
			q.remove(m)
		}
	default:
		return errors.New("it says nothing that this version knows")
	}
	return nil
}

func (s *Server) locate(ref messageRef) (*queue, *message) {
	q := s.queues[ref.Queue]
	if q == nil {
		return nil, nil
	}
	return q, q.messages[ref.ID]
}

// applyQueue makes a queue, or gives one other attributes. Until then the
// former retention period held.
func (s *Server) applyQueue(rec queueRecord) error {
	set, err := parseSettings(rec.Attributes)
	if err != nil {
		return fmt.Errorf("queue %s: %w", rec.Name, err)
	}
	q := s.queues[rec.Name]
	if q == nil {
		q = newQueue(rec.Name, s.ARN(rec.Name))
		s.queues[rec.Name] = q
	}
	q.expire(rec.Modified)
	q.attributes, q.settings = rec.Attributes, set
	q.created, q.modified, q.purged = rec.Created, rec.Modified, rec.Purged
	q.expires = rec.Modified // look again, by the new period
	q.wake()
	return nil
}

// redeliver sets the delivery of a message that is still hidden, as every
// message is until surface looks at it.
func (q *queue) redeliver(m *message, d delivery) {
	if m.Delivery.InFlight != d.InFlight {
		change := 1
		if !d.InFlight {
			change = -1
		}
		q.count(m, change)
	}
	m.Delivery = d
	q.hide(m, d.Until)
}
