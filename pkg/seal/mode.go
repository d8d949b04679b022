package seal

import (
	"slices"

	"sealreel/pkg/job"
)

// Side is who encrypts and decrypts in a mode.
type Side int

const (
	// Plain means that nobody does.
	Plain Side = iota
	// Storage means that S3 does, and gives and takes plaintext over TLS.
	Storage
	// Here means that the function does, and S3 sees ciphertext only.
	Here
)

// Mode says what an encryption mode takes.
type Mode struct {
	Name   string // as in a job's Encryption.Mode
	Side   Side
	Bits   []int // key sizes in bits; none: the mode takes no key of the job
	IVSize int   // size of an InitializationVector made here, in bytes; 0: it takes none
	// GenerateBits is the size of a key made for an output that brings none.
	GenerateBits int
	// Enveloped: each object has a key and an IV of its own (package envelope).
	Enveloped bool
}

// ModeWork is the mode of the files that a job's functions pass to each other
// (package work). No job document can ask for it.
const ModeWork = "sealreel-work"

// modes are all there are; a new mode is a new row.
var modes = []Mode{
	{Name: "", Side: Plain},
	{Name: job.ModeS3, Side: Storage},
	{Name: job.ModeS3KMS, Side: Storage},
	{Name: job.ModeSSEC, Side: Storage, Bits: []int{256}, GenerateBits: 256},
	{Name: job.ModeCBC, Side: Here, Bits: []int{128, 192, 256}, IVSize: 16, GenerateBits: 128},
	{Name: job.ModeCTR, Side: Here, Bits: []int{128, 192, 256}, IVSize: 16, GenerateBits: 128},
	{Name: job.ModeGCM, Side: Here, Bits: []int{128, 192, 256}, IVSize: 16, GenerateBits: 128},
	{Name: job.ModeS3EC, Side: Here, Enveloped: true},
	{Name: ModeWork, Side: Here, Bits: []int{256}, GenerateBits: 256},
}

// ModeOf returns the mode of the name, "" being that of an object that is not
// encrypted. A name that does not exist is a *job.Failure.
func ModeOf(name string) (Mode, error) {
	for _, m := range modes {
		if m.Name == name {
			return m, nil
		}
	}
	return Mode{}, job.Fail(job.CodeValidation, "the encryption mode %q does not exist", name)
}

// TakesKey says whether the mode needs a key of the job.
func (m Mode) TakesKey() bool { return len(m.Bits) > 0 }

// OnceOnly says whether a key and an InitializationVector must never encrypt two
// different files together: in counter modes the two could be read by their
// difference (NIST SP 800-38A, appendix B; SP 800-38D, 8).
func (m Mode) OnceOnly() bool { return m.Name == job.ModeCTR || m.Name == job.ModeGCM }

// Takes says whether the mode takes keys of that many bits.
func (m Mode) Takes(bits int) bool { return slices.Contains(m.Bits, bits) }
