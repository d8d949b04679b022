package reconcile

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"sealreel/pkg/ledger"
)

// mostRemembered bounds what is remembered, so that the record of it can be read:
// eight bytes a drop, in base64. Drops beyond are asked about in each sweep for as
// long as they are younger than the horizon.
const mostRemembered = 1_200_000

// memory is a ledger.Seen that can be asked and added to. It is not safe for
// concurrent use.
type memory struct {
	record *ledger.Seen
	size   int
	added  map[string]map[uint64]bool // by day
	forgot bool                       // days that nobody asks about any more
}

// openMemory opens what was seen, without what is older than the horizon before
// the last complete sweep.
func openMemory(s *ledger.Seen, done time.Time) *memory {
	m := &memory{record: s, added: map[string]map[uint64]bool{}}
	first := day(done.Add(-horizon))
	for d, hashes := range s.Days {
		if !done.IsZero() && d < first {
			delete(s.Days, d)
			m.forgot = true
			continue
		}
		m.size += len(hashes) / 8
	}
	return m
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// short is the beginning of a drop's hash. That two drops of a day share it is so
// rare (one in ten million at a million a day) that the loss of the second one's
// event beside is not to be expected.
func short(d ledger.Drop) uint64 {
	b, err := hex.DecodeString(d.Hash()[:16])
	if err != nil {
		panic(err) // a hash is hexadecimal
	}
	return binary.BigEndian.Uint64(b)
}

func (m *memory) has(d Dropped) bool {
	on, hash := day(d.At), short(d.Drop)
	return m.added[on][hash] || holds(m.record.Days[on], hash)
}

// holds looks for a hash among sorted ones.
func holds(sorted []byte, hash uint64) bool {
	low, high := 0, len(sorted)/8
	for low < high {
		middle := (low + high) / 2
		switch at := binary.BigEndian.Uint64(sorted[middle*8:]); {
		case at == hash:
			return true
		case at < hash:
			low = middle + 1
		default:
			high = middle
		}
	}
	return false
}

func (m *memory) add(d Dropped) {
	if m.size >= mostRemembered {
		return
	}
	on := day(d.At)
	if m.added[on] == nil {
		m.added[on] = map[uint64]bool{}
	}
	m.added[on][short(d.Drop)] = true
	m.size++
}

// store is what is to be stored, nil when nothing has changed.
func (m *memory) store() *ledger.Seen {
	if len(m.added) == 0 && !m.forgot {
		return nil
	}
	if m.record.Days == nil {
		m.record.Days = map[string][]byte{}
	}
	for on, hashes := range m.added {
		all := make([]uint64, 0, len(hashes)+len(m.record.Days[on])/8)
		for old := m.record.Days[on]; len(old) >= 8; old = old[8:] {
			all = append(all, binary.BigEndian.Uint64(old))
		}
		for hash := range hashes {
			all = append(all, hash)
		}
		slices.Sort(all)
		sorted := make([]byte, 0, len(all)*8)
		for _, hash := range all {
			sorted = binary.BigEndian.AppendUint64(sorted, hash)
		}
		m.record.Days[on] = sorted
	}
	return m.record
}
