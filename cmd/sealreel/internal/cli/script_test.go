package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"sealreel": func() { os.Exit(Run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) },
	})
}

// The scripts in testdata/script call the command as a user does.
func TestScripts(t *testing.T) {
	s := serve(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			for name, value := range s.env {
				env.Setenv(name, value)
			}
			env.Setenv("OTHER_KEY_ARN", s.other)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "capture": capture, "json": field, "wraps": s.wraps, "sealed": s.sealed, "rewrap": s.rewrap, "mode": mode,
			"opens": opens, "template": template, "damage": damage, "alter": s.alter, "stalls": s.stalls, "queued": s.queued, "kmswrap": s.kmswrap, "waits": s.waits,
			"swap": s.swap, "clientwrites": s.clientwrites, "clientreads": s.clientreads,
		},
	})
}

// exits CODE COMMAND... runs a command that must exit with the code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("it exited with %d, not %d", got, want)
	}
}

// capture NAME sets a variable to the last standard output, which must be one
// line.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile("stdout")
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("%q is not one line", text)
	}
	ts.Setenv(args[0], strings.TrimSpace(text))
}

// json PATH VALUE looks for a value in the last line of standard output, or in
// all of it when it is one document. [!] json PATH wants that there is anything.
func field(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSpace(ts.ReadFile("stdout"))
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		ts.Check(json.Unmarshal([]byte(text[strings.LastIndexByte(text, '\n')+1:]), &v))
	}
	for name := range strings.SplitSeq(args[0], ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			i, err := strconv.Atoi(name)
			ts.Check(err)
			if i >= len(at) {
				ts.Fatalf("%s: there are only %d", args[0], len(at))
			}
			v = at[i]
		default:
			v = nil
		}
	}
	if len(args) == 1 {
		if (v == nil) != neg {
			ts.Fatalf("%s is %v", args[0], v)
		}
		return
	}
	var b bytes.Buffer
	ts.Check(json.NewEncoder(&b).Encode(v))
	if got := strings.Trim(strings.TrimSpace(b.String()), `"`); (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// wraps FRAGMENT FILE checks that the Encryption fragment wraps the key in the
// file, and says so by its KeyMd5.
func (s *service) wraps(ts *testscript.TestScript, _ bool, args []string) {
	var e job.Encryption
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &e))
	v, err := s.vault.Open(context.Background(), plan.Keys{KeyARN: s.keyARN, Context: s.context})
	ts.Check(err)
	defer v.Close()
	e.Mode = job.ModeSSEC
	_, err = v.Seal(context.Background(), &e)
	raw := ts.ReadFile(args[1])
	if len(raw) == 32 {
		ts.Check(err)
	} else if err == nil || !strings.Contains(err.Error(), strconv.Itoa(8*len(raw))+" bit") {
		ts.Fatalf("a key of %d bytes: %v", len(raw), err)
	}
	if strings.Contains(ts.ReadFile(args[0]), base64.StdEncoding.EncodeToString([]byte(raw))) {
		ts.Fatalf("the fragment has the key")
	}
}

// sealed BUCKET KEY checks that an object can't be read without its key, ! that
// it can.
func (s *service) sealed(ts *testscript.TestScript, neg bool, args []string) {
	_, err := s.store.Head(context.Background(), s3store.Object{Bucket: args[0], Key: args[1]}, nil)
	if neg {
		ts.Check(err)
	} else if !errors.Is(err, object.ErrNeedsKey) {
		ts.Fatalf("%s: %v", args[1], err)
	}
}

// rewrap JOB makes the job's plan say that another KMS key wrapped its keys.
func (s *service) rewrap(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	p, err := s.ledger.Plan(ctx, args[0])
	ts.Check(err)
	p.Keys.KeyARN = s.other
	body, err := json.Marshal(p)
	ts.Check(err)
	ts.Check(s.store.Put(ctx, "state-bucket", "plans/"+args[0]+".json", body))
}

// mode FILE MODE SIZE checks a file.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := info.Mode().String(); got != args[1] || strconv.FormatInt(info.Size(), 10) != args[2] {
		ts.Fatalf("%s has mode %s and %d bytes", args[0], got, info.Size())
	}
}
