package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"path"

	"sealreel/cmd/sealreel/internal/fetch"
	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
)

var getCommand = command{
	name: "get", args: "[--bucket BUCKET] [--mode s3-encryption-client] OUTPUTKEY FILE",
	summary: "fetch an output and decrypt it",
	text: `
Fetches the object with the key OUTPUTKEY from the output bucket into FILE, or to
standard output for -, decrypted whatever mode it is in: the key is found through
the job that wrote it, and KMS unwraps it if it lets you. FILE appears whole or not
at all, readable by you only.

An object in an AES mode or s3-encryption-client is decrypted here, after what it
says of itself was held against its job. One in aes-gcm or s3-encryption-client is
verified before FILE appears, or before a byte goes to standard output or a pipe, for
which it is read twice.

  --mode s3-encryption-client
                    for an object that no job wrote, but AWS's S3 Encryption Client
                    or "sealreel put": its key, which its metadata have, must be
                    wrapped by the KMS key of the stack's pipeline and under its
                    encryption context. Only AES/GCM/NoPadding and kms+context are
                    read, which is the client's version 2.
  --bucket BUCKET   where the object is; default: the stack's output bucket. Others
                    are those of pipelines with a ContentConfig or ThumbnailConfig.`,
	run: get,
}

func get(ctx context.Context, t *terminal, args []string) error {
	f := getFlags{flags: newFlags()}
	f.StringVar(&f.mode, "mode", "", "")
	f.StringVar(&f.bucket, "bucket", "", "")
	positional, err := f.parse(args, "OUTPUTKEY", "FILE")
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return err
	}
	needed := []string{site.OutputBucket}
	if f.mode != "" {
		needed = append(needed, site.PipelineID)
	}
	s, err := site.Connect(ctx, t.getenv, needed...)
	if err != nil {
		return err
	}
	place, err := f.locate(ctx, s, positional[0])
	if err != nil {
		return err
	}
	return fetchTo(ctx, t, s, place, positional[1])
}

// getFlags are the flags of get.
type getFlags struct {
	flags
	mode, bucket string
}

func (f *getFlags) check() error {
	switch {
	case f.mode != "" && f.mode != job.ModeS3EC:
		return usagef("--mode is for %s alone: an output's own mode is known from its job, and what else there is `sealreel unseal` decrypts", job.ModeS3EC)
	}
	return nil
}

// locate finds out how the object with the key is read. A mode is taken from the
// caller only for what no job wrote.
func (f *getFlags) locate(ctx context.Context, s *site.Site, key string) (fetch.Place, error) {
	place, err := fetch.Locate(ctx, s.Ledger, cmp.Or(f.bucket, s.Value(site.OutputBucket)), key)
	if err != nil || f.mode == "" {
		return place, err
	}
	p, err := s.Pipeline(ctx, s.Value(site.PipelineID))
	if err != nil {
		return place, err
	}
	return place.Enveloped(plan.Keys{KeyARN: p.AwsKmsKeyArn, Context: p.Context()})
}

// fetchTo writes the plaintext of an object to a file, - for standard output.
func fetchTo(ctx context.Context, t *terminal, s *site.Site, place fetch.Place, file string) (err error) {
	content, err := fetch.Open(ctx, s.Store, s.Keys, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	name := path.Base(place.Key)
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
