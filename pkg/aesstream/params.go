package aesstream

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"sealreel/pkg/shield"
)

// Mode is the format of a file; its text is that of a job's Encryption.Mode.
type Mode string

// The modes there are.
const (
	CBC Mode = "aes-cbc-pkcs7"
	CTR Mode = "aes-ctr"
	GCM Mode = "aes-gcm"
)

// Key gives the bytes of an AES key: 16, 24 or 32. They are used while a stream
// is being opened and not kept.
type Key interface{ Bytes() []byte }

// Params is what a file is encrypted with.
type Params struct {
	Mode Mode
	Key  Key
	IV   []byte // 16 bytes, with GCM 16 or 12; not kept
}

// ParamError says which of the Params can't be.
type ParamError struct {
	Field  string // "Mode", "Key" or "IV"
	reason string
}

func (e *ParamError) Error() string { return e.reason }

// Check returns a *ParamError for a mode that does not exist and for a key or IV
// of a size that the mode does not take, and else nil.
func (p Params) Check() error {
	switch p.Mode {
	case CBC, CTR:
		if len(p.IV) != 16 {
			return &ParamError{"IV", fmt.Sprintf("%s takes an IV of 16 bytes, not of %d", p.Mode, len(p.IV))}
		}
	case GCM:
		if len(p.IV) != 16 && len(p.IV) != 12 {
			return &ParamError{"IV", fmt.Sprintf("%s takes an IV of 16 or 12 bytes, not of %d", p.Mode, len(p.IV))}
		}
	default:
		return &ParamError{"Mode", fmt.Sprintf("there is no mode %q; there are %s, %s and %s", string(p.Mode), CBC, CTR, GCM)}
	}
	if p.Key == nil {
		return &ParamError{"Key", fmt.Sprintf("%s needs a key", p.Mode)}
	}
	switch n := len(p.Key.Bytes()); n {
	case 16, 24, 32:
		return nil
	default:
		return &ParamError{"Key", fmt.Sprintf("%s takes a key of 16, 24 or 32 bytes, not of %d", p.Mode, n)}
	}
}

// block checks p and returns the block cipher of its key.
func (p Params) block() (cipher.Block, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	var block cipher.Block
	var err error
	shield.Do(func() { block, err = aes.NewCipher(p.Key.Bytes()) })
	if err != nil {
		return nil, fmt.Errorf("preparing the key of %s: %w", p.Mode, err)
	}
	return block, nil
}
