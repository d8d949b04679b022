package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	runtime "github.com/aws/aws-lambda-go/lambda"
)

// TestMain lets the test's own program serve as the bootstrap of every
// function: with a Runtime API in its environment it is one.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		bootstrap()
		return
	}
	if dir := os.Getenv("TEST_HOST_DIR"); dir != "" {
		hostProcess(dir)
		return
	}
	os.Exit(m.Run())
}

// hostProcess is a host of its own: it lets a function print its process
// number and work until somebody kills the host.
func hostProcess(dir string) {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	h, err := Open(Config{Dir: dir, Region: "us-east-1", Account: "111122223333"})
	if err != nil {
		panic(err)
	}
	if err := h.Deploy(Function{ID: "F", Name: "f", ARN: "arn:f", Program: program, Timeout: time.Hour}); err != nil {
		panic(err)
	}
	payload := fmt.Appendf(nil, `{"Do":"self","Text":%q,"Sleep":3600000000000}`, filepath.Join(dir, "pid"))
	h.Invoke(context.Background(), "F", payload)
}

func bootstrap() {
	switch os.Getenv("START") {
	case "exit":
		fmt.Println("can't start")
		os.Exit(7)
	case "hang":
		time.Sleep(time.Hour)
	}
	if os.Getenv("HANDLES") == "sqs" {
		runtime.Start(serveQueue)
		return
	}
	var options []runtime.Option
	if file := os.Getenv("GOODBYE"); file != "" {
		options = append(options, runtime.WithEnableSIGTERM(func() { os.WriteFile(file, []byte("bye"), 0o600) }))
	}
	runtime.StartWithOptions(serve, options...)
}

// request tells the test's bootstrap what to do.
type request struct {
	Do    string
	Text  string
	Sleep time.Duration
}

var invocations int

func serve(ctx context.Context, r request) (any, error) {
	invocations++
	switch r.Do {
	case "echo":
		return r.Text, nil
	case "count":
		return map[string]int{"pid": os.Getpid(), "invocations": invocations}, nil
	case "environment":
		return os.Environ(), nil
	case "deadline":
		at, _ := ctx.Deadline()
		return at.UnixMilli(), nil
	case "fail":
		return nil, errors.New(r.Text)
	case "panic":
		panic(r.Text)
	case "exit":
		os.Exit(3)
	case "print":
		fmt.Print(r.Text)
	case "sleep":
		time.Sleep(r.Sleep)
	case "large":
		return strings.Repeat("x", 7<<20), nil
	case "child": // starts a child that outlives anything, and says who it is
		child := exec.Command("sleep", "600")
		if err := child.Start(); err != nil {
			return nil, err
		}
		if err := os.WriteFile(r.Text, fmt.Append(nil, child.Process.Pid), 0o600); err != nil {
			return nil, err
		}
		time.Sleep(r.Sleep)
	case "self": // says who it is and works
		if err := os.WriteFile(r.Text, fmt.Append(nil, os.Getpid()), 0o600); err != nil {
			return nil, err
		}
		time.Sleep(r.Sleep)
	case "grow": // uses memory until it has what it was told
		held := make([][]byte, 0, 1024)
		for range 1024 {
			held = append(held, bytes.Repeat([]byte("m"), 1<<20))
			time.Sleep(r.Sleep)
		}
		return len(held), nil
	case "store": // writes a megabyte to its own folder
		return "stored", os.WriteFile(filepath.Join(os.Getenv("TMPDIR"), "file"), make([]byte, 1<<20), 0o600)
	case "burn":
		for end := time.Now().Add(r.Sleep); time.Now().Before(end); {
		}
	case "once": // fails while the file isn't there, and makes it
		if _, err := os.Stat(r.Text); err != nil {
			os.WriteFile(r.Text, nil, 0o600)
			return nil, errors.New("the first time fails")
		}
		return "ok", nil
	}
	return nil, nil
}

// serveQueue handles an SQS event: the body of a message says what becomes
// of it.
func serveQueue(_ context.Context, e events.SQSEvent) (any, error) {
	var response events.SQSEventResponse
	for _, m := range e.Records {
		switch m.Body {
		case "fail":
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		case "error":
			return nil, errors.New("no")
		case "crash":
			os.Exit(1)
		case "sleep":
			time.Sleep(time.Hour)
		case "unknown":
			return json.RawMessage(`{"batchItemFailures":[{"itemIdentifier":"other"}]}`), nil
		}
	}
	return response, nil
}

// lines collects the log lines of a host.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) add(_, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, line)
}

func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.list, "\n")
}

func openHost(t *testing.T, c Config) *Host {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	c.Region, c.Account = "us-east-1", "111122223333"
	h, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(c.Dir, "tmp", "*")); len(left) > 0 {
			t.Errorf("temporary folders are left: %v", left)
		}
	})
	return h
}

// deploy makes a function of the test's own program.
func deploy(t *testing.T, h *Host, id string, change func(*Function)) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec := Function{
		ID: id, Name: "stack-" + id, ARN: "arn:aws:lambda:us-east-1:111122223333:function:stack-" + id,
		Program: program, Timeout: 30 * time.Second, MemoryMB: 256, LogGroup: "/aws/lambda/stack-" + id,
		Credentials: Credentials{AccessKeyID: "SRFN" + id, SecretAccessKey: "secret"},
	}
	if change != nil {
		change(&spec)
	}
	if err := h.Deploy(spec); err != nil {
		t.Fatal(err)
	}
}

func invoke(t *testing.T, h *Host, function string, r request) Result {
	t.Helper()
	payload, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	result, err := h.Invoke(t.Context(), function, payload)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// until waits for something that another process or goroutine brings about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s didn't happen within 20 seconds", what)
		}
	}
}

func processExists(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ") // a zombie is dead
}
