package cli

import (
	"context"
	"io"
	"path"

	"sealreel/cmd/sealreel/internal/fetch"
	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/cmd/sealreel/internal/site"
)

var getCommand = command{
	name: "get", args: "OUTPUTKEY FILE",
	summary: "fetch an output and decrypt it",
	text: `
Fetches the object with the key OUTPUTKEY from the output bucket into FILE, or to
standard output for -, decrypted whatever mode it is in: the key is found through
the job that wrote it, and KMS unwraps it if it lets you. FILE appears whole or not
at all, readable by you only.

An object in an AES mode is decrypted here, after what it says of itself was held
against its job. One in aes-gcm is verified before FILE appears, or before a byte
goes to standard output or a pipe, for which it is read twice.`,
	run: get,
}

func get(ctx context.Context, t *terminal, args []string) error {
	positional, err := newFlags().parse(args, "OUTPUTKEY", "FILE")
	if err != nil {
		return err
	}
	s, err := site.Connect(ctx, t.getenv, site.OutputBucket)
	if err != nil {
		return err
	}
	return fetchTo(ctx, t, s, positional[0], positional[1])
}

// fetchTo writes the plaintext of an object to a file, - for standard output.
func fetchTo(ctx context.Context, t *terminal, s *site.Site, key, file string) error {
	place, err := fetch.Locate(ctx, s.Ledger, s.Value(site.OutputBucket), key)
	if err != nil {
		return err
	}
	content, err := fetch.Open(ctx, s.Store, s.Keys, place)
	if err != nil {
		return err
	}
	defer content.Close()
	name := path.Base(key)
	if file == "-" || !fetch.Whole(file) {
		check := progress.NewTransfer(t.line(), name+" (verifying)", content.Size)
		err := content.Verify(ctx, check.Reader)
		check.End()
		if err != nil {
			return err
		}
	}
	transfer := progress.NewTransfer(t.line(), name, content.Size)
	defer transfer.End()
	return deliver(t, file, transfer.Reader(content))
}

// deliver writes what r gives to a file, - for standard output.
func deliver(t *terminal, file string, r io.Reader) error {
	if file == "-" {
		_, err := io.Copy(t.stdout, r)
		return err
	}
	return fetch.Save(file, r)
}
