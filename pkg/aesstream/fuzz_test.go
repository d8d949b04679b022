package aesstream

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"io"
	"testing"
)

// stretch makes a file of n bytes, at most three chunks, of a few.
func stretch(seed []byte, n uint32) []byte {
	if len(seed) == 0 {
		seed = []byte{0}
	}
	size := int(n % (3 * chunkSize))
	return bytes.Repeat(seed, size/len(seed)+1)[:size]
}

// Whatever is written comes out as one-shot encryption and can be read again, by
// ranges too.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint8(0), []byte("key"), []byte("iv"), []byte("a file"), uint32(100), uint32(7))
	f.Add(uint8(2), []byte{}, []byte{0xff}, []byte{1, 2, 3}, uint32(chunkSize), uint32(chunkSize))
	f.Add(uint8(3), []byte{0}, []byte{}, []byte{}, uint32(2*chunkSize+1), uint32(chunkSize+16))
	f.Fuzz(func(t *testing.T, which uint8, key, iv, seed []byte, n, step uint32) {
		p := fuzzParams(which, key, iv)
		plain := stretch(seed, n)
		file := sealed(t, p, plain, max(100, int(step%(3*chunkSize))))
		if !bytes.Equal(file, oneShot(t, p, plain)) {
			t.Fatal("differs from one-shot")
		}
		r := newReaderAt(t, bytes.NewReader(file), len(file), p)
		off := int(step) % (len(plain) + 1)
		checkRange(t, r, plain, off, int(n/3)%(len(plain)+1)+1)
	})
}

func fuzzParams(which uint8, key, iv []byte) Params {
	f := formats[int(which)%len(formats)]
	p := f.params([]int{16, 24, 32}[int(which)/len(formats)%3])
	copy(p.Key.Bytes(), key)
	copy(p.IV, iv)
	return p
}

// Whatever is read is taken or refused as one-shot decryption does it, and the
// readers agree.
func FuzzOpen(f *testing.F) {
	for which := range formats {
		p := fuzzParams(uint8(which), nil, nil)
		file := oneShot(f, p, []byte("something to decrypt"))
		f.Add(uint8(which), []byte{}, []byte{}, file)
		f.Add(uint8(which), []byte{}, []byte{}, file[:len(file)-1])
		f.Add(uint8(which), []byte{1}, []byte{}, file)
	}
	f.Fuzz(func(t *testing.T, which uint8, key, iv, file []byte) {
		p := fuzzParams(which, key, iv)
		want, good := openOneShot(t, p, file)
		got, err := readAll(newReader(t, bytes.NewReader(file), p), 50)
		if good != (err == nil) || good && !bytes.Equal(got, want) || !good && (err != ErrDecrypt || len(got) > 0) {
			t.Fatalf("Reader: %d bytes, %v", len(got), err)
		}
		if p.Mode == GCM {
			if err := VerifyGCM(t.Context(), bytes.NewReader(file), int64(len(file)), p); (err == nil) != good {
				t.Fatalf("VerifyGCM: %v", err)
			}
		}
		r, err := NewReaderAt(bytes.NewReader(file), int64(len(file)), p)
		if good != (err == nil) && p.Mode != GCM {
			t.Fatalf("NewReaderAt: %v", err)
		}
		if good {
			all, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
			if err != nil || !bytes.Equal(all, want) {
				t.Fatalf("ReaderAt: %d bytes, %v", len(all), err)
			}
		}
	})
}

// openOneShot decrypts with nothing but the standard library.
func openOneShot(t *testing.T, p Params, file []byte) (plain []byte, good bool) {
	block, err := aes.NewCipher(p.Key.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	switch p.Mode {
	case CTR:
		return oneShot(t, p, file), true
	case GCM:
		plain, err := oneShotGCM(t, block, len(p.IV)).Open(nil, p.IV, file, nil)
		return plain, err == nil
	}
	if len(file) == 0 || len(file)%16 != 0 {
		return nil, false
	}
	plain = bytes.Clone(file)
	cipher.NewCBCDecrypter(block, p.IV).CryptBlocks(plain, plain)
	pad := int(plain[len(plain)-1])
	end := len(plain) - pad
	good = pad >= 1 && pad <= 16 && bytes.Equal(plain[end:], bytes.Repeat([]byte{byte(pad)}, pad))
	if !good {
		return nil, false
	}
	return plain[:end], true
}
