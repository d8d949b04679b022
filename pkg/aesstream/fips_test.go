package aesstream

import (
	"crypto/fips140"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
)

// inFIPS marks a process that a test of this file started.
const inFIPS = "AESSTREAM_TEST_FIPS"

// With fips140=on every stream works.
func TestFIPSOn(t *testing.T) {
	rerun(t, "on", "^(TestStreamsByteByByte|TestVectors|TestReaderAtIsAReaderAt|TestVerifyGCM|TestGCMCounterWraps)$")
}

// With fips140=only CBC and CTR work, and GCM is refused when it is opened: the
// standard library encrypts there under IVs of its own only.
func TestFIPSOnly(t *testing.T) {
	if os.Getenv(inFIPS) != "only" {
		rerun(t, "only", "^TestFIPSOnly$")
		return
	}
	if !fips140.Enforced() {
		t.Fatal("this process is not what the test is about")
	}
	for _, f := range formats {
		p := f.params(16)
		w, err := NewWriter(io.Discard, p)
		if f.mode == GCM {
			var param *ParamError
			if err == nil || errors.As(err, &param) {
				t.Errorf("%s: %v", f, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 2*chunkSize)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// rerun runs tests of this binary in a process of that FIPS mode.
func rerun(t *testing.T, mode, tests string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run", tests)
	cmd.Env = append(os.Environ(), "GODEBUG=fips140="+mode, inFIPS+"="+mode)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("with fips140=%s: %v\n%s", mode, err, out)
	}
}
