// Package aesstream encrypts and decrypts files with AES as streams and by
// ranges, in the three formats that Elastic Transcoder had:
//
//	aes-cbc-pkcs7  bare ciphertext of the padded file, as openssl enc -aes-*-cbc
//	               -K -iv writes it; 1 to 16 bytes longer than the file
//	aes-ctr        bare ciphertext, as openssl enc -aes-*-ctr writes it: the IV is
//	               the whole first counter block, which counts modulo 2^128; as
//	               long as the file
//	aes-gcm        ciphertext, then the tag of 16 bytes; no additional data
//
// with keys of 128, 192 or 256 bits. The IV has 16 bytes, with aes-gcm also 12;
// it is not part of the file.
//
// It guarantees that
//   - a stream, or one call of ReadAt, holds less than 1 MiB whatever the length
//     of the file, and a stream allocates nothing for a chunk;
//   - bad padding, a bad tag, a wrong key and a file that was cut short are one
//     error, ErrDecrypt, and the padding is looked at in constant time;
//   - an error stays: after it no call does anything;
//   - no key byte is in an error or is kept in a field that can be printed.
//
// It does not guarantee that what is read is what was written, unless the mode is
// aes-gcm and the whole file was read: aes-cbc-pkcs7 and aes-ctr have no tag, and
// a ReaderAt can't look at it. So a file in aes-gcm that is to be read by ranges
// is verified first, once, with VerifyGCM. The same (key, IV) pair must never
// encrypt two different files in aes-ctr or aes-gcm; that is the caller's duty.
//
// Key schedules lie in values of the standard library, which can't be wiped: they
// are made under package shield, so that a build with GOEXPERIMENT=runtimesecret
// erases them when they are garbage. Everything else that is derived from a key
// is wiped at the end of a stream.
package aesstream

import "errors"

// ErrDecrypt says that the ciphertext, key and IV do not belong together, and
// nothing more: whoever learns which byte of what was wrong can use that to
// decrypt files. The remedy is to check the key, the IV, the mode and that the
// file was copied whole.
var ErrDecrypt = errors.New("the file can't be decrypted: it was damaged or cut short, or its key, IV or mode is another one")

// ErrTooLong says that a file exceeds what its mode can encrypt with one IV:
// 2^36-32 bytes in aes-gcm (SP 800-38D, 5.2.1.1).
var ErrTooLong = errors.New("the file is too long for its mode: aes-gcm takes 68719476704 bytes, aes-ctr has no such limit")

// chunkSize is how much is encrypted or decrypted at a time. At 256 KiB the
// arithmetic that aes-gcm needs once a chunk takes a hundredth of the time, and a
// chunk still lies in a processor's second cache. It is a multiple of blockSize.
const chunkSize = 256 << 10

// blockSize is that of AES in bytes, and tagSize that of the tag of aes-gcm.
const (
	blockSize = 16
	tagSize   = 16
)
