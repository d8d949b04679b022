package ffmpeg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shell is a command that runs a script; a shell stands in for a program that
// does what ffmpeg must not do.
func shell(script string) Command {
	return Command{Path: "/bin/sh", Args: []string{"-c", script}}
}

// output runs c and returns its standard output, which must succeed.
func output(t *testing.T, c Command) string {
	t.Helper()
	var out bytes.Buffer
	c.Stdout = &out
	if _, err := Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestProgramSeesNothingOfUs(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
	if env := output(t, Command{Path: "/usr/bin/env"}); env != "AV_LOG_FORCE_NOCOLOR=1\n" {
		t.Errorf("environment: %q", env)
	}
	inherited, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0) // without O_CLOEXEC
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	hideDescriptors()
	// 3 is the listing itself.
	out := output(t, shell(`pwd; if read x; then echo input; fi; ls /proc/self/fd`))
	if out != "/\n0\n1\n2\n3\n" {
		t.Errorf("directory, input and descriptors: %q", out)
	}
}

// A program that was taken over must not read the credentials of the function
// that started it. Root may read everything, so there only the switch is seen.
func TestTheFunctionIsHidden(t *testing.T) {
	t.Setenv("SEALREEL_TEST_CREDENTIAL", "a secret of the function")
	out := output(t, shell(`for f in environ mem maps; do cat /proc/$PPID/$f >/dev/null 2>&1 && echo read $f; done; true`))
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("the process is open to others: %d, %v", dumpable, err)
	}
	if os.Getuid() != 0 && out != "" {
		t.Errorf("a program of the same user did %s", out)
	}
}

func TestLimitsAreSet(t *testing.T) {
	c := Command{Path: "/bin/cat", Args: []string{"/proc/self/limits"}, Limits: Limits{Memory: 123 << 20}}
	out := output(t, c)
	for name, value := range map[string]int{
		"Max file size": 0, "Max core file size": 0, "Max open files": openFiles, "Max data size": 123 << 20,
	} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s +%d +%d `, name, value, value)).MatchString(out) {
			t.Errorf("no limit %q of %d in\n%s", name, value, out)
		}
	}
	c.Limits.Memory = 0
	if out := output(t, c); !regexp.MustCompile(`(?m)^Max data size +unlimited`).MatchString(out) {
		t.Errorf("memory is limited unasked:\n%s", out)
	}
}

// Where tracing is forbidden, the limits are set on the running program.
func TestLimitsWithoutTracing(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out bytes.Buffer
	p := prepare(t.Context(), shell("sleep 0.2; cat /proc/self/limits"), false)
	p.Stdout = &out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.confine(0), p.Wait()); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^Max file size +0 +0 `).MatchString(out.String()) {
		t.Errorf("no limit in\n%s", out.String())
	}
}

