// Package work seals the files that a job's functions pass to each other: DARE
// 2.0 (AES-256-GCM in packages of 64 KiB, by minio/sio) under a key of the
// file's own, which is derived from the job's data key, a random salt and the
// file's name.
//
// It guarantees that
//   - a file that was changed, cut short, extended or put in the place of another
//     one gives an error and none of the bytes that are not authentic;
//   - a file that was sealed twice has two keys, so that no (key, nonce) pair is
//     used twice however often a job's function is started again;
//   - any part of a file can be read without the rest (NewReaderAt), and memory
//     does not grow with it.
//
// The format is: the 8 bytes of magic, a salt of 32 bytes, and the DARE stream.
// Its plaintext is one byte, the format's version, and the content. That byte
// makes the stream of an empty file one that can't be mistaken for a file which
// was cut to its header.
package work

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/minio/sio"

	"sealreel/pkg/seal"
)

const (
	magic      = "srwork\x00\x01"
	saltSize   = 32
	headerSize = len(magic) + saltSize
	keySize    = 32
	version    = 1
	// lead is the length of what stands in front of the content in the stream.
	lead = 1

	// Sizes of a DARE 2.0 package.
	payloadSize = 64 << 10
	overhead    = 32
	packageSize = payloadSize + overhead
)

// ErrTampered is the one error of a file that is not what was sealed under that
// name and key: wrong key, wrong name, changed, cut or extended.
var ErrTampered = errors.New("the work file is not what was sealed under this name")

// SealedSize is how long a file of n bytes becomes.
func SealedSize(n int64) int64 {
	plain := n + lead
	return int64(headerSize) + plain + overhead*((plain+payloadSize-1)/payloadSize)
}

// PlainSize is how many bytes a sealed file of n bytes holds; ErrTampered when
// no file is that long.
func PlainSize(n int64) (int64, error) {
	sealed := n - int64(headerSize)
	if sealed < 0 {
		return 0, fmt.Errorf("%w: it has %d bytes", ErrTampered, n)
	}
	plain, err := sio.DecryptedSize(uint64(sealed))
	if err != nil || plain < lead {
		return 0, fmt.Errorf("%w: it has %d bytes", ErrTampered, n)
	}
	return int64(plain) - lead, nil
}

// config derives the file's own key. The name is part of it, so a file opens
// under its own name only.
func config(jobKey seal.Key, salt []byte, name string) (sio.Config, error) {
	if jobKey.Bits() != 8*keySize {
		return sio.Config{}, fmt.Errorf("work files take a key of %d bits, not of %d", 8*keySize, jobKey.Bits())
	}
	key, err := hkdf.Key(sha256.New, jobKey.Bytes(), salt, "sealreel work file 1\x00"+name, keySize)
	if err != nil {
		return sio.Config{}, fmt.Errorf("deriving the key of a work file: %w", err)
	}
	return sio.Config{
		MinVersion: sio.Version20, MaxVersion: sio.Version20,
		CipherSuites: []byte{sio.AES_256_GCM},
		Key:          key,
	}, nil
}

// NewWriter returns a writer that seals what is written to it. name is the
// file's whole name, bucket and key, and jobKey the job's 256-bit data key,
// which is not kept. The file is complete only when Close has succeeded; w is
// not closed.
func NewWriter(w io.Writer, jobKey seal.Key, name string) (io.WriteCloser, error) {
	header := make([]byte, headerSize)
	copy(header, magic)
	rand.Read(header[len(magic):])
	cfg, err := config(jobKey, header[len(magic):], name)
	if err != nil {
		return nil, err
	}
	defer clear(cfg.Key)
	sealing, err := sio.EncryptWriter(onlyWriter{w}, cfg)
	if err != nil {
		return nil, fmt.Errorf("sealing a work file: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return nil, err
	}
	if _, err := sealing.Write([]byte{version}); err != nil {
		return nil, err
	}
	return &writer{sealing: sealing}, nil
}

// onlyWriter hides that w can be closed, which sio would do.
type onlyWriter struct{ io.Writer }

// writer is sio's with sticky errors, and without its panic.
type writer struct {
	sealing io.WriteCloser
	err     error
}

var errClosed = errors.New("the work file is closed")

func (w *writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.sealing.Write(p)
	w.err = err
	return n, err
}

func (w *writer) Close() error {
	if w.err != nil {
		if w.err == errClosed {
			return nil
		}
		return w.err
	}
	if w.err = w.sealing.Close(); w.err != nil {
		return w.err
	}
	w.err = errClosed
	return nil
}
