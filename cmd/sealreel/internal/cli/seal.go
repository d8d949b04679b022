package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

var sealCommand = command{
	name: "seal", args: "[--mode MODE] [--encryption FRAGMENT.json] [--encryption-out FILE] [IN [OUT]]",
	summary: "encrypt a file of your own",
	text: `
Encrypts the file IN, by default standard input, to OUT, by default standard output;
- stands for either. The formats are those in which jobs read their inputs and write
their outputs. OUT appears whole or not at all, readable by you only.

  --mode MODE             aes-gcm (default), aes-cbc-pkcs7 or aes-ctr
  --encryption FRAGMENT   what to encrypt with: a JSON file with the members Mode,
                          Key, KeyMd5 and InitializationVector of a job's Encryption
                          element, with a key that KMS wrapped for the stack's
                          pipeline. Without Key a new one of 256 bits is made, and
                          without InitializationVector a random one.
  --encryption-out FILE   where to write the complete fragment, a new file; default
                          OUT` + crypt.ElementSuffix + ` if anything was made. Keep it: the
                          file can't be opened without it.

Let InitializationVector be made: in modes aes-ctr and aes-gcm two files that were
encrypted with the same key and InitializationVector give each other away, and the
command can't know what a fragment was used for before. A fragment of "sealreel key
new" has none and can be used for any number of files.

Mode s3-encryption-client is for objects alone, whose metadata hold the wrapped key:
"sealreel put" and "sealreel get" have it.`,
	run: sealFile,
}

// sealing is a file to be encrypted.
type sealing struct {
	in, out, fragment string // fragment: the file to be written, if any
	e                 job.Encryption
}

func sealFile(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	mode := f.String("mode", "", "")
	from := f.String("encryption", "", "")
	to := f.String("encryption-out", "", "")
	positional, err := f.parse(args, "[IN]", "[OUT]")
	if err == nil {
		err = checkCipher(*mode)
	}
	if err != nil {
		return err
	}
	s := &sealing{fragment: *to}
	s.in, s.out = inOut(positional)
	if *from != "" {
		if s.e, err = crypt.ReadElement(*from); err != nil {
			return err
		}
		if sameFile(s.out, *from) {
			return usagef("OUT is the file of --encryption, and must be another one")
		}
	}
	if s.e, err = crypt.In(s.e, *mode, job.ModeGCM); err != nil {
		return err
	}
	if err := s.place(); err != nil {
		return err
	}
	return s.run(ctx, t)
}

// place decides where the complete fragment goes.
func (s *sealing) place() error {
	makes := s.e.Key == "" || s.e.InitializationVector == ""
	switch {
	case s.fragment == "" && makes && s.out == "-":
		return usagef("say with --encryption-out where to write what the file was encrypted with")
	case s.fragment == "" && makes:
		s.fragment = s.out + crypt.ElementSuffix
	case s.fragment != "" && filepath.Clean(s.fragment) == filepath.Clean(s.out):
		return usagef("OUT and --encryption-out are the same file")
	}
	return nil
}

func (s *sealing) run(ctx context.Context, t *terminal) (err error) {
	in, err := openWorkpiece(ctx, t, s.in)
	if err != nil {
		return err
	}
	defer in.close()
	m, err := s.material(ctx, in.ring)
	if err != nil {
		return err
	}
	if err := crypt.CheckSize(m, in.size); err != nil {
		return fmt.Errorf("%s: %w", in.name, err)
	}
	if s.fragment != "" {
		if err := crypt.CreateElement(s.fragment, s.e); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, os.Remove(s.fragment)) // it opens nothing
			}
		}()
	}
	plain, stop := in.reader(ctx, t)
	defer stop()
	sealed, err := crypt.Encrypt(plain, m)
	if err != nil {
		return err
	}
	return deliver(t, s.out, sealed)
}

// material makes what the element lacks and unwraps its key.
func (s *sealing) material(ctx context.Context, ring *seal.Keyring) (*seal.Material, error) {
	mode, err := seal.ModeOf(s.e.Mode)
	if err != nil {
		return nil, err
	}
	iv := s.e.InitializationVector
	if iv == "" {
		iv = base64.StdEncoding.EncodeToString(seal.NewIV(mode))
	}
	if s.e.Key == "" {
		if s.e, err = ring.GenerateBits(ctx, s.e.Mode, crypt.KeyBits); err != nil {
			return nil, fmt.Errorf("making a key: %w", err)
		}
	}
	s.e.InitializationVector = iv
	m, err := unwrapped(ctx, ring, s.e)
	if err != nil {
		return nil, fmt.Errorf("the key to encrypt with: %w", err)
	}
	return m, nil
}
