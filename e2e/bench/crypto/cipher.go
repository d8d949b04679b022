package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"

	"sealreel/pkg/aesstream"
)

// piece is what a one-shot call in cache takes at a time: a stream's chunk.
const piece = 256 << 10

// cipherOf is a mode with a size of key in bits.
type cipherOf struct {
	mode aesstream.Mode
	bits int
}

func (c cipherOf) String() string { return fmt.Sprintf("%s %d", c.mode, c.bits) }

// openssl is the name that openssl has for it.
func (c cipherOf) openssl() string {
	names := map[aesstream.Mode]string{aesstream.CBC: "cbc", aesstream.CTR: "ctr", aesstream.GCM: "gcm"}
	return fmt.Sprintf("aes-%d-%s", c.bits, names[c.mode])
}

// ciphers are all that are measured.
func ciphers() []cipherOf {
	var all []cipherOf
	for _, mode := range []aesstream.Mode{aesstream.CTR, aesstream.GCM, aesstream.CBC} {
		all = append(all, cipherOf{mode, 128}, cipherOf{mode, 256})
	}
	return all
}

type key []byte

// Bytes makes it a key of aesstream.
func (k key) Bytes() []byte { return k }

func (c cipherOf) params() aesstream.Params {
	raw, iv := make([]byte, c.bits/8), make([]byte, aes.BlockSize)
	rand.Read(raw)
	rand.Read(iv)
	return aesstream.Params{Mode: c.mode, Key: key(raw), IV: iv}
}

// file is a file in memory, which is encrypted and decrypted in place. In CBC
// its padding is a whole block.
type file struct {
	plain, sealed []byte // the same memory
	space         []byte // where streams decrypt to
}

func newFile(mode aesstream.Mode, size int) *file {
	extra := map[aesstream.Mode]int{aesstream.CBC: aes.BlockSize, aesstream.GCM: aes.BlockSize}[mode]
	b := make([]byte, size+extra)
	if mode == aesstream.CBC {
		copy(b[size:], bytes.Repeat([]byte{aes.BlockSize}, aes.BlockSize))
	}
	return &file{b[:size], b, make([]byte, rangeSize)}
}

// oneShot are calls of the standard library, in place.
type oneShot struct {
	seal, open func(f *file) error
}

func (c cipherOf) standard(p aesstream.Params) (oneShot, error) {
	block, err := aes.NewCipher(p.Key.Bytes())
	if err != nil {
		return oneShot{}, err
	}
	switch c.mode {
	case aesstream.CTR:
		xor := func(f *file) error { cipher.NewCTR(block, p.IV).XORKeyStream(f.plain, f.plain); return nil }
		return oneShot{xor, xor}, nil
	case aesstream.CBC:
		return oneShot{
			func(f *file) error { cipher.NewCBCEncrypter(block, p.IV).CryptBlocks(f.sealed, f.sealed); return nil },
			func(f *file) error { cipher.NewCBCDecrypter(block, p.IV).CryptBlocks(f.sealed, f.sealed); return nil },
		}, nil
	}
	aead, err := cipher.NewGCMWithNonceSize(block, len(p.IV))
	if err != nil {
		return oneShot{}, err
	}
	return oneShot{
		func(f *file) error { aead.Seal(f.plain[:0], p.IV, f.plain, nil); return nil },
		func(f *file) error { _, err := aead.Open(f.plain[:0], p.IV, f.sealed, nil); return err },
	}, nil
}
