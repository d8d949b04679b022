// Package cli is the command line of Sealreel: it reads arguments, calls what
// does the work and says how it went.
//
// It guarantees the exit codes 0 for what went well, 1 for what failed and 2 for
// wrong usage; and that standard output has only what was asked for, so that
// scripts can take it, with all else on standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	"sealreel/cmd/sealreel/internal/progress"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// terminal is what a command talks to.
type terminal struct {
	getenv func(string) string
	stdin  *os.File
	stdout io.Writer
	stderr io.Writer
}

// note tells whoever watches, not whoever takes the output.
func (t *terminal) note(format string, args ...any) {
	_, _ = fmt.Fprintf(t.stderr, format+"\n", args...) // there is nobody else to tell
}

// show prints what was asked for and returns the exit code for that.
func (t *terminal) show(text string) int {
	if _, err := io.WriteString(t.stdout, text); err != nil {
		return exitFailed
	}
	return exitOK
}

// line is a line of progress on standard error.
func (t *terminal) line() *progress.Line { return progress.NewLine(t.stderr, t.getenv) }

// command is one subcommand.
type command struct {
	name    string
	args    string // as usage shows them
	summary string
	text    string // what help says further
	run     func(ctx context.Context, t *terminal, args []string) error
}

// commands are all there are, in the order that help shows.
func commands() []command {
	return []command{upCommand, putCommand, watchCommand, readCommand, costCommand, alarmsCommand, cancelCommand, redriveCommand, getCommand, sealCommand, unsealCommand, keyCommand,
		validateCommand, pipelineCommand, presetCommand, demoCommand}
}

// errReported is a failure that was told already.
var errReported = errors.New("reported")

// usageError is a command that was called wrongly.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// Run runs the command that args, without the program's name, ask for, and
// returns the exit code.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	t := &terminal{getenv, os.Stdin, stdout, stderr}
	if len(args) == 0 {
		t.note("%s", strings.TrimSuffix(overview(), "\n"))
		return exitUsage
	}
	name, rest := args[0], args[1:]
	if name == "help" || name == "-h" || name == "-help" || name == "--help" {
		return help(t, rest)
	}
	c, ok := find(name)
	if !ok {
		t.note("sealreel: there is no command %q; `sealreel help` lists them", name)
		return exitUsage
	}
	return exitCode(ctx, t, c, c.run(ctx, t, rest))
}

// exitCode tells what went wrong and returns the exit code for it.
func exitCode(ctx context.Context, t *terminal, c command, err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errHelp):
		return t.show(c.help())
	case errors.As(err, &usage):
		t.note("sealreel %s: %v\nusage: sealreel %s %s", c.name, err, c.name, c.args)
		return exitUsage
	case errors.Is(err, errReported):
	case ctx.Err() != nil:
		t.note("sealreel %s: interrupted: %s", c.name, plain(err))
	default:
		t.note("sealreel %s: %s%s", c.name, plain(err), hint(err))
	}
	return exitFailed
}

// trace is what AWS wants to know from whoever asks it about a request, and
// nobody else.
var trace = regexp.MustCompile(`, RequestID: [^,]*(, HostID: [^,]*)?`)

// plain is an error as it is shown.
func plain(err error) string { return trace.ReplaceAllString(err.Error(), "") }

// hint is what to do about errors that any command can meet.
func hint(err error) string {
	var network *net.OpError
	switch {
	case errors.As(err, &network) && network.Op == "dial":
		return "\nAWS can't be reached there: is `sealreel up` running, and are the variables those of its DIR/env?"
	case strings.Contains(err.Error(), "get credentials"), strings.Contains(err.Error(), "retrieve credentials"):
		return "\nno AWS credentials were found: run `. DIR/env` with the DIR of `sealreel up`, or sign in to AWS"
	}
	return ""
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func help(t *terminal, args []string) int {
	if len(args) == 0 {
		return t.show(overview())
	}
	c, ok := find(args[0])
	if !ok {
		t.note("sealreel: there is no command %q; `sealreel help` lists them", args[0])
		return exitUsage
	}
	return t.show(c.help())
}

func (c command) help() string {
	return fmt.Sprintf("usage: sealreel %s %s\n\n%s\n", c.name, c.args, strings.TrimSpace(c.text))
}

func overview() string {
	var b strings.Builder
	b.WriteString("usage: sealreel COMMAND [ARGUMENTS]\n\nTranscodes video that stays encrypted.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-8s %s\n", c.name, c.summary)
	}
	b.WriteString(`
sealreel help COMMAND tells more. The usual AWS variables say where AWS is, and
SEALREEL_* ones which stack: "sealreel up --dir DIR" writes them to DIR/env, and
the outputs of a deployed stack give them. Exit codes: 0 done, 1 failed, 2 usage.
`)
	return b.String()
}
