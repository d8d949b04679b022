package transcode

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
	"sealreel/pkg/task"
)

// maxIndex bounds the index of a part that is read, in bytes.
const maxIndex = 64 << 20

// newKey is the name of a work file that no other attempt uses: which of them
// counts is said by the receipt that names it.
func (a *attempt) newKey(name string) string {
	return fmt.Sprintf("%s/%s-%s", a.plan.Job, name, rand.Text())
}

// storePart stores samples that are in memory as a part.
func (a *attempt) storePart(ctx context.Context, vault Vault, name string, track *fragment.Track, samples []fragment.Sample) (task.Part, error) {
	index := part.NewIndexWriter(track)
	data := make([]io.Reader, len(samples))
	for i, s := range samples {
		if err := index.Add(s); err != nil {
			return task.Part{}, err
		}
		data[i] = bytes.NewReader(s.Data)
	}
	key := a.newKey(name)
	size, err := vault.StoreWork(ctx, key+".data", io.MultiReader(data...))
	if err != nil {
		return task.Part{}, err
	}
	return a.storeIndex(ctx, vault, key, size, index)
}

// storeIndex stores the index of a part whose data is stored.
func (a *attempt) storeIndex(ctx context.Context, vault Vault, key string, dataSize int64, index *part.IndexWriter) (task.Part, error) {
	size, err := vault.StoreWork(ctx, key+".index", bytes.NewReader(index.Bytes()))
	if err != nil {
		return task.Part{}, err
	}
	return task.Part{
		Data:  task.WorkFile{Key: key + ".data", Size: dataSize},
		Index: task.WorkFile{Key: key + ".index", Size: size},
	}, nil
}

// loadPart reads a part into memory.
func loadPart(ctx context.Context, vault Vault, p task.Part) (*fragment.Track, []fragment.Sample, error) {
	index, err := LoadIndex(ctx, vault, p.Index)
	if err != nil {
		return nil, nil, err
	}
	data, err := vault.Work(ctx, p.Data.Key, p.Data.Size)
	if err != nil {
		return nil, nil, err
	}
	defer data.Close()
	samples := make([]fragment.Sample, 0, index.Samples)
	for s := range index.All() {
		sample := fragment.Sample{DTS: s.DTS, PTS: s.PTS, Duration: s.Duration, Key: s.Key, Data: make([]byte, s.Size)}
		if _, err := io.ReadFull(data, sample.Data); err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", p.Data.Key, err)
		}
		samples = append(samples, sample)
	}
	return index.Track, samples, nil
}

// WorkReader opens work files.
type WorkReader interface {
	Work(ctx context.Context, key string, size int64) (io.ReadCloser, error)
}

// LoadIndex reads the index of a part.
func LoadIndex(ctx context.Context, vault WorkReader, f task.WorkFile) (*part.Index, error) {
	r, err := vault.Work(ctx, f.Key, f.Size)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxIndex))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Key, err)
	}
	index, err := part.ParseIndex(b)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Key, err)
	}
	return index, nil
}
