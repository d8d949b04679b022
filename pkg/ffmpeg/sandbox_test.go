package ffmpeg

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Shells and what they run stand in for ffmpeg in these tests.
func init() {
	libraries = append(libraries, "/bin", "/usr/bin")
	systemFiles = append(systemFiles, "/dev/zero", "/proc")
}

// anotherProgram is one that no test runs otherwise.
const anotherProgram = "/sbin/ldconfig"

// The test binary runs itself in the sandbox with this argument, as a program that
// somebody took over, and tells what it could do.
const takenOver = "taken-over"

// TestSandbox: what holds ffmpeg holds it too when it does what its own code
// never does.
func TestSandbox(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	all := systemFiles
	t.Cleanup(func() { systemFiles = all })
	systemFiles = slices.DeleteFunc(slices.Clone(all), func(path string) bool { return path == "/proc" })
	c := newCanary(t)
	allowed := newCanary(t)
	var out bytes.Buffer
	r, err := Run(t.Context(), Command{Path: os.Args[0], Stdout: &out, Args: []string{"-test.run=^TestTakenOver$", takenOver, secret, c.addr, "http://" + allowed.addr + "/"}})
	if err != nil {
		t.Fatalf("%v: %s", err, r.Stderr)
	}
	t.Logf("in %s:\n%s", r.Sandbox, out.String())
	for what, by := range map[string]bool{
		"read":           r.Sandbox.Landlock > 0,
		"list":           r.Sandbox.Landlock > 0,
		"parent":         r.Sandbox.Landlock > 0 || os.Getuid() != 0,
		"write":          r.Sandbox.Landlock > 0 || r.Sandbox.Seccomp,
		"remove":         r.Sandbox.Landlock > 0 || r.Sandbox.Seccomp,
		"connect":        r.Sandbox.Landlock >= netVersion,
		"listen":         r.Sandbox.Landlock >= netVersion || r.Sandbox.Seccomp,
		"unix":           r.Sandbox.Seccomp,
		"udp":            r.Sandbox.Seccomp,
		"run":            r.Sandbox.Landlock > 0,
		"connect to its": false,
	} {
		if could := strings.Contains(out.String(), "could "+what+"\n"); could == by {
			t.Errorf("%s: could %v, held %v", what, could, by)
		}
	}
	if n := c.count.Load(); r.Sandbox.Landlock >= netVersion && n > 0 {
		t.Errorf("%d connections left the sandbox", n)
	}
	if allowed.count.Load() == 0 {
		t.Error("its own server could not be reached")
	}
	if body, err := os.ReadFile(secret); err != nil || string(body) != "secret" {
		t.Errorf("the file is %q now: %v", body, err)
	}
	// The sandbox is the program's and not ours.
	if _, err := os.ReadFile(secret); err != nil {
		t.Error(err)
	}
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Error(err)
	} else {
		l.Close()
	}
}

// TestTakenOver is the program of TestSandbox.
func TestTakenOver(t *testing.T) {
	at := -1
	for i, arg := range os.Args {
		if arg == takenOver {
			at = i
		}
	}
	if at < 0 {
		t.Skip("the program of TestSandbox")
	}
	secret, elsewhere := os.Args[at+1], os.Args[at+2]
	its := strings.TrimSuffix(strings.TrimPrefix(os.Args[at+3], "http://"), "/")
	try := func(what string, f func() error) {
		if err := f(); err == nil {
			fmt.Fprintf(os.Stdout, "could %s\n", what)
		} else {
			fmt.Fprintf(os.Stdout, "%s: %v\n", what, err)
		}
	}
	connect := func(network, address string) func() error {
		return func() error {
			conn, err := net.Dial(network, address)
			if err == nil {
				conn.Close()
			}
			return err
		}
	}
	try("read", func() error { _, err := os.ReadFile(secret); return err })
	try("list", func() error { _, err := os.ReadDir(filepath.Dir(secret)); return err })
	try("parent", func() error { _, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid())); return err })
	try("write", func() error { _, err := os.Create(secret + "2"); return err })
	try("remove", func() error { return os.Remove(secret) })
	try("connect", connect("tcp", elsewhere))
	try("connect to its", connect("tcp", its))
	try("udp", connect("udp", elsewhere))
	try("unix", func() error {
		l, err := net.Listen("unix", "@sealreel-test")
		if err == nil {
			l.Close()
		}
		return err
	})
	try("listen", func() error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			l.Close()
		}
		return err
	})
	try("run", func() error {
		p, err := os.StartProcess(anotherProgram, []string{anotherProgram}, &os.ProcAttr{})
		if err == nil {
			_, err = p.Wait()
		}
		return err
	})
}

func TestPorts(t *testing.T) {
	got := portsOf([]string{"-i", "http://127.0.0.1:8080/0/in", "http://127.0.0.1:8080/1/out", "http://127.0.0.1:70000/", "http://10.0.0.1:80/", "http://127.0.0.1:99/x"})
	if fmt.Sprint(got) != "[8080 99]" {
		t.Errorf("%v", got)
	}
}
