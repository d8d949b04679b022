package poison

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// watch has strace write down what ffmpeg asks the kernel for. It traces the
// functions, whose children are traced with them: ffmpeg itself could not be
// started under strace, since its containment lets it write nothing.
type watch struct{ log string }

// watched are the calls by which a program gets at files and other machines.
const watched = "open,openat,openat2,creat,connect,bind,listen,sendto,sendmsg,execve,execveat,unlink,unlinkat,rename,renameat2,mkdir,mkdirat,symlink,symlinkat,truncate,ptrace"

// newWatch puts strace before the functions' bootstraps. It is nil where there
// is no strace.
func newWatch(dir, functions string) (*watch, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return nil, nil
	}
	w := &watch{log: filepath.Join(dir, "strace.log")}
	bootstraps, err := filepath.Glob(filepath.Join(functions, "*", "bootstrap"))
	if err != nil {
		return nil, err
	}
	for _, b := range bootstraps {
		script := fmt.Sprintf("#!/bin/sh\nexec %s -f -Y -qqq --seccomp-bpf --signal=none -s 4096 -A -o %s -e trace=%s %s\n", strace, w.log, watched, b+".traced")
		if err := os.Rename(b, b+".traced"); err != nil {
			return nil, err
		}
		if err := os.WriteFile(b, []byte(script), 0o700); err != nil {
			return nil, err
		}
	}
	return w, nil
}

var (
	lineOf  = regexp.MustCompile(`^(\d+)<([^>]*)> (\w+)\(`)
	loopEnd = regexp.MustCompile(`sa_family=AF_INET, sin_port=htons\(\d+\), sin_addr=inet_addr\("127\.0\.0\.1"\)`)
	path    = regexp.MustCompile(`"([^"]*)"`)
)

// readable are the files that ffmpeg may look for when it starts, by how their
// names begin: its libraries and their configuration. None is a job's.
var readable = []string{"/lib/", "/lib64/", "/usr/lib/", "/usr/local/lib/", "/etc/ld.so", "/proc/self/", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/", "/proc/filesystems", "/proc/mounts", "/sys/devices/system/",
	"/etc/ssl/openssl.cnf", "/etc/gcrypt/", "/usr/share/locale", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/resolv.conf", "/etc/hosts", "/etc/gai.conf", "/dev/null"}

// check holds every call of ffmpeg and ffprobe to what is allowed.
func (w *watch) check(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(w.log)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	bad := 0
	for line := range strings.Lines(string(data)) {
		m := lineOf.FindStringSubmatch(line)
		if m == nil || !strings.HasPrefix(m[2], "ff") {
			continue
		}
		counts[m[3]]++
		if why := wrong(m[3], line); why != "" {
			if bad++; bad < 20 {
				t.Errorf("ffmpeg %s: %s", why, line)
			}
		}
	}
	t.Logf("calls of ffmpeg and ffprobe that were looked at: %v", counts)
	if counts["connect"] == 0 || counts["openat"]+counts["open"] == 0 {
		t.Error("nothing was watched")
	}
}

// wrong is what is wrong with a call, if anything.
func wrong(call, line string) string {
	switch call {
	case "connect":
		if !loopEnd.MatchString(line) || site.lures.Host != "" && strings.Contains(line, "htons("+portOf(site.lures.Host)+")") {
			return "connects elsewhere"
		}
	case "open", "openat", "openat2":
		name := path.FindStringSubmatch(line)
		allowed := false
		for _, prefix := range readable {
			allowed = allowed || name != nil && strings.HasPrefix(name[1], prefix)
		}
		if !allowed {
			return "opens a file"
		}
		if strings.Contains(line, "O_WRONLY") || strings.Contains(line, "O_RDWR") || strings.Contains(line, "O_CREAT") {
			return "opens a file for writing"
		}
	case "sendto", "sendmsg":
		if strings.Contains(line, "sa_family") && !loopEnd.MatchString(line) && !strings.Contains(line, "AF_NETLINK") {
			return "sends elsewhere"
		}
	case "bind":
		if !strings.Contains(line, "AF_NETLINK") {
			return "listens"
		}
	default:
		return "does what it has no reason for"
	}
	return ""
}

func portOf(host string) string {
	u := url.URL{Host: host}
	return u.Port()
}
