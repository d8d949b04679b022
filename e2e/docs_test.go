package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sealreel/local/stack"
	"sealreel/pkg/job"
)

// fence is a fenced block of a document. After its language stands what it is
// for: the name of a file, or a mode that its commands are about, in=MODE or
// out=MODE, perhaps only the beginning of one, or several with | between.
type fence struct{ language, of, text string }

// fences are the blocks of a document in their order.
func fences(t *testing.T, file string) []fence {
	t.Helper()
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []fence
	var open *fence
	for line := range strings.Lines(string(doc)) {
		info, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && open == nil:
			language, of, _ := strings.Cut(strings.TrimSpace(info), " ")
			open = &fence{language: language, of: of}
		case isFence:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line
		}
	}
	if open != nil {
		t.Fatalf("%s: a block does not end", file)
	}
	return all
}

// script is the commands for an input and an output of the modes. Blocks of
// other languages that name a file are that file.
func script(t *testing.T, dir string, blocks []fence, in, out string) string {
	t.Helper()
	var all strings.Builder
	for _, b := range blocks {
		side, mode, isSide := strings.Cut(b.of, "=")
		switch {
		case b.language != "sh" && b.of != "":
			if err := os.WriteFile(filepath.Join(dir, b.of), []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
		case b.language != "sh":
		case !isSide, side == "in" && isOneOf(in, mode), side == "out" && isOneOf(out, mode):
			all.WriteString(b.text)
		}
	}
	return all.String()
}

func isOneOf(mode, prefixes string) bool {
	return slices.ContainsFunc(strings.Split(prefixes, "|"), func(prefix string) bool { return strings.HasPrefix(mode, prefix) })
}

// TestDocumentedCommands runs what docs/encryption.md tells users to do by hand,
// with the aws command where it is installed and, in two of the cases or where it
// isn't, with what stands in for it.
func TestDocumentedCommands(t *testing.T) {
	for _, program := range []string{"openssl", "sh", "go"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the optional program %s is not installed", program)
		}
	}
	blocks := fences(t, "../docs/encryption.md")
	film := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", "-c:v", "libx264", "-preset", "ultrafast")
	standIn := standInFor(t, "aws")
	for _, c := range []struct {
		in, out string
		own     bool // never the installed aws
	}{
		{job.ModeCBC, job.ModeCBC, false},
		{job.ModeCTR, job.ModeCTR, true},
		{job.ModeGCM, job.ModeGCM, false},
		{job.ModeCTR, job.ModeS3EC, true},
	} {
		t.Run(c.in+" to "+c.out, func(t *testing.T) {
			t.Parallel()
			dir, name := t.TempDir(), unique(t)
			if err := os.Link(film, filepath.Join(dir, name+".mp4")); err != nil {
				t.Fatal(err)
			}
			path := os.Getenv("PATH")
			if _, err := exec.LookPath("aws"); err != nil || c.own {
				path = standIn + string(filepath.ListSeparator) + path
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script(t, dir, blocks, c.in, c.out))
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+path, "AWS_DEFAULT_REGION="+stack.Region, "mode="+c.in, "out="+c.out, "name="+name)
			for name, value := range site.Exports() {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, logs())
			}
			if n := len(frames(t, filepath.Join(dir, "web.mp4"))); n != 60 {
				t.Errorf("what is decrypted by hand has %d frames, want 60", n)
			}
			if _, err := os.Stat(filepath.Join(dir, "key")); err == nil {
				t.Error("a key is left")
			}
		})
	}
}

// TestDocumentedNames: documents name the tests that guard what they promise.
func TestDocumentedNames(t *testing.T) {
	known := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for line := range strings.Lines(string(code)) {
			if name, isFunc := strings.CutPrefix(line, "func "); isFunc {
				name, _, _ = strings.Cut(name, "(")
				known[name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, word := range strings.FieldsFunc(string(doc), func(r rune) bool { return strings.ContainsRune("` |,\n", r) }) {
		if strings.HasPrefix(word, "Test") && len(word) > len("Test") {
			named[word] = true
		}
	}
	if len(named) < 10 {
		t.Errorf("docs/security.md names only %d tests", len(named))
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !known[name] {
			t.Errorf("docs/security.md names %s, which is no test", name)
		}
	}
}
