package aesstream

import (
	"context"
	"io"
)

// VerifyGCM reads an encrypted file in GCM of size bytes once, from its start to
// its end, and returns nil if it is what was encrypted with this key and IV, every
// byte of it. It decrypts nothing. Only then may the file be read by ranges
// (NewReaderAt), and the bytes must be the same then: pin the version of an object.
//
// It returns ErrDecrypt if the file is not genuine or has another size, the
// cause of ctx when that ends, which it looks at once a chunk, and else errors as
// NewReader and Reader.
func VerifyGCM(ctx context.Context, r io.Reader, size int64, p Params) error {
	if p.Mode != GCM {
		return &ParamError{"Mode", "only " + string(GCM) + " can be verified, not " + string(p.Mode)}
	}
	block, err := p.block()
	if err != nil {
		return err
	}
	if _, _, err := PlainSize(GCM, size); err != nil {
		return ErrDecrypt
	}
	g, err := newGHASH(block, p.IV)
	if err != nil {
		return err
	}
	defer g.wipe()
	src := newChunks(r, chunkSize, tagSize)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b, last, err := src.next()
		switch {
		case err != nil:
			return err
		case last && g.n+int64(len(b)) != size:
			return ErrDecrypt
		case last:
			end := len(b) - tagSize
			g.hash(b[:end])
			return g.check(b[end:])
		case g.n+int64(len(b))+tagSize > size:
			return ErrDecrypt
		}
		g.hash(b)
	}
}
