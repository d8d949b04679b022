package cli

import (
	"context"
	"errors"

	"sealreel/pkg/preset"
	"sealreel/pkg/registry"
)

var presetCommand = command{
	name: "preset", args: "list [--descending] | create FILE | read ID | delete ID",
	summary: "list, make, show and delete presets",
	text: `
Does what Elastic Transcoder's operations for presets did, and prints what they
answered. FILE is the request, - for standard input; it may also be an answer as it was
printed, here or by Elastic Transcoder.

  list        the system presets and all custom ones by their ids, which begin with
              the time
    --descending
              in the opposite order
  create FILE CreatePreset. The Warning tells what some players may not like in it. A
              preset with an Id keeps it, so that jobs written for it serve unchanged;
              another gets one.
  read ID     ReadPreset
  delete ID   DeletePreset; jobs that were planned go on. To change a preset, delete it
              and create it with the same Id.`,
	run: presets,
}

func presets(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	descending := f.Bool("descending", false, "")
	return f.operate(ctx, t, "preset", []operation{
		{name: "list", flag: "descending",
			run: func(ctx context.Context, r *registry.Registry, _ []string, _ []byte) ([]byte, error) {
				all, err := r.ListPresets(ctx, !*descending)
				answer, failed := preset.MarshalWireList(all)
				return answer, errors.Join(err, failed)
			}},
		{name: "create", args: []string{"FILE"},
			document: func(args []string) ([]byte, error) { return readDocument(t, args[0]) },
			run: func(ctx context.Context, r *registry.Registry, _ []string, doc []byte) ([]byte, error) {
				p, warning, err := r.CreatePreset(ctx, doc)
				return answered(err, func() ([]byte, error) { return preset.MarshalWireNew(p, warning) })
			}},
		{name: "read", args: []string{"ID"},
			run: func(ctx context.Context, r *registry.Registry, args []string, _ []byte) ([]byte, error) {
				p, err := r.ReadPreset(ctx, args[0])
				return answered(err, func() ([]byte, error) { return preset.MarshalWire(p) })
			}},
		{name: "delete", args: []string{"ID"},
			run: func(ctx context.Context, r *registry.Registry, args []string, _ []byte) ([]byte, error) {
				return deleted(r.DeletePreset(ctx, args[0]))
			}},
	}, args)
}
