package transcode

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/plan"
)

// bucket is a work bucket that keeps indexes, and of the rest the sizes.
type bucket struct {
	Vault
	refuse error

	mu      sync.Mutex
	indexes [][]byte
	bytes   int64
}

func (b *bucket) StoreWork(_ context.Context, key string, r io.Reader) (int64, error) {
	if b.refuse != nil {
		return 0, b.refuse
	}
	var index bytes.Buffer
	to := io.Discard
	if len(key) > 6 && key[len(key)-6:] == ".index" {
		to = &index
	}
	n, err := io.Copy(to, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil && index.Len() > 0 {
		b.indexes = append(b.indexes, index.Bytes())
	} else if err == nil {
		b.bytes += n
	}
	return n, err
}

func soundTrack(t *testing.T) *fragment.Track {
	t.Helper()
	track, _ := fragmenttest.Samples(t, fragmenttest.Sound(t, "pcm_s16le", "anullsrc=r=48000:cl=stereo:d=0.1"))
	return track
}

// TestPartsTakeLittleMemory: an hour and a half of PCM passes without being held
// (invariant 9).
func TestPartsTakeLittleMemory(t *testing.T) {
	track, b, data := soundTrack(t), &bucket{}, make([]byte, 64<<10)
	a := &attempt{plan: &plan.Plan{Job: id}}
	w := a.newPart(t.Context(), b, "sound", track)
	const samples = 20000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var most uint64
	for i := range int64(samples) {
		if err := w.add(fragment.Sample{DTS: i * 16384, PTS: i * 16384, Duration: 16384, Key: true, Data: data}); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc))
		}
	}
	stored, err := w.end(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b.bytes != samples*int64(len(data)) || stored.Data.Size != b.bytes {
		t.Errorf("%d bytes are stored", b.bytes)
	}
	if most > 8<<20 {
		t.Errorf("%d bytes are held of %d", most, b.bytes)
	}
	index, err := part.ParseIndex(b.indexes[0])
	if err != nil || index.Samples != samples || index.Bytes != b.bytes {
		t.Errorf("%+v, %v", index, err)
	}
}

// TestPartsThatAreNotStored: what fails is told, and what is abandoned ends
// without an object.
func TestPartsThatAreNotStored(t *testing.T) {
	track, refused := soundTrack(t), errors.New("no room")
	a := &attempt{plan: &plan.Plan{Job: id}}
	sample := fragment.Sample{Duration: 1024, Data: make([]byte, 4096)}

	w := a.newPart(t.Context(), &bucket{refuse: refused}, "sound", track)
	if err := w.add(sample); err != nil {
		t.Fatal(err)
	}
	if _, err := w.end(t.Context()); !errors.Is(err, refused) {
		t.Errorf("a bucket that refuses: %v", err)
	}

	b := &bucket{}
	w = a.newPart(t.Context(), b, "sound", track)
	if err := w.add(sample); err != nil {
		t.Fatal(err)
	}
	if err := w.add(sample); !errors.Is(err, part.ErrIndex) {
		t.Errorf("a sample twice: %v", err)
	}
	w.abandon()
	if b.bytes != 0 || len(b.indexes) != 0 {
		t.Error("an abandoned part is stored")
	}
}
