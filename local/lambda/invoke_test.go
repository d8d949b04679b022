package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestInvoke(t *testing.T) {
	var log lines
	h := openHost(t, Config{OnLine: log.add})
	deploy(t, h, "Echo", func(f *Function) { f.Timeout = 2 * time.Second })
	for _, c := range []struct {
		name     string
		request  request
		payload  string // a part of it
		function string // FunctionError
	}{
		{"echo", request{Do: "echo", Text: "hé <b>"}, `"hé <b>"`, ""},
		{"error", request{Do: "fail", Text: "broken"}, `"errorMessage":"broken"`, Unhandled},
		{"error keeps its type", request{Do: "fail", Text: "broken"}, `"errorType":"errorString"`, Unhandled},
		{"panic", request{Do: "panic", Text: "oh no"}, `"errorMessage":"oh no"`, Unhandled},
		{"after the panic", request{Do: "echo", Text: "alive"}, `"alive"`, ""},
		{"exit", request{Do: "exit"}, `Runtime exited with error: exit status 3","errorType":"Runtime.ExitError"`, Unhandled},
		{"after the exit", request{Do: "echo", Text: "alive"}, `"alive"`, ""},
		{"timeout", request{Do: "sleep", Sleep: time.Minute}, `Task timed out after 2.00 seconds","errorType":"Sandbox.Timedout"`, Unhandled},
		{"after the timeout", request{Do: "echo", Text: "alive"}, `"alive"`, ""},
		{"too large", request{Do: "large"}, `Function.ResponseSizeTooLarge`, Unhandled},
		{"after the large one", request{Do: "echo", Text: "alive"}, `"alive"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := invoke(t, h, "Echo", c.request)
			if r.FunctionError != c.function || !strings.Contains(string(r.Payload), c.payload) {
				t.Errorf("result is %q %.300s, want %q %s", r.FunctionError, r.Payload, c.function, c.payload)
			}
			if !strings.Contains(log.all(), "START RequestId: "+r.RequestID+" Version: $LATEST") {
				t.Error("the log has no START line")
			}
		})
	}
	if n := h.Warm("Echo"); n > 1 {
		t.Errorf("%d environments for one invocation at a time", n)
	}
	if err := h.Cool("Echo"); err != nil || h.Warm("Echo") != 0 {
		t.Errorf("%d environments are warm after they were ended: %v", h.Warm("Echo"), err)
	}
	if r := invoke(t, h, "Echo", request{Do: "echo", Text: "anew"}); r.FunctionError != "" || h.Warm("Echo") != 1 {
		t.Errorf("after that: %+v", r)
	}
}

func TestInvokeRefusals(t *testing.T) {
	h := openHost(t, Config{})
	deploy(t, h, "Echo", nil)
	if _, err := h.Invoke(t.Context(), "Nobody", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown function: %v", err)
	}
	if _, err := h.Invoke(t.Context(), "Echo", make([]byte, MaxSyncPayload+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("large payload: %v", err)
	}
	if _, err := h.InvokeAsync("Echo", make([]byte, MaxAsyncPayload+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("large event: %v", err)
	}
	if _, err := h.InvokeAsync("Echo", []byte("{")); err == nil {
		t.Error("an event that is no JSON was accepted")
	}
	h.Close()
	if _, err := h.Invoke(t.Context(), "Echo", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestDeployRefusals(t *testing.T) {
	h := openHost(t, Config{})
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	notRunnable := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(notRunnable, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := Function{ID: "A", Name: "a", ARN: "arn:a", Program: program, Timeout: time.Second}
	for _, c := range []struct {
		want   string
		change func(*Function)
	}{
		{"needs an id", func(f *Function) { f.ID = "../a" }},
		{"needs a timeout", func(f *Function) { f.Timeout = 0 }},
		{"find the bootstrap", func(f *Function) { f.Program = "/nowhere/bootstrap" }},
		{"no program that can be run", func(f *Function) { f.Program = notRunnable }},
		{"AWS_REGION is Lambda's own", func(f *Function) { f.Environment = map[string]string{"AWS_REGION": "x"} }},
	} {
		spec := good
		c.change(&spec)
		if err := h.Deploy(spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, want %q", err, c.want)
		}
	}
	if err := h.Deploy(good); err != nil {
		t.Fatal(err)
	}
	if err := h.Deploy(good); err == nil || !strings.Contains(err.Error(), "there is a function A already") {
		t.Errorf("a second time: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "1")
	h := openHost(t, Config{})
	deploy(t, h, "Echo", func(f *Function) { f.Environment = map[string]string{"MINE": "a=b", "TZ": "UTC"} })
	var list []string
	if err := json.Unmarshal(invoke(t, h, "Echo", request{Do: "environment"}).Payload, &list); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		got[name] = value
	}
	for name, want := range map[string]string{
		"MINE": "a=b", "TZ": "UTC", "AWS_LAMBDA_FUNCTION_NAME": "stack-Echo", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/stack-Echo", "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "SRFNEcho", "AWS_SECRET_ACCESS_KEY": "secret", "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for _, name := range []string{"SECRET_OF_THE_HOST", "HOME", "AWS_SESSION_TOKEN"} {
		if value, ok := got[name]; ok {
			t.Errorf("the function sees %s=%s", name, value)
		}
	}
	for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "LAMBDA_TASK_ROOT", "TMPDIR"} {
		if got[name] == "" {
			t.Errorf("the function doesn't see %s", name)
		}
	}
}

func TestDeadline(t *testing.T) {
	h := openHost(t, Config{})
	deploy(t, h, "Echo", func(f *Function) { f.Timeout = 10 * time.Second })
	before := time.Now()
	var ms int64
	if err := json.Unmarshal(invoke(t, h, "Echo", request{Do: "deadline"}).Payload, &ms); err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(ms)
	if at.Before(before.Add(10*time.Second-time.Millisecond)) || at.After(time.Now().Add(10*time.Second)) {
		t.Errorf("deadline is %v after the call, want 10 s", at.Sub(before))
	}
}

// TestReuse checks that an environment serves one invocation after the
// other and that more of them come only when they are needed.
func TestReuse(t *testing.T) {
	h := openHost(t, Config{})
	deploy(t, h, "Echo", func(f *Function) { f.MaxEnvironments = 3 })
	var first, second struct{ PID, Invocations int }
	json.Unmarshal(invoke(t, h, "Echo", request{Do: "count"}).Payload, &first)
	json.Unmarshal(invoke(t, h, "Echo", request{Do: "count"}).Payload, &second)
	if first.PID != second.PID || second.Invocations != 2 {
		t.Errorf("the first invocation was %+v, the second %+v", first, second)
	}
	var calls sync.WaitGroup
	for range 6 {
		calls.Go(func() { invoke(t, h, "Echo", request{Do: "sleep", Sleep: 100 * time.Millisecond}) })
	}
	calls.Wait()
	if n := h.Warm("Echo"); n != 3 {
		t.Errorf("%d environments after six calls at once, want the limit of 3", n)
	}
}

// TestFrozen checks that an idle environment doesn't run.
func TestFrozen(t *testing.T) {
	h := openHost(t, Config{})
	deploy(t, h, "Echo", nil)
	var r struct{ PID int }
	json.Unmarshal(invoke(t, h, "Echo", request{Do: "count"}).Payload, &r)
	until(t, "freezing", func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(r.PID) + "/stat")
		return err != nil || strings.Contains(string(stat), ") T ")
	})
}

func TestIdleEnvironmentKilledFromOutside(t *testing.T) {
	h := openHost(t, Config{})
	deploy(t, h, "Echo", nil)
	var first, second struct{ PID int }
	json.Unmarshal(invoke(t, h, "Echo", request{Do: "count"}).Payload, &first)
	process, err := os.FindProcess(first.PID)
	if err != nil {
		t.Fatal(err)
	}
	process.Kill()
	idle := h.functions["Echo"].idle[0]
	until(t, "the death", func() bool { return !idle.process.isAlive() })
	json.Unmarshal(invoke(t, h, "Echo", request{Do: "count"}).Payload, &second)
	if second.PID == 0 || second.PID == first.PID {
		t.Errorf("the second invocation ran in process %d, the first in %d", second.PID, first.PID)
	}
}

// TestChildrenDie checks that what a function started is gone after a
// timeout, a crash and Close.
func TestChildrenDie(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout time.Duration
		sleep   time.Duration
		end     func(h *Host)
	}{
		{"timeout", time.Second, time.Minute, func(*Host) {}},
		{"close while idle", time.Minute, 0, func(h *Host) { h.Close() }},
		{"crash", time.Minute, 0, func(h *Host) { h.Invoke(context.Background(), "Echo", []byte(`{"Do":"exit"}`)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := openHost(t, Config{})
			deploy(t, h, "Echo", func(f *Function) { f.Timeout = c.timeout })
			file := filepath.Join(t.TempDir(), "pid")
			invoke(t, h, "Echo", request{Do: "child", Text: file, Sleep: c.sleep})
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(string(text))
			if err != nil {
				t.Fatal(err)
			}
			c.end(h)
			until(t, "the child's death", func() bool { return !processExists(pid) })
		})
	}
}

// TestHostKilled checks that functions die with a host that can't clean up.
func TestHostKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux: other systems have no signal on the death of a parent")
	}
	dir := t.TempDir()
	host := exec.Command(os.Args[0])
	host.Env = append(os.Environ(), "TEST_HOST_DIR="+dir)
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	until(t, "the function's start", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "pid"))
		pid, _ = strconv.Atoi(string(text))
		return pid > 0
	})
	host.Process.Kill()
	host.Wait()
	until(t, "the function's death", func() bool { return !processExists(pid) })
}

func TestCloseWhileBusy(t *testing.T) {
	h := openHost(t, Config{})
	deploy(t, h, "Echo", nil)
	failed := make(chan error, 1)
	go func() {
		_, err := h.Invoke(context.Background(), "Echo", []byte(`{"Do":"sleep","Sleep":60000000000}`))
		failed <- err
	}()
	until(t, "the start", func() bool { return h.Warm("Echo") == 1 })
	begun := time.Now()
	h.Close()
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("the busy invocation ended with %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
}

func TestStartFailures(t *testing.T) {
	for _, c := range []struct{ start, want string }{
		{"exit", "Runtime exited during init: exit status 7"},
		{"hang", "init took longer than 300ms"},
	} {
		var log lines
		h := openHost(t, Config{InitTimeout: 300 * time.Millisecond, OnLine: log.add})
		deploy(t, h, "Echo", func(f *Function) { f.Environment = map[string]string{"START": c.start} })
		r := invoke(t, h, "Echo", request{Do: "echo"})
		if r.FunctionError != Unhandled || !strings.Contains(string(r.Payload), c.want) {
			t.Errorf("%s: result is %s", c.start, r.Payload)
		}
		if c.start == "exit" && !strings.Contains(log.all(), "can't start") {
			t.Errorf("what the bootstrap printed is not in the log: %s", log.all())
		}
		if h.Warm("Echo") != 0 {
			t.Errorf("%s: an environment is left", c.start)
		}
	}
}

// TestGoodbye checks that a function which asked for it gets SIGTERM.
func TestGoodbye(t *testing.T) {
	h := openHost(t, Config{})
	file := filepath.Join(t.TempDir(), "bye")
	deploy(t, h, "Echo", func(f *Function) { f.Environment = map[string]string{"GOODBYE": file} })
	invoke(t, h, "Echo", request{Do: "echo"})
	h.Close()
	if text, err := os.ReadFile(file); err != nil || string(text) != "bye" {
		t.Errorf("the function left %q, %v", text, err)
	}
}

func TestLog(t *testing.T) {
	dir := t.TempDir()
	h := openHost(t, Config{Dir: dir})
	deploy(t, h, "Echo", nil)
	r := invoke(t, h, "Echo", request{Do: "print", Text: "one\ntwo\nhalf"})
	long := strings.Repeat("long", 100_000)
	invoke(t, h, "Echo", request{Do: "print", Text: long + "\nafter"})
	h.Close()
	text, err := os.ReadFile(filepath.Join(dir, "logs", "Echo.log"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(text)), "\n")
	want := []string{"START RequestId: " + r.RequestID, "one", "two", "half", "END RequestId: " + r.RequestID,
		"REPORT RequestId: " + r.RequestID + "\tDuration: ", "START", long, "after", "END", "REPORT"}
	if len(got) != len(want) {
		t.Fatalf("the log has %d lines, want %d: %.500q", len(got), len(want), got)
	}
	for i, line := range got {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d is %.80q, want %.80q", i, line, want[i])
		}
	}
	if !strings.Contains(got[5], "Memory Size: 256 MB\tMax Memory Used: ") || !strings.Contains(got[5], "Init Duration: ") {
		t.Errorf("the report is %q", got[5])
	}
	if strings.Contains(got[10], "Init Duration: ") {
		t.Errorf("the report of a warm environment tells of its init: %q", got[10])
	}
}

// TestFences writes lines of lengths around the limits of the pipe's buffer
// and expects each whole or cut, and in the log when the fence returns.
func TestFences(t *testing.T) {
	const buffer = 64 << 10
	for _, length := range []int{0, 1, buffer - fenceLength, buffer - 1, buffer, buffer + 1, maxLine - fenceLength - 1, maxLine - 20,
		maxLine - 1, maxLine, maxLine + 1, maxLine + buffer - fenceLength, maxLine + buffer - 20, maxLine + buffer - 1, 3*maxLine + 7} {
		var got int
		log, err := openLog(filepath.Join(t.TempDir(), "log"), "F", func(_, line string) { got += strings.Count(line, "x") })
		if err != nil {
			t.Fatal(err)
		}
		p, err := openLogPipe(newLogStream(&function{log: log}, "s"))
		if err != nil {
			t.Fatal(err)
		}
		p.write.WriteString(strings.Repeat("x", length)) // no line's end: the fence follows at once
		p.fence()
		if got != length {
			t.Errorf("%d bytes of %d were in the log when the fence returned", got, length)
		}
		p.close()
		log.close()
	}
}

func TestReport(t *testing.T) {
	var mu sync.Mutex
	var reports []Report
	h := openHost(t, Config{OnReport: func(r Report) { mu.Lock(); defer mu.Unlock(); reports = append(reports, r) }})
	deploy(t, h, "Echo", nil)
	invoke(t, h, "Echo", request{Do: "echo"})
	invoke(t, h, "Echo", request{Do: "burn", Sleep: 400 * time.Millisecond})
	invoke(t, h, "Echo", request{Do: "fail", Text: "x"})
	if len(reports) != 3 {
		t.Fatalf("%d reports", len(reports))
	}
	burn := reports[1]
	if burn.Function != "Echo" || burn.Duration < 400*time.Millisecond || burn.CPU < 50*time.Millisecond || burn.CPU > 4*time.Second {
		t.Errorf("the report is %+v", burn)
	}
	if reports[0].Init == 0 || burn.Init != 0 || burn.Memory < 1<<20 || burn.Memory > 1<<30 {
		t.Errorf("init %v and %v, memory %d", reports[0].Init, burn.Init, burn.Memory)
	}
	if reports[2].FunctionError != Unhandled {
		t.Errorf("the report of the failure is %+v", reports[2])
	}
}
