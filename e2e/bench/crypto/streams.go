package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"

	"sealreel/pkg/aesstream"
)

// stream is one way through a file, which it leaves as it is.
type stream struct {
	does     string
	encrypts bool
	run      func(context.Context, *file) error
}

func streams(p aesstream.Params) []stream {
	all := []stream{
		{"write", true, func(_ context.Context, f *file) error { return write(p, f) }},
		{"read", false, func(_ context.Context, f *file) error { return read(p, f) }},
		{"ranges", false, func(_ context.Context, f *file) error { return ranges(p, f) }},
	}
	if p.Mode == aesstream.GCM { // the first pass of ingest
		all = append(all, stream{"verify", false, func(ctx context.Context, f *file) error {
			return aesstream.VerifyGCM(ctx, bytes.NewReader(f.sealed), int64(len(f.sealed)), p)
		}})
	}
	return all
}

func write(p aesstream.Params, f *file) error {
	w, err := aesstream.NewWriter(io.Discard, p)
	if err != nil {
		return err
	}
	if _, err := w.Write(f.plain); err != nil {
		return err
	}
	return w.Close()
}

func read(p aesstream.Params, f *file) error {
	r, err := aesstream.NewReader(bytes.NewReader(f.sealed), p)
	if err != nil {
		return err
	}
	for {
		if _, err := r.Read(f.space[:piece]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// rangeSize is what the functions read at a time.
const rangeSize = 2 << 20

func ranges(p aesstream.Params, f *file) error {
	r, err := aesstream.NewReaderAt(bytes.NewReader(f.sealed), int64(len(f.sealed)), p)
	if err != nil {
		return err
	}
	for _, n := range rand.Perm(int((r.Size() + rangeSize - 1) / rangeSize)) {
		off := int64(n) * rangeSize
		if _, err := r.ReadAt(f.space[:min(rangeSize, r.Size()-off)], off); err != nil {
			return err
		}
	}
	return nil
}
