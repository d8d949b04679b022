package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sealreel/local/cloudwatch"
	"sealreel/local/fault"
	"sealreel/local/stack"
)

var upCommand = command{
	name: "up", args: "--dir DIR [--workers N] [--roles FILE] [--faults FILE] [--root CHECKOUT]",
	summary: "run an embedded AWS with Sealreel deployed on it",
	text: `
Builds the functions, starts S3, SQS, SNS, KMS, STS, Lambda and CloudWatch in this process with all
that template.yaml asks for, and runs until it is interrupted. The functions may do
what its roles and policies allow. When everything is ready it writes DIR/env, which
any AWS client can use:

  sealreel up --dir .sealreel &
  . .sealreel/env

  --dir DIR         state, logs and the variables; it survives a restart
  --workers N       chunks transcoded at a time; default: as the template says
  --roles FILE      further roles, for pipelines whose Role is not the functions'
                    own: a JSON list of what AWS::IAM::Role takes,
                    [{"RoleName": "tenant", "AssumeRolePolicyDocument": {...},
                      "Policies": [{"PolicyName": "p", "PolicyDocument": {...}}]}]
                    with ARNs of account ` + stack.Account + ` and region ` + stack.Region + `
  --faults FILE     what goes wrong on purpose, as docs/faults.md describes it; each
                    fault is logged when it fires
  --root CHECKOUT   folder of template.yaml; default: this one or one above

SEALREEL_CHUNK_SECONDS, SEALREEL_MAX_PIXELS, SEALREEL_X264_PRESET,
SEALREEL_FFMPEG, SEALREEL_FFPROBE and SEALREEL_LOG_LEVEL are handed to the
functions when they are set.`,
	run: up,
}

// tunable are the variables of functions that whoever runs them may set.
var tunable = []string{"SEALREEL_CHUNK_SECONDS", "SEALREEL_MAX_PIXELS", "SEALREEL_X264_PRESET", "SEALREEL_FFMPEG", "SEALREEL_FFPROBE", "SEALREEL_LOG_LEVEL"}

func up(ctx context.Context, t *terminal, args []string) (err error) {
	f := newFlags()
	dir := f.String("dir", "", "")
	workers := f.Int("workers", 0, "")
	rolesFile := f.String("roles", "", "")
	faultsFile := f.String("faults", "", "")
	root := f.String("root", "", "")
	if _, err := f.parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return usagef("--dir is missing: name a folder for its state")
	}
	if *workers < 0 {
		return usagef("--workers is %d: it must be 1 or more", *workers)
	}
	if *root, err = checkout(*root); err != nil {
		return err
	}
	var roles []stack.Role
	if *rolesFile != "" {
		if roles, err = stack.ReadRoles(*rolesFile); err != nil {
			return err
		}
	}
	var faults *fault.Plan
	if *faultsFile != "" {
		plan, err := fault.ReadFile(*faultsFile)
		if err != nil {
			return err
		}
		faults = &plan
	}
	s, err := stack.Up(ctx, stack.Config{
		Root: *root, Dir: *dir, Workers: *workers, Roles: roles, Faults: faults, Environment: tunables(t.getenv),
		Progress: func(step string) { t.note("%s", step) },
		OnAlarm:  alarmNotes(t),
		Log:      slog.New(slog.NewTextHandler(t.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	env := filepath.Join(*dir, "env")
	if err := s.WriteEnv(env); err != nil {
		return err
	}
	if err := announce(t, s.Exports(), *dir, env); err != nil {
		return err
	}
	<-ctx.Done()
	t.note("stopping")
	return nil
}

// alarmNotes tells of each alarm that goes off, and when that is over. It leaves
// out those that are on from the start, as the one on rounds of reconcile is until
// the first round.
func alarmNotes(t *terminal) func(cloudwatch.Change) {
	told := map[string]bool{}
	return func(c cloudwatch.Change) {
		name := c.Alarm.Name
		switch {
		case c.To == cloudwatch.Alarming && c.From == cloudwatch.OK:
			told[name] = true
			t.note("ALARM %s: %s\n  %s", name, c.Reason, c.Alarm.Description)
		case c.To == cloudwatch.OK && told[name]:
			t.note("alarm %s is over", name)
		}
	}
}

func tunables(getenv func(string) string) map[string]string {
	set := map[string]string{}
	for _, name := range tunable {
		if value := getenv(name); value != "" {
			set[name] = value
		}
	}
	return set
}

// announce says that everything is ready, where, and how to use it.
func announce(t *terminal, exports map[string]string, dir, env string) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(exports)) {
		if service, ok := strings.CutPrefix(name, "AWS_ENDPOINT_URL_"); ok {
			fmt.Fprintf(&b, "%-10s %s\n", service, exports[name])
		}
	}
	fmt.Fprintf(&b, "logs %s\nready: in another shell, run\n", filepath.Join(dir, "logs"))
	fmt.Fprintf(&b, "  . %s\n  sealreel put FILE\n", shellPath(env))
	_, err := io.WriteString(t.stdout, b.String())
	return err
}

// shellPath is a path that the shell's . command finds: one without a slash it
// would look for in PATH.
func shellPath(path string) string {
	if !strings.Contains(path, "/") {
		path = "./" + path
	}
	if strings.ContainsAny(path, " '\"$&;()<>|*?[]#~`\\") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// checkout finds the folder of template.yaml: the one given, or the current one
// or one above.
func checkout(given string) (string, error) {
	has := func(dir string) (bool, error) {
		_, err := os.Stat(filepath.Join(dir, "template.yaml"))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	if given != "" {
		ok, err := has(given)
		if err == nil && !ok {
			err = usagef("%s has no template.yaml: --root names a checkout of Sealreel", given)
		}
		return given, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		if ok, err := has(dir); err != nil || ok {
			return dir, err
		}
		if dir == filepath.Dir(dir) {
			return "", usagef("neither %s nor a folder above has template.yaml: run it in a checkout of Sealreel, or name one with --root", start)
		}
	}
}
