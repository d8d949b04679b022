package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/seal"
)

var keyCommand = command{
	name: "key", args: "new [--bits 128|192|256] [--plaintext-out FILE] | wrap --plaintext-in FILE | import FILE",
	summary: "make a key and wrap it, or wrap one of yours",
	text: `
Prints what an Encryption element of a job needs of a key: Key, the key wrapped by
KMS for the stack's pipeline, and KeyMd5. Nobody gets to see the key itself.

  new                    makes a key
    --bits N             of 128, 192 or 256 bits; default 256, which sse-c needs
    --plaintext-out FILE and also writes it to a new file, which only you can read
  wrap                   wraps a key that you have
    --plaintext-in FILE  the file that holds its 16, 24 or 32 bytes, not a text of
                         them; - for standard input
  import FILE            takes what KMS wrapped elsewhere, its CiphertextBlob as it is
                         or in base64, and checks that it opens for the pipeline;
                         - for standard input`,
	run: key,
}

// keyFlags are the flags of the key commands.
type keyFlags struct {
	flags
	bits               int
	plainOut, plainIn  string
	subcommand, source string // source: what import reads
}

func key(ctx context.Context, t *terminal, args []string) error {
	f := &keyFlags{flags: newFlags()}
	f.IntVar(&f.bits, "bits", 256, "")
	f.StringVar(&f.plainOut, "plaintext-out", "", "")
	f.StringVar(&f.plainIn, "plaintext-in", "", "")
	positional, err := f.parse(args, "new, wrap or import", "[FILE]")
	if err != nil {
		return err
	}
	f.subcommand = positional[0]
	if len(positional) > 1 {
		f.source = positional[1]
	}
	if err := f.check(); err != nil {
		return err
	}
	s, err := site.Connect(ctx, t.getenv, site.PipelineID)
	if err != nil {
		return err
	}
	p, err := s.Pipeline(ctx, s.Value(site.PipelineID))
	if err != nil {
		return err
	}
	wrapped, err := f.run(ctx, t, s, p)
	if err != nil {
		return err
	}
	return printKey(t, wrapped)
}

// check refuses what does not belong together.
func (f *keyFlags) check() error {
	if err := f.checkFlags(); err != nil {
		return err
	}
	switch {
	case f.subcommand != "import" && f.source != "":
		return usagef("%q is one argument too many", f.source)
	case f.subcommand == "import" && f.source == "":
		return usagef("missing: FILE")
	case f.bits != 128 && f.bits != 192 && f.bits != 256:
		return usagef("--bits is %d: an AES key has 128, 192 or 256", f.bits)
	case f.given("plaintext-out") && f.plainOut == "":
		return usagef("--plaintext-out is empty: name a new file")
	case f.subcommand == "wrap" && f.plainIn == "":
		return usagef("missing: --plaintext-in FILE")
	}
	return nil
}

// checkFlags refuses the flags of another key command.
func (f *keyFlags) checkFlags() error {
	allowed, ok := map[string]string{"new": "bits plaintext-out", "wrap": "plaintext-in", "import": ""}[f.subcommand]
	if !ok {
		return usagef("there is no key command %q, only new, wrap and import", f.subcommand)
	}
	for _, name := range []string{"bits", "plaintext-out", "plaintext-in"} {
		if f.given(name) && !slices.Contains(strings.Fields(allowed), name) {
			return usagef("key %s takes no --%s", f.subcommand, name)
		}
	}
	return nil
}

// run gives the wrapped key.
func (f *keyFlags) run(ctx context.Context, t *terminal, s *site.Site, p *pipeline.Pipeline) ([]byte, error) {
	arn, encryptionContext, err := site.Wrapping(p)
	if err != nil {
		return nil, err
	}
	maker := keyMaker{s.Keys, arn, encryptionContext, f.bits / 8}
	switch {
	case f.subcommand == "wrap":
		return wrapKey(ctx, t, s.Keys, arn, encryptionContext, f.plainIn)
	case f.subcommand == "import":
		ring := s.Keyring(p)
		defer ring.Close()
		return importKey(ctx, t, ring, f.source)
	case f.plainOut == "":
		return maker.sealed(ctx)
	}
	return maker.disclosed(ctx, f.plainOut)
}

// printKey prints a wrapped key as an Encryption element has it.
func printKey(t *terminal, wrapped []byte) error {
	return crypt.WriteElement(t.stdout, crypt.Element(wrapped))
}

// keys is a KMS that makes keys.
type keys interface {
	GenerateSealed(ctx context.Context, keyARN string, bytes int, encryptionContext map[string]string) (ciphertext []byte, err error)
	Generate(ctx context.Context, keyARN string, bytes int, encryptionContext map[string]string) (plaintext, ciphertext []byte, err error)
}

// keyMaker makes keys of a size in bytes.
type keyMaker struct {
	keys    keys
	arn     string
	context map[string]string
	size    int
}

// sealed makes a key that stays in KMS. Whoever may not ask for that may still
// be allowed to have the key too, which is then wiped.
func (m keyMaker) sealed(ctx context.Context) ([]byte, error) {
	wrapped, err := m.keys.GenerateSealed(ctx, m.arn, m.size, m.context)
	if !errors.Is(err, seal.ErrAccess) {
		return wrapped, err
	}
	plaintext, wrapped, err := m.keys.Generate(ctx, m.arn, m.size, m.context)
	clear(plaintext)
	return wrapped, err
}

// disclosed makes a key and writes it to a new file.
func (m keyMaker) disclosed(ctx context.Context, file string) (wrapped []byte, err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s exists already and may hold a key: name a new file", file)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(file))
		}
	}()
	plaintext, wrapped, err := m.keys.Generate(ctx, m.arn, m.size, m.context)
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	_, err = f.Write(plaintext)
	return wrapped, err
}
