package sqs

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
)

const (
	idSize    = 36 // a UUID as text
	tokenSize = 16
	sealSize  = 8
)

// handleOf returns the receipt handle of a message's latest delivery: id,
// token, and a digest that binds both to the queue, so that a handle which
// was mangled, or is another queue's, is told from one that is out of date.
func handleOf(m *message, queueARN string) string {
	raw := append([]byte(m.ID), m.Delivery.Token...)
	return base64.StdEncoding.EncodeToString(append(raw, handleSeal(raw, queueARN)...))
}

func handleSeal(raw []byte, queueARN string) []byte {
	sum := sha256.Sum256(append([]byte(queueARN+"\n"), raw...))
	return sum[:sealSize]
}

// parseHandle returns the id and token of a handle that the queue gave out.
func parseHandle(handle, queueARN string) (id string, token []byte, err error) {
	raw, err := base64.StdEncoding.DecodeString(handle)
	if err != nil || len(raw) != idSize+tokenSize+sealSize {
		return "", nil, badHandle(handle)
	}
	body, seal := raw[:idSize+tokenSize], raw[idSize+tokenSize:]
	if !bytes.Equal(seal, handleSeal(body, queueARN)) {
		return "", nil, badHandle(handle)
	}
	return string(body[:idSize]), body[idSize:], nil
}