// TestProgramCannotWriteFiles: none can be opened, and in one that is open nothing
// can be written, so that a kernel without the means of the sandbox does too.
func TestProgramCannotWriteFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plaintext")
	r, err := Run(t.Context(), Command{Path: "/bin/dd", Args: []string{"if=/dev/zero", "of=" + path, "count=1"}})
	exit := (*ExitError)(nil)
	if !errors.As(err, &exit) || exit.Signal == 0 && r.Sandbox == (Sandbox{}) {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(path); len(b) != 0 {
		t.Errorf("%d bytes were written", len(b))
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p := prepare(t.Context(), shell("sleep 0.3; exec dd if=/dev/zero count=1"), false)
	p.Stdout = file
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	err = classify(t.Context(), "dd", p.Cmd, errors.Join(p.confine(0), p.Wait()), "")
	if !errors.As(err, &exit) || exit.Signal != syscall.SIGXFSZ || !strings.Contains(err.Error(), "tried to write a file") {
		t.Errorf("got %v", err)
	}
}

func TestExitError(t *testing.T) {
	for _, c := range []struct {
		script string
		want   ExitError
	}{
		{"exit 3", ExitError{"sh", 3, 0, ""}},
		{"echo 'a: bad data' >&2; echo Conversion failed! >&2; exit 1", ExitError{"sh", 1, 0, "a: bad data"}},
		{"kill -SEGV $$", ExitError{"sh", -1, syscall.SIGSEGV, ""}},
	} {
		r, err := Run(t.Context(), shell(c.script))
		exit := (*ExitError)(nil)
		if !errors.As(err, &exit) || *exit != c.want {
			t.Errorf("%q: %v", c.script, err)
		}
		if r.MaxRSS == 0 || r.Wall == 0 {
			t.Errorf("%q: result %+v", c.script, r)
		}
	}
}

func TestResultCountsCPU(t *testing.T) {
	r, err := Run(t.Context(), shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"))
	if err != nil || r.User+r.System < 10*time.Millisecond {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestMissingProgram(t *testing.T) {
	_, err := Run(t.Context(), Command{Path: "/nonexistent/ffmpeg"})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "installed") {
		t.Errorf("got %v", err)
	}
}

func TestEndOfContextKillsTheGroup(t *testing.T) {
	why := errors.New("the function's deadline")
	for name, c := range map[string]struct {
		limits Limits
		cancel bool
		want   error
	}{
		"context": {Limits{}, true, why},
		"wall":    {Limits{Wall: 300 * time.Millisecond}, false, ErrTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.cancel {
				time.AfterFunc(300*time.Millisecond, func() { cancel(why) })
			}
			var out bytes.Buffer
			command := shell("sleep 100 & echo $!; sleep 100 & echo $!; wait")
			command.Stdout, command.Limits = &out, c.limits
			r, err := Run(ctx, command)
			if !errors.Is(err, c.want) || r.Wall > 5*time.Second {
				t.Errorf("%v after %v", err, r.Wall)
			}
			mustBeDead(t, out.String(), 2)
		})
	}
}

func TestContextThatHasEnded(t *testing.T) {
	why := errors.New("too late")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := Run(ctx, shell("exit 0")); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

func TestNothingOutlivesTheProgram(t *testing.T) {
	began := time.Now()
	mustBeDead(t, output(t, shell("sleep 100 & echo $!")), 1)
	if took := time.Since(began); took > drain {
		t.Errorf("Run waited %v for a pipe", took)
	}
}

// mustBeDead checks the processes whose numbers out holds.
func mustBeDead(t *testing.T, out string, count int) {
	t.Helper()
	pids := strings.Fields(out)
	if len(pids) != count {
		t.Fatalf("process numbers: %q", out)
	}
	for _, field := range pids {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				syscall.Kill(pid, syscall.SIGKILL)
				t.Fatalf("process %d lives", pid)
			}
		}
	}
}

// alive says whether a process exists and is no zombie that awaits its reaper.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

// The test binary runs itself with this variable to be a worker that dies.
const workerVariable = "SEALREEL_TEST_WORKER"

func TestProgramDiesWithItsWorker(t *testing.T) {
	if os.Getenv(workerVariable) != "" {
		c := shell("echo $$; exec sleep 100")
		c.Stdout = os.Stdout
		Run(context.Background(), c)
		return
	}
	worker := exec.Command(os.Args[0], "-test.run=^TestProgramDiesWithItsWorker$")
	worker.Env = append(os.Environ(), workerVariable+"=1")
	pipe, err := worker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(pipe, &pid); err != nil || !alive(pid) {
		t.Fatalf("process %d: %v", pid, err)
	}
	worker.Process.Kill()
	worker.Wait()
	mustBeDead(t, strconv.Itoa(pid), 1)
}

// The death signal follows the thread that forked the program: threads that
// end meanwhile must not take it along.
func TestProgramOutlivesOtherThreads(t *testing.T) {
	done := make(chan error)
	go func() {
		_, err := Run(t.Context(), shell("sleep 0.5"))
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			go runtime.LockOSThread() // ends with its goroutine locked, so the thread ends
			time.Sleep(time.Millisecond)
		}
	}
}

func TestStdoutIsBounded(t *testing.T) {
	r, err := Run(t.Context(), shell("while :; do echo flood; done"))
	if !errors.Is(err, ErrFlood) || r.Wall > 10*time.Second {
		t.Errorf("%v after %v", err, r.Wall)
	}
	c := shell("printf 12345")
	c.Limits.Stdout = 5
	if out := output(t, c); out != "12345" {
		t.Errorf("got %q", out)
	}
	c.Limits.Stdout = 4
	if _, err := Run(t.Context(), c); !errors.Is(err, ErrFlood) {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestFailingStdoutStopsTheProgram(t *testing.T) {
	why := errors.New("too many frames")
	c := shell("echo x; sleep 100")
	c.Stdout = failingWriter{why}
	r, err := Run(t.Context(), c)
	if !errors.Is(err, why) || r.Wall > 5*time.Second {
		t.Errorf("%v after %v", err, r.Wall)
	}
}

func TestStderrFloodCostsNoMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := Run(t.Context(), Command{Path: "/bin/sh", Args: []string{"-c",
		"head -c 100000000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo end >&2"}})
	runtime.ReadMemStats(&after)
	if err != nil || r.Stderr != "end\n" {
		t.Errorf("%q, %v", r.Stderr, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

func TestTokensAreRedacted(t *testing.T) {
	token := strings.Repeat("0123456789abcdef", 2)
	c := shell("echo \"http://127.0.0.1:4711/" + token + "/input: Invalid data\" >&2; echo GET /" + token + "/input >&2; exit 1")
	r, err := Run(t.Context(), c)
	if strings.Contains(r.Stderr+err.Error(), token) || r.Stderr != "input: Invalid data\nGET input\n" {
		t.Errorf("%q, %v", r.Stderr, err)
	}
}
