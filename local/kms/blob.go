package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// A ciphertext blob is
//
//	version      1 byte, 1
//	key id      16 bytes, the UUID
//	check        8 bytes of SHA-256 over the 17 before, so that damage is
//	             told from a key that is not ours
//	nonce       12 bytes, random
//	ciphertext  as long as the plaintext
//	tag         16 bytes
//
// with AES-256-GCM, whose additional data is the encryption context. The
// header needs no more than its check: another key id is another key.
const (
	blobVersion = 1
	headerSize  = 1 + 16
	checkSize   = 8
	nonceSize   = 12
	tagSize     = 16
	blobMin     = headerSize + checkSize + nonceSize + tagSize
)

// seal encrypts a plaintext under a key and a context.
func (k *key) seal(plaintext []byte, context map[string]string) []byte {
	header := k.header()
	blob := make([]byte, 0, blobMin+len(plaintext))
	blob = append(blob, header...)
	blob = append(blob, headerCheck(header)...)
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	blob = append(blob, nonce...)
	return k.aead().Seal(blob, nonce, plaintext, additional(context))
}

// open is the reverse of seal. Any blob that seal did not make with this
// key and context gives an InvalidCiphertextException.
func (k *key) open(blob []byte, context map[string]string) ([]byte, error) {
	sealed := blob[headerSize+checkSize:]
	plaintext, err := k.aead().Open(nil, sealed[:nonceSize], sealed[nonceSize:], additional(context))
	if err != nil {
		return nil, invalidCiphertext()
	}
	return plaintext, nil
}

// keyOfBlob returns the id of the key that a blob says it was sealed with,
// after checking all that needs no key.
func keyOfBlob(blob []byte) (id string, err error) {
	if len(blob) < blobMin || blob[0] != blobVersion {
		return "", invalidCiphertext()
	}
	header, check := blob[:headerSize], blob[headerSize:headerSize+checkSize]
	if string(check) != string(headerCheck(header)) {
		return "", invalidCiphertext()
	}
	text := hex.EncodeToString(header[1:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-"), nil
}

func (k *key) header() []byte {
	id, err := hex.DecodeString(strings.ReplaceAll(k.ID, "-", ""))
	if err != nil || len(id) != 16 {
		panic("kms: key id " + k.ID + " is no UUID") // we made it
	}
	return append([]byte{blobVersion}, id...)
}

func headerCheck(header []byte) []byte {
	sum := sha256.Sum256(header)
	return sum[:checkSize]
}

func (k *key) aead() cipher.AEAD {
	block, err := aes.NewCipher(k.Material)
	if err != nil {
		panic("kms: material of key " + k.ID + " is not 32 bytes") // load checks it
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("kms: no GCM: " + err.Error())
	}
	return aead
}

// additional is the context in its one canonical form: the pairs by name in
// order, each text with its length before it, so that no two contexts look
// alike. No context and an empty one are the same.
func additional(context map[string]string) []byte {
	var data []byte
	for _, name := range slices.Sorted(maps.Keys(context)) {
		for _, text := range []string{name, context[name]} {
			data = binary.BigEndian.AppendUint32(data, uint32(len(text)))
			data = append(data, text...)
		}
	}
	return data
}
