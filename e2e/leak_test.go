package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// leak is what a function does that is changed to be careless with keys.
const leak = `package seal

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func leak(raw []byte) {
	fmt.Fprintf(os.Stderr, "a key: %v\n", raw)
	_ = os.WriteFile(filepath.Join(os.TempDir(), "leak"), raw, 0o600)
	cmd := exec.Command("sh", "-c", "sleep 0.3; :", base64.StdEncoding.EncodeToString(raw))
	cmd.Env = []string{"KEY=" + hex.EncodeToString(raw)}
	_ = cmd.Run()
}
`

// TestLeakingFunctionIsFound builds a function with a pkg/seal that leaks each
// key, which stays as it is on the disk, and runs a job with it: the search that
// finds nothing in the real ones finds the keys in all places.
func TestLeakingFunctionIsFound(t *testing.T) {
	leaky := buildLeaky(t, "functions/ingest")
	name, key := unique(t), wrapped(t)
	quiet(t)
	restore := replaceFunction(t, "IngestFunction", leaky)
	w := startWatch()
	id := submit(t, sealedFile(name, name+"/", key))
	version(t, name, []byte("no film"), key)
	ended(t, id)
	quiet(t)
	w.stop()
	restore()
	hits := search(t, newSearcher(t, keyForms("the key", plainKey(t, *key))), w)
	for _, place := range []string{
		filepath.Join(site.dir, "logs"), "the short-lived " + filepath.Join(site.dir, "tmp"), "the arguments of a process", "the environment of a process",
	} {
		found := false
		for _, h := range hits {
			found = found || strings.HasPrefix(h.place, place)
		}
		if !found {
			t.Errorf("what leaks to %s is not found", place)
		}
	}
	forget(t, filepath.Join(site.dir, "logs", "IngestFunction.log"), "a key: ")
	rec := completed(t, submitBrief(t)) // the function is its own again
	if len(keys(t, rec.Job.OutputKeyPrefix)) == 0 {
		t.Error("nothing is published")
	}
}

// forget removes the lines of a log that hold a text, for tests that look for
// keys after this one.
func forget(t *testing.T, log, text string) {
	t.Helper()
	var kept []byte
	for line := range bytes.Lines(read(t, log)) {
		if !bytes.Contains(line, []byte(text)) {
			kept = append(kept, line...)
		}
	}
	if err := os.WriteFile(log, kept, 0o600); err != nil {
		t.Fatal(err)
	}
}

func submitBrief(t *testing.T) string {
	t.Helper()
	name, key := unique(t), wrapped(t)
	id := submit(t, sealedFile(name, name+"/", key))
	version(t, name, read(t, brief(t)), key)
	return id
}

// buildLeaky builds a function as it is deployed, but for the call of leak.
func buildLeaky(t *testing.T, source string) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "pkg/seal/key.go")
	const anchor = "func NewKey(raw []byte) (Key, error) {\n"
	before, after, found := strings.Cut(string(read(t, file)), anchor)
	if !found {
		t.Fatalf("%s has no line %q", file, anchor)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		file:                                    save(t, "key.go", []byte(before+anchor+"\tleak(raw)\n"+after)),
		filepath.Join(root, "pkg/seal/leak.go"): save(t, "leak.go", []byte(leak)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-overlay", save(t, "overlay.json", overlay), "-trimpath", "-tags", "lambda.norpc", "-o", program, "./"+source)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// replaceFunction puts another program in a function's place until restore.
func replaceFunction(t *testing.T, id, program string) (restore func()) {
	t.Helper()
	place := filepath.Join(site.dir, "functions", id, "bootstrap")
	good := read(t, place)
	install := func(b []byte) {
		next := place + ".next"
		if err := os.WriteFile(next, b, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, place); err != nil {
			t.Fatal(err)
		}
		for _, pid := range processes("sealreel-"+id, "sealreel-"+strings.ToLower(strings.TrimSuffix(id, "Function"))) { // warm ones
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}
	}
	install(read(t, program))
	restored := false
	restore = func() {
		if !restored {
			restored = true
			install(good)
		}
	}
	t.Cleanup(restore)
	return restore
}
