package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// errHelp is a call for a command's help.
var errHelp = errors.New("help")

// flags are a command's flags. They may stand before, between and behind its
// positional arguments; everything after -- is positional.
type flags struct{ *flag.FlagSet }

func newFlags() flags {
	f := flags{flag.NewFlagSet("", flag.ContinueOnError)}
	f.SetOutput(io.Discard) // Run reports
	return f
}

// parse reads the arguments and returns the positional ones, which must be as
// many as there are names, without those at the end in brackets.
func (f flags) parse(args []string, names ...string) ([]string, error) {
	positional, err := f.split(args)
	if err != nil {
		return nil, err
	}
	return positional, match(positional, names)
}

// parseAll is parse for one positional argument or more, each of the same name.
func (f flags) parseAll(args []string, name string) ([]string, error) {
	positional, err := f.split(args)
	if err != nil {
		return nil, err
	}
	return positional, match(positional, slices.Repeat([]string{name}, max(1, len(positional))))
}

// split sets the flags and returns what is none.
func (f flags) split(args []string) (positional []string, err error) {
	for len(args) > 0 {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, errHelp
		} else if err != nil {
			return nil, &usageError{strings.ReplaceAll(err.Error(), "flag provided but not defined", "there is no flag")}
		}
		rest := f.Args()
		if len(rest) == 0 {
			break
		}
		if read := len(args) - len(rest); read > 0 && args[read-1] == "--" {
			positional = append(positional, rest...)
			break
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
	return positional, nil
}

// match refuses positional arguments that don't fit the names of those there are,
// of which those at the end in brackets may be left out.
func match(positional, names []string) error {
	needed := names
	for len(needed) > 0 && strings.HasPrefix(needed[len(needed)-1], "[") {
		needed = needed[:len(needed)-1]
	}
	switch {
	case len(positional) < len(needed):
		return usagef("missing: %s", strings.Join(needed[len(positional):], " and "))
	case len(positional) > len(names):
		return usagef("%q is one argument too many", positional[len(names)])
	}
	for i, value := range positional {
		if value == "" {
			return usagef("%s is empty", strings.Trim(names[i], "[]"))
		}
	}
	return nil
}

// given says whether a flag was set.
func (f flags) given(name string) bool {
	found := false
	f.Visit(func(set *flag.Flag) { found = found || set.Name == name })
	return found
}

// list is a flag that can be given several times.
type list []string

func (l *list) String() string { return fmt.Sprint([]string(*l)) }

// Set adds a value.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}
