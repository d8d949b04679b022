package crypt

import (
	"context"
	"io"

	"sealreel/pkg/aesstream"
	"sealreel/pkg/seal"
)

// Verify reads a file of size bytes of ciphertext, in a mode that is Authentic, to
// its end and returns nil if all of it is genuine. It decrypts nothing.
func Verify(ctx context.Context, r io.Reader, size int64, m *seal.Material) error {
	return aesstream.VerifyGCM(ctx, r, size, params(m))
}
