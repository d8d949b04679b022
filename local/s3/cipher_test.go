package s3

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"io"
	"math/rand/v2"
	"testing"
)

func testSecret32(fill byte) secret { return newSecret(bytes.Repeat([]byte{fill}, secretSize)) }

// TestStreamFromAnyOffset compares the key stream from every offset near the edges of blocks with the whole one.
func TestStreamFromAnyOffset(t *testing.T) {
	s, salt := testSecret32(7), newSalt()
	whole := make([]byte, 1<<12)
	s.stream(salt, 0).XORKeyStream(whole, whole)
	for offset := range 100 {
		for _, at := range []int{offset, 1<<12 - 200 + offset} {
			got := make([]byte, 64)
			s.stream(salt, int64(at)).XORKeyStream(got, got)
			if !bytes.Equal(got, whole[at:at+64]) {
				t.Fatalf("offset %d differs", at)
			}
		}
	}
	// Independently of stream: AES-256-CTR from zero under the derived key.
	block, err := aes.NewCipher(s.derive(salt, "sealreel local s3: content"))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 1<<12)
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(want, want)
	if !bytes.Equal(whole, want) {
		t.Fatal("not AES-256-CTR from a zero counter")
	}
	// Far beyond 2^32 blocks the counter must not wrap.
	near, far := make([]byte, 16), make([]byte, 16)
	s.stream(salt, 0).XORKeyStream(near, near)
	s.stream(salt, 1<<36).XORKeyStream(far, far)
	if bytes.Equal(near, far) {
		t.Fatal("the counter wraps at 64 GiB")
	}
}

func TestStreamsDifferBySaltAndSecret(t *testing.T) {
	salt := newSalt()
	stream := func(s secret, salt []byte) string {
		out := make([]byte, 32)
		s.stream(salt, 0).XORKeyStream(out, out)
		return string(out)
	}
	seen := map[string]bool{}
	for _, s := range []secret{testSecret32(1), testSecret32(2)} {
		for _, salt := range [][]byte{salt, newSalt()} {
			seen[stream(s, salt)] = true
		}
	}
	if len(seen) != 4 {
		t.Fatalf("%d of 4 streams are different", len(seen))
	}
}

func TestProof(t *testing.T) {
	salt := newSalt()
	one, other := testSecret32(1), testSecret32(2)
	proof := one.proof(salt)
	if !one.proves(salt, proof) || other.proves(salt, proof) || one.proves(newSalt(), proof) || one.proves(salt, nil) {
		t.Fatal("a proof does not tell its secret and salt from others")
	}
	if bytes.Contains(proof, one.bytes()[:8]) {
		t.Fatal("a proof shows the secret")
	}
}

// TestBlobRanges reads ranges of content that lies in several blobs, empty ones included, against the plain slice.
func TestBlobRanges(t *testing.T) {
	store, err := openBlobs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	key, whole := testSecret32(3), []byte(nil)
	var parts []blob
	for _, size := range []int{0, 5, 16, 0, 17, 300_000, 1} {
		content := pattern(size)
		stored, err := store.write(bytes.NewReader(content), key)
		if err != nil {
			t.Fatal(err)
		}
		parts, whole = append(parts, stored), append(whole, content...)
	}
	check := func(offset, length int) {
		t.Helper()
		r := store.read(parts, key, int64(offset), int64(length), nil)
		defer r.Close()
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, whole[offset:offset+length]) {
			t.Fatalf("offset %d length %d: %d bytes, error %v", offset, length, len(got), err)
		}
		r = store.read(parts, key, int64(offset), int64(length), nil)
		defer r.Close()
		var copied bytes.Buffer
		if n, err := r.WriteTo(&copied); err != nil || n != int64(length) || !bytes.Equal(copied.Bytes(), got) {
			t.Fatalf("WriteTo at %d length %d: %d bytes, error %v", offset, length, n, err)
		}
	}
	for offset := range 45 {
		for length := range 45 {
			check(offset, length)
		}
	}
	check(0, len(whole))
	for range 200 {
		offset := rand.IntN(len(whole))
		check(offset, rand.IntN(len(whole)-offset+1))
	}
}

func TestBlobTruncatedOnTheDiskIsAnError(t *testing.T) {
	store, err := openBlobs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := store.write(bytes.NewReader(pattern(100)), testSecret32(1))
	if err != nil {
		t.Fatal(err)
	}
	stored.Size = 200
	r := store.read([]blob{stored}, testSecret32(1), 0, 200, nil)
	defer r.Close()
	if _, err := io.ReadAll(r); err == nil {
		t.Fatal("missing bytes went unnoticed")
	}
}

func BenchmarkEncrypt(b *testing.B) {
	content := make([]byte, 1<<20)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if _, err := encrypt(io.Discard, bytes.NewReader(content), testSecret32(1).stream(newSalt(), 0)); err != nil {
			b.Fatal(err)
		}
	}
}
