package cli

import (
	"context"
	"encoding/json"
	"errors"

	"sealreel/pkg/pipeline"
	"sealreel/pkg/registry"
)

var pipelineCommand = command{
	name: "pipeline", args: "list [--descending] | create FILE | read ID | update ID FILE | update ID --status Active|Paused | delete ID",
	summary: "list, make, show, change and delete pipelines",
	text: `
Does what Elastic Transcoder's operations for pipelines did, and prints what they
answered, with the warnings 6000 to 6008 about resources in different regions. FILE is
the request, - for standard input; it may also be an answer as it was printed, here or
by Elastic Transcoder. Our own settings are in the pipeline's member Sealreel.

  list        all pipelines in the order in which they were made
    --descending
              in the opposite order
  create FILE CreatePipeline. A pipeline with an Id keeps it, so that jobs written
              for it serve unchanged; another gets one. Role may be left out.
  read ID     ReadPipeline
  update ID FILE
              UpdatePipeline, and in one UpdatePipelineNotifications and
              UpdatePipelineStatus: what is left out or null stays, "" or [] takes a
              value away. It holds for jobs that were not planned yet.
    --status STATUS
              Paused keeps jobs waiting that were not planned yet, Active lets them go
  delete ID   DeletePipeline, unless it has jobs that have not ended or is the
              stack's default pipeline`,
	run: pipelines,
}

func pipelines(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	descending := f.Bool("descending", false, "")
	status := f.String("status", "", "")
	change := func(args []string) ([]byte, error) {
		switch {
		case f.given("status") && len(args) > 1:
			return nil, usagef("--status goes without FILE, which may have the Status itself")
		case *status == pipeline.Active, *status == pipeline.Paused:
			return json.Marshal(map[string]string{"Status": *status})
		case f.given("status"):
			return nil, usagef("--status: %q is neither Active nor Paused", *status)
		case len(args) == 1:
			return nil, usagef("missing: FILE or --status")
		}
		return readDocument(t, args[1])
	}
	shown := func(p *pipeline.Pipeline, warnings []pipeline.Warning, err error) ([]byte, error) {
		return answered(err, func() ([]byte, error) { return pipeline.MarshalWire(p, warnings) })
	}
	return f.operate(ctx, t, "pipeline", []operation{
		{name: "list", flag: "descending",
			run: func(ctx context.Context, r *registry.Registry, _ []string, _ []byte) ([]byte, error) {
				all, err := r.ListPipelines(ctx, !*descending)
				answer, failed := pipeline.MarshalWireList(all)
				return answer, errors.Join(err, failed)
			}},
		{name: "create", args: []string{"FILE"},
			document: func(args []string) ([]byte, error) { return readDocument(t, args[0]) },
			run: func(ctx context.Context, r *registry.Registry, _ []string, doc []byte) ([]byte, error) {
				return shown(r.CreatePipeline(ctx, doc))
			}},
		{name: "read", args: []string{"ID"},
			run: func(ctx context.Context, r *registry.Registry, args []string, _ []byte) ([]byte, error) {
				return shown(r.ReadPipeline(ctx, args[0]))
			}},
		{name: "update", args: []string{"ID", "[FILE]"}, flag: "status", document: change,
			run: func(ctx context.Context, r *registry.Registry, args []string, doc []byte) ([]byte, error) {
				return shown(r.UpdatePipeline(ctx, args[0], doc))
			}},
		{name: "delete", args: []string{"ID"},
			run: func(ctx context.Context, r *registry.Registry, args []string, _ []byte) ([]byte, error) {
				return deleted(r.DeletePipeline(ctx, args[0]))
			}},
	}, args)
}
