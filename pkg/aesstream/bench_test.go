package aesstream

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"io"
	"testing"
)

const benchSize = 64 << 20

// Each stream beside the standard library's one-shot call for a file of 64 MiB,
// into a buffer that is there. Run it with -cpu 1 for the cost of a core.
func BenchmarkStreams(b *testing.B) {
	plain, out := make([]byte, benchSize), make([]byte, benchSize+16)
	for _, f := range []format{{CTR, 16}, {GCM, 12}, {GCM, 16}, {CBC, 16}} {
		for _, key := range []int{16, 32} {
			p := f.params(key)
			file := oneShot(b, p, plain)
			name := func(what string) string {
				return f.String() + "-key" + map[int]string{16: "128", 32: "256"}[key] + "/" + what
			}
			measure := func(what string, do func() error) {
				b.Run(name(what), func(b *testing.B) {
					b.SetBytes(benchSize)
					b.ReportAllocs()
					for b.Loop() {
						if err := do(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			seal, open := standard(b, p, plain, file, out)
			measure("encrypt-standard", seal)
			measure("encrypt-standard-cached", cached(b, p, out))
			measure("encrypt-Writer", func() error { return benchWrite(p, plain) })
			measure("decrypt-standard", open)
			measure("decrypt-Reader", func() error { return benchRead(p, file, out) })
			measure("decrypt-ReaderAt", func() error { return benchReadAt(p, file, out) })
			if f.mode == GCM {
				measure("verify", func() error {
					return VerifyGCM(context.Background(), bytes.NewReader(file), int64(len(file)), p)
				})
			}
		}
	}
}

func benchWrite(p Params, plain []byte) error {
	w, err := NewWriter(io.Discard, p)
	if err != nil {
		return err
	}
	if _, err := w.Write(plain); err != nil {
		return err
	}
	return w.Close()
}

func benchRead(p Params, file, out []byte) error {
	r, err := NewReader(bytes.NewReader(file), p)
	if err != nil {
		return err
	}
	for {
		if _, err := r.Read(out[:chunkSize]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func benchReadAt(p Params, file, out []byte) error {
	r, err := NewReaderAt(bytes.NewReader(file), int64(len(file)), p)
	if err != nil {
		return err
	}
	for off := int64(0); off < r.Size(); off += 8 << 20 {
		if _, err := r.ReadAt(out[:min(8<<20, r.Size()-off)], off); err != nil {
			return err
		}
	}
	return nil
}

// cached encrypts as many bytes in one-shot calls of a chunk, which lies in the
// processor's cache as a Writer's does.
func cached(b *testing.B, p Params, out []byte) func() error {
	seal, _ := standard(b, p, make([]byte, chunkSize), nil, out[:chunkSize+16])
	return func() error {
		for range benchSize / chunkSize {
			if err := seal(); err != nil {
				return err
			}
		}
		return nil
	}
}

// standard returns the one-shot calls.
func standard(b *testing.B, p Params, plain, file, out []byte) (seal, open func() error) {
	block, err := aes.NewCipher(p.Key.Bytes())
	if err != nil {
		b.Fatal(err)
	}
	switch p.Mode {
	case CTR:
		ctr := func() error { cipher.NewCTR(block, p.IV).XORKeyStream(out, plain); return nil }
		return ctr, ctr
	case CBC:
		return func() error { cipher.NewCBCEncrypter(block, p.IV).CryptBlocks(out, plain); return nil },
			func() error { cipher.NewCBCDecrypter(block, p.IV).CryptBlocks(out, file[:len(plain)]); return nil }
	}
	aead := oneShotGCM(b, block, len(p.IV))
	return func() error { aead.Seal(out[:0], p.IV, plain, nil); return nil },
		func() error { _, err := aead.Open(out[:0], p.IV, file, nil); return err }
}
