package work

import (
	"fmt"
	"io"

	"github.com/minio/sio"

	"sealreel/pkg/seal"
)

// ReaderAt reads parts of a sealed file. It is safe for concurrent use when the
// file's own io.ReaderAt is.
type ReaderAt struct {
	opened io.ReaderAt
	size   int64
}

// NewReaderAt returns a reader of the content of a sealed file of size bytes. It
// checks at once that the file is whole, by its header and its last package: a
// read later on looks only at the packages that it touches.
func NewReaderAt(ra io.ReaderAt, size int64, jobKey seal.Key, name string) (*ReaderAt, error) {
	plain, err := PlainSize(size)
	if err != nil {
		return nil, err
	}
	cfg, err := open(&faults{r: io.NewSectionReader(ra, 0, size)}, jobKey, name)
	if err != nil {
		return nil, err
	}
	defer clear(cfg.Key)
	if err := checkEnd(ra, size, cfg); err != nil {
		return nil, err
	}
	stream := io.NewSectionReader(ra, int64(headerSize), size-int64(headerSize))
	opened, err := sio.DecryptReaderAt(stream, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening a work file: %w", err)
	}
	r := &ReaderAt{opened: opened, size: plain}
	var first [lead]byte
	if _, err := opened.ReadAt(first[:], 0); err != nil && err != io.EOF {
		return nil, new(faults).explain(err)
	}
	if first[0] != version {
		return nil, ErrTampered
	}
	return r, nil
}

// checkEnd reads the last package, which says that it is the last one.
func checkEnd(ra io.ReaderAt, size int64, cfg sio.Config) error {
	stream := size - int64(headerSize)
	last := (stream - 1) / packageSize
	cfg.SequenceNumber = uint32(last)
	end := &faults{r: io.NewSectionReader(ra, int64(headerSize)+last*packageSize, stream-last*packageSize)}
	opened, err := sio.DecryptReader(end, cfg)
	if err != nil {
		return fmt.Errorf("opening a work file: %w", err)
	}
	if _, err := io.Copy(io.Discard, opened); err != nil {
		return end.explain(err)
	}
	return nil
}

// Size is the content's length in bytes.
func (r *ReaderAt) Size() int64 { return r.size }

// ReadAt reads as io.ReaderAt demands. Nothing that is not authentic is counted.
// Each call opens the packages that it touches anew, so read tens of kilobytes
// at a time.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("reading a work file at the negative offset %d", off)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if off >= r.size {
		return 0, io.EOF
	}
	whole := p[:min(int64(len(p)), r.size-off)]
	n, err := r.opened.ReadAt(whole, off+lead)
	switch {
	case n == len(p):
		return n, nil
	case n == len(whole):
		return n, io.EOF
	}
	return n, new(faults).explain(err)
}
