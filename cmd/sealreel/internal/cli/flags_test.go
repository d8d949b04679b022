package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/seal"
)

func TestFlagsStandAnywhere(t *testing.T) {
	for args, want := range map[string]string{
		"-a 1 x y": "1 false x|y", "x -a 1 y": "1 false x|y", "x y -a=1 --b": "1 true x|y", "--b x -- y": " true x|y", "-- -a --b": " false -a|--b",
		"x -- -y": " false x|-y", "- x": " false -|x", "x --a=-- y": "-- false x|y",
	} {
		f := newFlags()
		a := f.String("a", "", "")
		b := f.Bool("b", false, "")
		got, err := f.parse(strings.Fields(args), "ONE", "TWO")
		if s := fmt.Sprintf("%s %v %s", *a, *b, strings.Join(got, "|")); err != nil || s != want {
			t.Errorf("%s: %q, %v, want %q", args, s, err, want)
		}
	}
	for args, want := range map[string]string{
		"": "missing: ONE and TWO", "x": "missing: TWO", "x y z": `"z" is one argument too many`, "x y -c": "no flag: -c", "x y -a": "needs an argument",
	} {
		f := newFlags()
		f.String("a", "", "")
		var usage *usageError
		if _, err := f.parse(strings.Fields(args), "ONE", "TWO"); !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
	if _, err := newFlags().parse([]string{"x", "-h"}); !errors.Is(err, errHelp) {
		t.Error(err)
	}
}

func TestHints(t *testing.T) {
	refused := fmt.Errorf("reading: %w", &net.OpError{Op: "dial", Err: errors.New("connection refused")})
	if !strings.Contains(hint(refused), "is `sealreel up` running") {
		t.Error(hint(refused))
	}
	if !strings.Contains(hint(errors.New("get identity: get credentials: none")), "no AWS credentials") || hint(io.EOF) != "" {
		t.Error("hints")
	}
	shown := plain(errors.New("S3: GetObject, https response error StatusCode: 403, RequestID: R, HostID: H=, api error AccessDenied: no"))
	if shown != "S3: GetObject, https response error StatusCode: 403, api error AccessDenied: no" {
		t.Error(shown)
	}
}

// The variables' file is named so that a POSIX shell reads that very file.
func TestShellPath(t *testing.T) {
	for path, want := range map[string]string{"env": "./env", "/a/env": "/a/env", "a b/env": "'a b/env'", "it's/env": `'it'\''s/env'`, ".sealreel/env": ".sealreel/env"} {
		if got := shellPath(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestTheCheckoutIsFoundFromWithin(t *testing.T) {
	root := t.TempDir()
	within := filepath.Join(root, "a", "b")
	if err := errors.Join(os.MkdirAll(within, 0o700), os.WriteFile(filepath.Join(root, "template.yaml"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(within)
	got, err := checkout("")
	if want, _ := filepath.EvalSymlinks(root); err != nil || got != want && got != root {
		t.Errorf("%s, %v, want %s", got, err, root)
	}
	if _, err := checkout(within); err == nil {
		t.Error("a folder without template.yaml is no checkout")
	}
}

// kms makes keys of zeros, and may refuse to.
type fakeKMS struct {
	sealed, disclosed error
	plaintext         []byte
}

func (k *fakeKMS) GenerateSealed(context.Context, string, int, map[string]string) ([]byte, error) {
	return []byte("sealed"), k.sealed
}

func (k *fakeKMS) Generate(_ context.Context, _ string, size int, _ map[string]string) (plaintext, ciphertext []byte, err error) {
	k.plaintext = []byte(strings.Repeat("k", size))
	return k.plaintext, []byte("wrapped"), k.disclosed
}

func TestAKeyThatIsNotAskedForIsWiped(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		kms  fakeKMS
		want string
		err  error
	}{
		{fakeKMS{}, "sealed", nil},
		{fakeKMS{sealed: fmt.Errorf("x: %w", seal.ErrAccess)}, "wrapped", nil},
		{fakeKMS{sealed: seal.ErrAccess, disclosed: broken}, "wrapped", broken},
		{fakeKMS{sealed: broken}, "sealed", broken},
	} {
		got, err := keyMaker{keys: &c.kms, size: 32}.sealed(t.Context())
		if !errors.Is(err, c.err) || string(got) != c.want || strings.Contains(string(c.kms.plaintext), "k") {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
}
