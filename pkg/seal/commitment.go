package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"sealreel/pkg/shield"
)

// ErrCommitment says that an object does not carry the commitment of its mode,
// IV and name under the key that it is to be opened with.
var ErrCommitment = errors.New("the object was not sealed under this name, mode, IV and key")

// derive returns a key for one purpose. The data key has full entropy, so that
// HKDF needs no salt (RFC 5869, 3.1).
func derive(k Key, purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, k.Bytes(), nil, purpose, sha256.Size)
	if err != nil {
		panic("seal: " + err.Error()) // 32 bytes are always to be had
	}
	return derived
}

// macOf authenticates parts, each with its length before it, under a key that is
// derived from the data key for the purpose.
func macOf(k Key, purpose string, parts ...string) []byte {
	sum := make([]byte, 0, sha256.Size)
	shield.Do(func() {
		derived := derive(k, purpose)
		defer clear(derived)
		sum = mac(sum, derived, parts...)
	})
	return sum
}

func mac(sum, key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return h.Sum(sum)
}

// Commit binds an object that is sealed here to what it is sealed with: the
// base64 of an HMAC-SHA256 over mode, IV and the object's name under a key that
// is derived from the data key. It says nothing of the content, and lets a
// reader notice another algorithm, IV, key or object before it decrypts a byte.
func (m *Material) Commit(bucket, key string) string {
	return base64.StdEncoding.EncodeToString(macOf(m.Key, "sealreel commitment v1", m.Mode.Name, string(m.IV), bucket, key))
}

// Committed checks an object's commitment; ErrCommitment when it is not that of
// the material.
func (m *Material) Committed(commitment, bucket, key string) error {
	if !hmac.Equal([]byte(commitment), []byte(m.Commit(bucket, key))) {
		return ErrCommitment
	}
	return nil
}

// Pair names the key and the IV together without showing either, however the
// key is wrapped: 64 hexadecimal digits.
func (m *Material) Pair() string {
	return hex.EncodeToString(macOf(m.Key, "sealreel key and iv v1", string(m.IV)))
}
