package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"sealreel/local/template"
)

// program returns where the bootstrap of a function is built.
func (s *Stack) program(id string) string {
	return filepath.Join(s.config.Dir, "functions", id, "bootstrap")
}

// build compiles every function as for Lambda, but for this machine. What
// is up to date is left alone by the go command.
func (s *Stack) build(ctx context.Context, functions []template.Function) error {
	for _, f := range functions {
		s.config.Progress("building " + f.ID)
		if err := os.MkdirAll(filepath.Dir(s.program(f.ID)), 0o700); err != nil {
			return fmt.Errorf("stack: make a folder for %s: %w", f.ID, err)
		}
		source := "./" + path.Clean(f.CodeURI)
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", s.program(f.ID), source)
		cmd.Dir = s.config.Root
		// The functions are built from their own module alone, as they are
		// for Lambda, and without C.
		cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("stack: the go command is not on the PATH; install Go 1.26 or later: %w", err)
		}
		if err != nil {
			return fmt.Errorf("stack: build %s from %s: %w\n%s", f.ID, source, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
