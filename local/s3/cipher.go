package s3

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	secretSize = 32
	saltSize   = 32
)

// secret is the key that content keys are derived from: the data directory's own, or a customer's. Its bytes do not show
// however it is formatted: of a function inside a structure fmt prints the address, and elsewhere it asks Format.
type secret struct{ bytes func() []byte }

// newSecret returns the secret with a copy of raw, which has secretSize bytes.
func newSecret(raw []byte) secret {
	kept := [secretSize]byte(raw)
	return secret{func() []byte { return kept[:] }}
}

// Format keeps the key out of every message, whatever the verb.
func (secret) Format(f fmt.State, _ rune) { io.WriteString(f, "[secret]") }

// newSalt returns fresh random bytes. Each blob has a salt of its own, so no two blobs share a key stream.
func newSalt() []byte {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return salt
}

// derive returns the 256-bit key for one salt and one purpose.
func (s secret) derive(salt []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, s.bytes(), salt, purpose, secretSize)
	if err != nil {
		panic("s3: HKDF refuses a 32-byte output: " + err.Error())
	}
	return key
}

// stream returns the AES-256-CTR key stream of the blob with that salt, from a byte offset on. The counter starts at
// zero for every blob: the key belongs to the blob alone.
func (s secret) stream(salt []byte, offset int64) cipher.Stream {
	block, err := aes.NewCipher(s.derive(salt, "sealreel local s3: content"))
	if err != nil {
		panic("s3: AES refuses a 32-byte key: " + err.Error())
	}
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(offset/aes.BlockSize))
	ctr := cipher.NewCTR(block, counter[:])
	var skipped [aes.BlockSize]byte
	inBlock := skipped[:offset%aes.BlockSize]
	ctr.XORKeyStream(inBlock, inBlock)
	return ctr
}

// proof returns what is stored to recognise the secret later without storing it.
func (s secret) proof(salt []byte) []byte {
	mac := hmac.New(sha256.New, s.derive(salt, "sealreel local s3: proof"))
	mac.Write(salt)
	return mac.Sum(nil)
}

// proves reports whether the stored proof was made from the same secret.
func (s secret) proves(salt, proof []byte) bool { return hmac.Equal(s.proof(salt), proof) }
