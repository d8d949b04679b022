package lambda

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestDisturb: what goes wrong with an invocation goes wrong with it alone.
func TestDisturb(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux: memory and files of other processes")
	}
	full := int64(0)
	for _, c := range []struct {
		name string
		do   request
		with Disturbance
		want string
	}{
		{"memory", request{Do: "grow", Sleep: 5 * time.Millisecond}, Disturbance{Memory: 100 << 20}, "Runtime exited with error: signal: killed"},
		{"disk", request{Do: "store"}, Disturbance{Disk: &full}, "file too large"},
		{"time", request{Do: "sleep", Sleep: time.Minute}, Disturbance{Timeout: 300 * time.Millisecond}, "Task timed out after 0.30 seconds"},
		{"death", request{Do: "sleep", Sleep: time.Minute}, Disturbance{Kill: true, After: 100 * time.Millisecond}, "Runtime exited with error: signal: killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			disturbed := false
			h := openHost(t, Config{Disturb: func(function, id string, payload []byte) Disturbance {
				if disturbed || function != "Echo" || len(id) != 36 || len(payload) == 0 {
					return Disturbance{}
				}
				disturbed = true
				return c.with
			}})
			deploy(t, h, "Echo", nil)
			if r := invoke(t, h, "Echo", c.do); r.FunctionError != Unhandled || !strings.Contains(string(r.Payload), c.want) {
				t.Errorf("result is %s, want %q", r.Payload, c.want)
			}
			if r := invoke(t, h, "Echo", request{Do: "store"}); r.FunctionError != "" || string(r.Payload) != `"stored"` {
				t.Errorf("afterwards the result is %s", r.Payload)
			}
		})
	}
}

// TestIssue: each environment has credentials of its own until it ends, and it is
// known what it works on.
func TestIssue(t *testing.T) {
	issued := map[string]Environment{}
	h := openHost(t, Config{})
	deploy(t, h, "Echo", func(f *Function) {
		f.Issue = func(e Environment) (Credentials, func()) {
			issued[e.ID()] = e
			return Credentials{AccessKeyID: "KEY-" + e.ID()}, func() { delete(issued, e.ID()) }
		}
	})
	r := invoke(t, h, "Echo", request{Do: "environment"})
	if len(issued) != 1 {
		t.Fatalf("credentials for %v", issued)
	}
	for id, e := range issued {
		if !strings.Contains(string(r.Payload), "AWS_ACCESS_KEY_ID=KEY-"+id) || e.Function() != "Echo" {
			t.Errorf("environment %s of %s has %s", id, e.Function(), r.Payload)
		}
		if request, _ := e.Work(); request != "" {
			t.Errorf("it still works on %s", request)
		}
		time.AfterFunc(200*time.Millisecond, func() {
			if request, payload := e.Work(); request == "" || !strings.Contains(string(payload), "sleep") {
				t.Errorf("it works on %q, %s", request, payload)
			}
			e.Kill()
		})
	}
	if r := invoke(t, h, "Echo", request{Do: "sleep", Sleep: time.Minute}); !strings.Contains(string(r.Payload), "signal: killed") {
		t.Errorf("the result of one that was killed is %s", r.Payload)
	}
	if len(issued) != 0 {
		t.Errorf("one that is gone still has credentials: %v", issued)
	}
}

func TestFirings(t *testing.T) {
	delays := []time.Duration{0, 0}
	var log lines
	h := openHost(t, Config{OnLine: log.add, Firings: func(rule, function string) []time.Duration {
		if rule != "tick" || function != "Echo" {
			t.Errorf("rule %s of %s", rule, function)
		}
		return delays
	}})
	deploy(t, h, "Echo", nil)
	if err := h.AddSchedule(Schedule{Name: "tick", Function: "Echo", Rate: time.Hour, Input: `{"Do":"print","Text":"fired\n"}`}); err != nil {
		t.Fatal(err)
	}
	fire := func() {
		if _, err := h.Trigger("tick"); err != nil {
			t.Fatal(err)
		}
	}
	fire()
	until(t, "two firings", func() bool { return strings.Count(log.all(), "fired") == 2 })
	delays = nil
	fire()
	delays = []time.Duration{0}
	fire()
	until(t, "the third", func() bool { return strings.Count(log.all(), "fired") == 3 })
}
