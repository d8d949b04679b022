package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/cmd/sealreel/internal/fetch"
	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

var unsealCommand = command{
	name: "unseal", args: "[--mode MODE] [--encryption FRAGMENT.json] [IN [OUT]]",
	summary: "decrypt a file of your own",
	text: `
Decrypts the file IN, by default standard input, to OUT, by default standard output;
- stands for either. OUT appears whole or not at all, readable by you only.

  --encryption FRAGMENT   what IN is encrypted with: a JSON file with the members
                          Mode, Key, KeyMd5 and InitializationVector of a job's
                          Encryption element; default IN` + crypt.ElementSuffix + `
  --mode MODE             the Mode, for a fragment that has none

A file in aes-gcm is verified before OUT appears, or before a byte goes to standard
output or a pipe; for that IN must be a file, which is read twice. In the other modes
nobody can tell whether a file is what was encrypted.`,
	run: unsealFile,
}

func unsealFile(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	mode := f.String("mode", "", "")
	fragment := f.String("encryption", "", "")
	positional, err := f.parse(args, "[IN]", "[OUT]")
	if err == nil {
		err = checkCipher(*mode)
	}
	if err != nil {
		return err
	}
	in, out := inOut(positional)
	switch {
	case *fragment == "" && in == "-":
		return usagef("say with --encryption what standard input is encrypted with")
	case *fragment == "":
		*fragment = in + crypt.ElementSuffix
	}
	if sameFile(out, *fragment) {
		return usagef("OUT is the file of --encryption, and must be another one")
	}
	e, err := crypt.ReadElement(*fragment)
	if err == nil {
		e, err = crypt.In(e, *mode, "")
	}
	if err != nil {
		return err
	}
	return unseal(ctx, t, in, out, *fragment, e)
}

// unseal decrypts a file with what the fragment, a file, has.
func unseal(ctx context.Context, t *terminal, name, out, fragment string, e job.Encryption) error {
	in, err := openWorkpiece(ctx, t, name)
	if err != nil {
		return err
	}
	defer in.close()
	m, err := unwrapped(ctx, in.ring, e)
	if err != nil {
		return fmt.Errorf("the key in %s: %w", fragment, err)
	}
	if in.regular {
		if _, err := crypt.PlainSize(m, in.size); err != nil {
			return fmt.Errorf("%s: %w", in.name, err)
		}
	}
	if crypt.Authentic(m) && (out == "-" || !fetch.Whole(out)) {
		if err := verify(ctx, t, in.input, m); err != nil {
			return err
		}
	}
	sealed, stop := in.reader(ctx, t)
	defer stop()
	plain, err := crypt.Decrypt(in.name, sealed, m)
	if err != nil {
		return err
	}
	return deliver(t, out, plain)
}

// verify reads a file to its end and back again, for what is written of it can't
// be taken back.
func verify(ctx context.Context, t *terminal, in *input, m *seal.Material) error {
	if !in.regular {
		return fmt.Errorf("%s can be read only once, and must be verified before it is written where it can't be taken back from: name a file for IN or for OUT", in.name)
	}
	check := progress.NewTransfer(t.line(), filepath.Base(in.name)+" (verifying)", in.size)
	defer check.End()
	if err := crypt.Verify(ctx, check.Reader(in), in.size, m); err != nil {
		return fmt.Errorf("verifying %s: %w", in.name, err)
	}
	_, err := in.Seek(in.start, io.SeekStart)
	return err
}
