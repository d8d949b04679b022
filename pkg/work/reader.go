package work

import (
	"errors"
	"fmt"
	"io"

	"github.com/minio/sio"

	"sealreel/pkg/seal"
)

// NewReader returns a reader of the content of a sealed file. It reads the
// header at once. io.EOF means that the whole file was there and authentic; an
// error of r comes back as it is.
func NewReader(r io.Reader, jobKey seal.Key, name string) (io.Reader, error) {
	in := &faults{r: r}
	cfg, err := open(in, jobKey, name)
	if err != nil {
		return nil, err
	}
	defer clear(cfg.Key)
	opened, err := sio.DecryptReader(in, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening a work file: %w", err)
	}
	out := &reader{opened: opened, in: in}
	var first [lead]byte
	if _, err := io.ReadFull(out, first[:]); err != nil {
		return nil, in.explain(err)
	}
	if first[0] != version {
		return nil, ErrTampered
	}
	return out, nil
}

// open reads the header and derives the file's key.
func open(in *faults, jobKey seal.Key, name string) (sio.Config, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return sio.Config{}, in.explain(err)
	}
	if string(header[:len(magic)]) != magic {
		return sio.Config{}, fmt.Errorf("%w: it does not begin like a work file", ErrTampered)
	}
	return config(jobKey, header[len(magic):], name)
}

// faults remembers the error of the storage, which is not the file's fault.
type faults struct {
	r   io.Reader
	err error
}

func (f *faults) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// explain is the storage's error, if it had one, else what err says about the
// file.
func (f *faults) explain(err error) error {
	var wrong sio.Error
	switch {
	case f.err != nil:
		return f.err
	case errors.Is(err, ErrTampered):
		return err
	case errors.As(err, &wrong):
		return fmt.Errorf("%w: %v", ErrTampered, err)
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return fmt.Errorf("%w: it ends too soon", ErrTampered)
	}
	return err
}

// reader is sio's with sticky errors, told apart.
type reader struct {
	opened io.Reader
	in     *faults
	err    error
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	n, err := r.opened.Read(p)
	if err != nil && (err != io.EOF || r.in.err != nil) {
		err = r.in.explain(err)
	}
	r.err = err
	return n, err
}
