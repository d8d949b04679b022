package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// input is a file that is read, perhaps standard input.
type input struct {
	*os.File
	name    string // as messages have it
	start   int64  // where it is read from
	size    int64  // bytes from there on; unknown unless it is regular
	regular bool
}

// workpiece is a file of one's own and the keyring of the stack's pipeline, with
// which it is encrypted or decrypted. It must be closed.
type workpiece struct {
	*input
	ring *seal.Keyring
}

func openWorkpiece(ctx context.Context, t *terminal, name string) (*workpiece, error) {
	in, err := openInput(t, name)
	if err != nil {
		return nil, err
	}
	ring, err := keyring(ctx, t)
	if err != nil {
		in.close()
		return nil, err
	}
	return &workpiece{in, ring}, nil
}

func (w *workpiece) close() {
	w.ring.Close()
	w.input.close()
}

// reader is the file, shown on the line of progress while it is read, which ends
// with the context or with stop.
func (w *workpiece) reader(ctx context.Context, t *terminal) (r io.Reader, stop func()) {
	transfer := progress.NewTransfer(t.line(), filepath.Base(w.name), w.size)
	return transfer.Reader(interruptible{ctx, w}), transfer.End
}

// openInput opens a file, - for standard input, which closing leaves open.
func openInput(t *terminal, name string) (*input, error) {
	in := &input{File: t.stdin, name: "standard input"}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		in.File, in.name = f, name
	}
	if err := in.look(); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// look finds out what the file is.
func (in *input) look() error {
	info, err := in.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder: name a file", in.name)
	case !info.Mode().IsRegular():
		return nil
	}
	in.regular = true
	in.start, err = in.Seek(0, io.SeekCurrent)
	in.size = max(0, info.Size()-in.start)
	return err
}

func (in *input) close() {
	if in.File != os.Stdin {
		_ = in.Close() // of what was read nothing can be lost
	}
}

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}

// inOut are the files that two optional arguments name.
func inOut(positional []string) (in, out string) {
	in, out = "-", "-"
	if len(positional) > 0 {
		in = positional[0]
	}
	if len(positional) > 1 {
		out = positional[1]
	}
	return in, out
}

// sameFile says whether two names are those of one file.
func sameFile(a, b string) bool {
	if a == "-" || b == "-" {
		return false
	}
	ai, err := os.Stat(a)
	if err != nil {
		return a == b
	}
	bi, err := os.Stat(b)
	return err == nil && os.SameFile(ai, bi)
}

// checkCipher refuses a --mode that files of one's own can't be in.
func checkCipher(mode string) error {
	if mode == "" {
		return nil
	}
	if err := crypt.CheckMode(mode); err != nil {
		return usagef("--mode: %v", err)
	}
	return nil
}

// keyring unwraps and makes keys for the stack's pipeline. It must be closed.
func keyring(ctx context.Context, t *terminal) (*seal.Keyring, error) {
	s, err := site.Connect(ctx, t.getenv, site.PipelineID)
	if err != nil {
		return nil, err
	}
	p, err := s.Pipeline(ctx, s.Value(site.PipelineID))
	if err != nil {
		return nil, err
	}
	if _, _, err := site.Wrapping(p); err != nil {
		return nil, err
	}
	return s.Keyring(p), nil
}

// unwrapped is what a complete element comes to.
func unwrapped(ctx context.Context, ring *seal.Keyring, e job.Encryption) (*seal.Material, error) {
	if err := crypt.Check(e); err != nil {
		return nil, err
	}
	return ring.Unwrap(ctx, e)
}
