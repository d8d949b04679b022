package source

import "io"

// Media is plaintext that can be read where it is needed: a Reader, or what one
// decrypts. Size is in bytes.
type Media interface {
	io.ReaderAt
	Size() int64
	Close() error
}

var _ Media = (*Reader)(nil)
