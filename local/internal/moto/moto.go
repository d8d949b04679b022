// Package moto starts the Python project moto as a server, for tests that
// put the same questions to the embedded AWS and to an implementation by
// others.
package moto

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Require is the environment variable that, when set, makes tests fail
// rather than skip where moto is not installed.
const Require = "SEALREEL_REQUIRE_MOTO"

const program = `
import sys
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
`

// Start runs moto until the test ends and returns its endpoint. Where
// python3 has no moto server the test is skipped, or fails if Require is set.
func Start(t *testing.T) (endpoint string) {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import moto.server").CombinedOutput(); err != nil {
		if os.Getenv(Require) != "" {
			t.Fatalf("%s is set, but python3 can't import moto.server (pip install 'moto[server]'): %v\n%s", Require, err, out)
		}
		t.Skip("moto is not installed for python3 (pip install 'moto[server]'): not compared with it")
	}
	port := freePort(t)
	var log bytes.Buffer
	cmd := exec.Command("python3", "-c", program, port)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start moto: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	endpoint = "http://127.0.0.1:" + port
	if err := await(endpoint, ended); err != nil {
		cmd.Process.Kill()
		ended <- <-ended // hand it on to the clean-up, now that log is complete
		t.Fatalf("moto does not answer: %v\n%s", err, &log)
	}
	return endpoint
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// await returns when the server answers anything at all. If the process
// ends first, its result stays in ended.
func await(endpoint string, ended chan error) error {
	deadline := time.Now().Add(60 * time.Second)
	for {
		resp, err := http.Get(endpoint + "/moto-api/")
		if err == nil {
			resp.Body.Close()
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		select {
		case end := <-ended:
			ended <- end
			return fmt.Errorf("it ended: %v", end)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
