package cli

import (
	"context"
	"crypto/md5" //nolint:gosec // KeyMd5 is one
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/seal"
)

var keyCommand = command{
	name: "key", args: "new [--bits 128|192|256] [--plaintext-out FILE]",
	summary: "make a key and wrap it",
	text: `
Makes a key for the stack's pipeline and prints what an Encryption element of a job
needs of it: Key, the key wrapped by KMS, and KeyMd5.

  --bits N               128, 192 or 256 bits; default 256, which sse-c needs
  --plaintext-out FILE   also write the key itself to a new file, which only you
                         can read; otherwise nobody gets to see it`,
	run: key,
}

func key(ctx context.Context, t *terminal, args []string) (err error) {
	f := newFlags()
	bits := f.Int("bits", 256, "")
	file := f.String("plaintext-out", "", "")
	positional, err := f.parse(args, "new")
	if err != nil {
		return err
	}
	switch {
	case positional[0] != "new":
		return usagef("there is no key command %q, only new", positional[0])
	case *bits != 128 && *bits != 192 && *bits != 256:
		return usagef("--bits is %d: an AES key has 128, 192 or 256", *bits)
	case f.given("plaintext-out") && *file == "":
		return usagef("--plaintext-out is empty: name a new file")
	}
	s, err := site.Connect(ctx, t.getenv, site.PipelineID)
	if err != nil {
		return err
	}
	p, err := s.Pipeline(ctx, s.Value(site.PipelineID))
	if err != nil {
		return err
	}
	arn, encryptionContext, err := site.Wrapping(p)
	if err != nil {
		return err
	}
	maker := keyMaker{s.Keys, arn, encryptionContext, *bits / 8}
	var wrapped []byte
	if *file == "" {
		wrapped, err = maker.sealed(ctx)
	} else {
		wrapped, err = maker.disclosed(ctx, *file)
	}
	if err != nil {
		return err
	}
	return printKey(t, wrapped)
}

// printKey prints a wrapped key as an Encryption element has it.
func printKey(t *terminal, wrapped []byte) error {
	sum := md5.Sum(wrapped) //nolint:gosec // see above
	encoder := json.NewEncoder(t.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Key    string `json:"Key"`
		KeyMd5 string `json:"KeyMd5"`
	}{base64.StdEncoding.EncodeToString(wrapped), base64.StdEncoding.EncodeToString(sum[:])})
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
			os.Remove(file)
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
