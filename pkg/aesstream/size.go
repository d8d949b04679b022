package aesstream

import (
	"fmt"
	"math"
)

// maxGCM is the longest file in bytes that aes-gcm can encrypt: the counter of
// 32 bits has two values that don't encrypt data (SP 800-38D, 5.2.1.1).
const maxGCM = 1<<36 - 32

// SizeError says that no file of the mode can have the size. Who may see it knows
// the size, so unlike ErrDecrypt it says what is wrong.
type SizeError struct {
	Mode Mode
	Size int64 // of the encrypted file, in bytes
	rule string
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("no file in %s has %d bytes, but %s: this one was cut short or encrypted in another mode", e.Mode, e.Size, e.rule)
}

// SealedSize is the size in bytes of a file of plain bytes after encryption. The
// error is ErrTooLong, or a *ParamError for a mode that does not exist.
func SealedSize(mode Mode, plain int64) (int64, error) {
	limit, err := maxPlain(mode)
	switch {
	case err != nil:
		return 0, err
	case plain < 0:
		return 0, fmt.Errorf("no file has %d bytes", plain)
	case plain > limit:
		return 0, ErrTooLong
	case mode == CBC:
		return plain - plain%blockSize + blockSize, nil
	case mode == GCM:
		return plain + tagSize, nil
	}
	return plain, nil
}

// PlainSize says how many bytes an encrypted file of sealed bytes holds: at least
// least and at most most, which differ in aes-cbc-pkcs7 alone, whose padding is
// part of what is encrypted. The error is a *SizeError, or a *ParamError for a
// mode that does not exist.
func PlainSize(mode Mode, sealed int64) (least, most int64, err error) {
	limit, err := maxPlain(mode)
	if err != nil {
		return 0, 0, err
	}
	switch mode {
	case CBC:
		if sealed < blockSize || sealed%blockSize != 0 {
			return 0, 0, &SizeError{mode, sealed, "a multiple of 16 from 16 on"}
		}
		return sealed - blockSize, sealed - 1, nil
	case GCM:
		if sealed < tagSize || sealed-tagSize > limit {
			return 0, 0, &SizeError{mode, sealed, "16 to 68719476720"}
		}
		return sealed - tagSize, sealed - tagSize, nil
	}
	if sealed < 0 {
		return 0, 0, &SizeError{mode, sealed, "0 or more"}
	}
	return sealed, sealed, nil
}

// maxPlain is how long a file may be for its ciphertext to have a size and its
// counter not to come round.
func maxPlain(mode Mode) (int64, error) {
	switch mode {
	case CBC:
		return math.MaxInt64 - blockSize, nil
	case CTR:
		return math.MaxInt64, nil
	case GCM:
		return maxGCM, nil
	}
	return 0, Params{Mode: mode}.Check()
}
