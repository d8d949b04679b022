package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"sealreel/cmd/sealreel/internal/judge"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

var validateCommand = command{
	name: "validate", args: "[--json] [--as job|preset|pipeline] [--offline] DOC...",
	summary: "say what is wrong with job documents, presets and pipelines",
	text: `
Says of each document whether the service would take it, and if not, everything that
is wrong with it, each with its path, in the words of Elastic Transcoder's validation
errors. DOC is a file, or - for standard input: a CreateJob, CreatePreset or
CreatePipeline request, or what reading a preset or a pipeline answered. Exits with 0
when all are valid.

Rules about presets are looked at once a job keeps all others. A job's presets and its
pipeline are looked for among the documents and, where SEALREEL_STATE_BUCKET says
which, in the stack.

  --json      print one JSON document: of each DOC its Document, Kind, Valid,
              Problems (Path, Value, Message, and Text, which is all of them in the
              service's form) and Warnings
  --as KIND   what the documents are; default: what their members tell
  --offline   look for nothing in the stack`,
	run: validate,
}

// maxDocument is the longest document of any kind, in bytes.
const maxDocument = job.MaxDocument

func validate(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	asJSON := f.Bool("json", false, "")
	kind := f.String("as", "", "")
	offline := f.Bool("offline", false, "")
	names, err := f.parseAll(args, "DOC")
	if err != nil {
		return err
	}
	if f.given("as") && !slices.Contains(judge.Kinds, *kind) {
		return usagef("--as: %q is none of %s", *kind, strings.Join(judge.Kinds, ", "))
	}
	var documents []judge.Document
	for _, name := range names {
		text, err := readDocument(t, name)
		if err != nil {
			return err
		}
		documents = append(documents, judge.Document{Name: name, Kind: *kind, Text: text})
	}
	var stack judge.Stack
	if !*offline && t.getenv(site.StateBucket) != "" {
		s, err := site.Connect(ctx, t.getenv)
		if err != nil {
			return err
		}
		stack = s
	}
	verdicts, err := judge.Of(ctx, documents, stack)
	if err != nil {
		return err
	}
	if *asJSON {
		err = showVerdictsJSON(t, verdicts)
	} else {
		err = showVerdicts(t, verdicts)
	}
	if err == nil && slices.ContainsFunc(verdicts, func(v judge.Verdict) bool { return len(v.Problems) > 0 }) {
		err = errReported
	}
	return err
}

// readDocument reads a document, - for standard input. Of one that is too long it
// reads enough to show that.
func readDocument(t *terminal, name string) ([]byte, error) {
	in, err := openInput(t, name)
	if err != nil {
		return nil, err
	}
	defer in.close()
	text, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", in.name, err)
	}
	return text, nil
}

// showVerdicts prints a line for each document, and beneath it one for each
// problem and warning.
func showVerdicts(t *terminal, verdicts []judge.Verdict) error {
	var b strings.Builder
	for _, v := range verdicts {
		kind := "document"
		if v.Kind != "" {
			kind = v.Kind
		}
		switch n := len(v.Problems); n {
		case 0:
			fmt.Fprintf(&b, "%s: a valid %s\n", v.Document, kind)
		case 1:
			fmt.Fprintf(&b, "%s: a %s with 1 problem\n", v.Document, kind)
		default:
			fmt.Fprintf(&b, "%s: a %s with %d problems\n", v.Document, kind, n)
		}
		for _, p := range v.Problems {
			fmt.Fprintf(&b, "  %s\n", p)
		}
		for _, w := range v.Warnings {
			fmt.Fprintf(&b, "  warning: %s\n", w)
		}
	}
	_, err := io.WriteString(t.stdout, b.String())
	return err
}

// shownVerdict is a verdict as JSON.
type shownVerdict struct {
	Document string
	Kind     document.Text
	Valid    bool
	Problems []shownProblem
	Warnings []string
}

type shownProblem struct {
	Path    document.Text
	Value   document.Text // as Text quotes it
	Message string
	Text    string
}

func showVerdictsJSON(t *terminal, verdicts []judge.Verdict) error {
	all := struct{ Documents []shownVerdict }{}
	for _, v := range verdicts {
		shown := shownVerdict{Document: v.Document, Kind: document.Text(v.Kind), Valid: len(v.Problems) == 0,
			Problems: []shownProblem{}, Warnings: append([]string{}, v.Warnings...)}
		for _, p := range v.Problems {
			shown.Problems = append(shown.Problems, shownProblem{document.Text(p.Path), document.Text(p.Value), p.Message, p.String()})
		}
		all.Documents = append(all.Documents, shown)
	}
	doc, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return showJSON(t.stdout, doc)
}
