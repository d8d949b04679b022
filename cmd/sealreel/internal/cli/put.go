package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sealreel/cmd/sealreel/internal/drop"
	"sealreel/cmd/sealreel/internal/request"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/preset"
)

var putCommand = command{
	name: "put", args: "FILE [--mode MODE] [--out-mode MODE] [--preset ID]... [--playlist NAME] [--job TEMPLATE.json] [--key KEY]",
	summary: "encrypt and drop a file; print the id of its job",
	text: `
Drops FILE with a job that transcodes it, and prints the job's id alone. In mode
sse-c, and in the modes of this machine, a new key is made and wrapped by KMS; only
the wrapped key is kept.

  --mode MODE       how FILE is encrypted: by S3 in sse-c (default), s3-aws-kms or
                    s3; here, before it is sent, in aes-cbc-pkcs7, aes-ctr, aes-gcm
                    or s3-encryption-client, the format of AWS's own client
  --out-mode MODE   how the outputs are, by the same modes; default sse-c. The
                    service makes a key for each, in s3-encryption-client for each
                    object.
  --preset ID       one output by this preset; give it again for more;
                    default ` + request.Default + `, Generic 720p
  --playlist NAME   an HLS master playlist over the HLS outputs; without
                    --preset over those from 2 Mbit/s to 400 kbit/s
  --job FILE        a CreateJob request as the template of the job, in place of
                    the presets: PipelineId, the Input's Key and Encryption and
                    OutputKeyPrefix are filled in when they are missing, and
                    {name}, {stem} and {prefix} in keys stand for parts of the
                    file's path. --out-mode is for outputs without Encryption.
  --key KEY         the file's key in the ingest bucket, which must be free;
                    default: its name in a new folder

The outputs are in a new folder of the output bucket unless the template has an
OutputKeyPrefix. "sealreel watch" and "sealreel read" show them.`,
	run: put,
}

// claimTime is how long the service has to make a job of a dropped document.
const claimTime = 60 * time.Second

// putFlags are the flags of put.
type putFlags struct {
	flags
	mode, outMode, playlist, template, key string
	presets                                list
}

func put(ctx context.Context, t *terminal, args []string) error {
	f := putFlags{flags: newFlags()}
	f.StringVar(&f.mode, "mode", "", "")
	f.StringVar(&f.outMode, "out-mode", "", "")
	f.StringVar(&f.playlist, "playlist", "", "")
	f.StringVar(&f.template, "job", "", "")
	f.StringVar(&f.key, "key", "", "")
	f.Var(&f.presets, "preset", "")
	positional, err := f.parse(args, "FILE")
	if err == nil {
		err = f.check(positional[0])
	}
	if err != nil {
		return err
	}
	s, err := site.Connect(ctx, t.getenv, site.IngestBucket, site.PipelineID)
	if err != nil {
		return err
	}
	o := drop.Order{File: positional[0], Name: filepath.Base(positional[0]), Key: f.key, Mode: f.mode, OutMode: f.outMode}
	if o.Template, err = f.document(ctx, s); err != nil {
		return err
	}
	if o.Key == "" {
		o.Key = o.Template.Key()
	}
	if f.template == "" && o.OutMode == "" {
		o.OutMode = job.ModeSSEC
	}
	dropper := drop.Dropper{Site: s, Line: t.line(), Wait: claimTime}
	id, err := dropper.Drop(ctx, o)
	if id != "" {
		if _, shown := fmt.Fprintln(t.stdout, id); shown != nil {
			return errors.Join(shown, err)
		}
	}
	var refused *drop.Refused
	if errors.As(err, &refused) { // there is a job, which is what was asked for; watch tells how it ended
		t.note("sealreel put: %v", err)
		return nil
	}
	return err
}

func checkMode(name, mode string) error {
	if mode == "" {
		return nil
	}
	if err := drop.CheckMode(mode); err != nil {
		return usagef("--%s: %v", name, err)
	}
	return nil
}

func (f *putFlags) check(file string) error {
	if err := errors.Join(checkMode("mode", f.mode), checkMode("out-mode", f.outMode)); err != nil {
		return err
	}
	for _, id := range f.presets {
		if !job.ValidID(id) {
			return usagef("--preset %s is no preset id, which has 13 digits, a hyphen and 6 letters or digits", id)
		}
	}
	name := f.key
	if name == "" {
		name = file
	}
	switch {
	case f.template != "" && (len(f.presets) > 0 || f.playlist != ""):
		return usagef("--preset and --playlist don't go with --job: put them into the template")
	case f.given("playlist") && f.playlist == "":
		return usagef("--playlist is empty: name it without .m3u8")
	case strings.HasSuffix(name, drop.DocumentSuffix):
		return usagef("%s is the name of a job document: give another --key for a media file, or --job for a template", name)
	}
	return nil
}

// document is the template that the flags name, or the one of their presets.
func (f *putFlags) document(ctx context.Context, s *site.Site) (*request.Document, error) {
	if f.template != "" {
		return readTemplate(f.template)
	}
	ids := []string(f.presets)
	switch {
	case len(ids) > 0:
	case f.playlist != "":
		ids = request.Ladder
	default:
		ids = []string{request.Default}
	}
	var presets []*preset.Preset
	for _, id := range ids {
		p, err := s.Ledger.Preset(ctx, id)
		if errors.Is(err, object.ErrNotExist) { // the service says so on the job
			p, err = &preset.Preset{ID: id}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("preset %s: %w", id, err)
		}
		presets = append(presets, p)
	}
	doc, err := request.Template(presets, f.playlist)
	if err != nil {
		return nil, &usageError{err.Error()}
	}
	return request.Parse(doc)
}

func readTemplate(name string) (*request.Document, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	doc, err := io.ReadAll(io.LimitReader(file, job.MaxDocument+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	d, err := request.Parse(doc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}
