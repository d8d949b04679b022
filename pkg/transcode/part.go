package transcode

import (
	"bufio"
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

// partWriter stores samples as a part while they come.
type partWriter struct {
	attempt *attempt
	vault   Vault
	key     string
	index   *part.IndexWriter
	pipe    *io.PipeWriter
	buf     *bufio.Writer
	stored  chan stored
}

type stored struct {
	size int64
	err  error
}

// newPart begins a part. It must be ended or abandoned.
func (a *attempt) newPart(ctx context.Context, vault Vault, name string, track *fragment.Track) *partWriter {
	r, w := io.Pipe()
	p := &partWriter{
		attempt: a, vault: vault, key: a.newKey(name), index: part.NewIndexWriter(track),
		pipe: w, buf: bufio.NewWriterSize(w, 64<<10), stored: make(chan stored, 1),
	}
	go func() {
		size, err := vault.StoreWork(ctx, p.key+".data", r)
		r.CloseWithError(errOr(err, io.ErrClosedPipe))
		p.stored <- stored{size, err}
	}()
	return p
}

func (p *partWriter) add(s fragment.Sample) error {
	if err := p.index.Add(s); err != nil {
		return err
	}
	_, err := p.buf.Write(s.Data)
	return err
}

// end stores what is left, and then the index.
func (p *partWriter) end(ctx context.Context) (task.Part, error) {
	err := p.buf.Flush()
	p.pipe.CloseWithError(err)
	done := <-p.stored
	if err := errOr(done.err, err); err != nil {
		return task.Part{}, err
	}
	return p.attempt.storeIndex(ctx, p.vault, p.key, done.size, p.index)
}

// abandon breaks the part off, so that it is not stored.
func (p *partWriter) abandon() {
	p.pipe.CloseWithError(context.Canceled)
	<-p.stored
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
