package cli

import (
	"context"

	"sealreel/cmd/sealreel/internal/demo"
)

var demoCommand = command{
	name: "demo", args: "[--dir DIR] [--keep] [--root CHECKOUT]",
	summary: "show a whole job on an embedded AWS of its own",
	text: `
Starts an embedded AWS, makes a clip, drops it sealed with a new key, fetches and
decrypts what comes out, and checks that it decodes, is as long as the clip and is
refused to whoever has no key. Exits with 0 only when all of that holds.

  --dir DIR         folder for everything, which stays; default: a new one, of
                    which only the decrypted outputs stay
  --keep            leave all of that new folder, for "sealreel up --dir"
  --root CHECKOUT   folder of template.yaml; default: this one or one above`,
	run: runDemo,
}

func runDemo(ctx context.Context, t *terminal, args []string) (err error) {
	f := newFlags()
	dir := f.String("dir", "", "")
	keep := f.Bool("keep", false, "")
	root := f.String("root", "", "")
	if _, err := f.parse(args); err != nil {
		return err
	}
	if *root, err = checkout(*root); err != nil {
		return err
	}
	return demo.Run(ctx, demo.Config{
		Root: *root, Dir: *dir, Keep: *keep, Environment: tunables(t.getenv), Getenv: t.getenv, Out: t.stdout, Notes: t.stderr,
	})
}
