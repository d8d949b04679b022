package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// watch gathers what only lasts for a moment: arguments, environments and open
// files of all descendants of this process, which are the functions and all
// that they start; the files in their temporary folders and those of events on
// their way; and the messages of all queues.
type watch struct {
	started time.Time
	quit    chan struct{}
	done    sync.WaitGroup

	processes map[int]bool
	texts     map[string]string // argument lists and environments; what they are
	contained map[string]bool   // environments of ffmpeg and ffprobe
	written   map[string]bool   // files that a descendant had open for writing
	transient map[string][]byte // content of short-lived files, by name, size and time
	journal   []byte            // records of the queues
	read      int64             // of the journal's file
	inode     uint64
}

func startWatch() *watch {
	w := &watch{started: time.Now(), quit: make(chan struct{}), processes: map[int]bool{}, texts: map[string]string{},
		contained: map[string]bool{}, written: map[string]bool{}, transient: map[string][]byte{}}
	w.messages()
	w.journal = nil // of earlier jobs
	w.done.Go(func() {
		for {
			w.look(os.Getpid())
			w.files()
			w.messages()
			select {
			case <-w.quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return w
}

// stop ends the watch; it has looked once after everything.
func (w *watch) stop() {
	close(w.quit)
	w.done.Wait()
	w.files()
	w.messages()
}

func (w *watch) look(parent int) {
	own, _ := os.Readlink("/proc/self/exe")
	for _, pid := range children(parent) {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		if program, err := os.Readlink(filepath.Join(dir, "exe")); err != nil || program == own {
			continue // gone, or not yet what it is to become: with our files
		}
		arguments, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		w.processes[pid] = true
		w.texts[string(arguments)], w.texts[string(environment)] = "the arguments of a process", "the environment of a process"
		if bytes.Contains(arguments, []byte("-protocol_whitelist")) && len(environment) > 0 {
			w.contained[string(environment)] = true
		}
		w.open(dir)
		w.look(pid)
	}
}

// open notes the files that a process writes to.
func (w *watch) open(proc string) {
	list, _ := os.ReadDir(filepath.Join(proc, "fd"))
	for _, fd := range list {
		target, err := os.Readlink(filepath.Join(proc, "fd", fd.Name()))
		if err != nil || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "/dev/") {
			continue
		}
		info, _ := os.ReadFile(filepath.Join(proc, "fdinfo", fd.Name()))
		_, flags, _ := strings.Cut(string(info), "flags:\t")
		flags, _, _ = strings.Cut(flags, "\n")
		if mode, err := strconv.ParseInt(strings.TrimSpace(flags), 8, 64); err == nil && mode&syscall.O_ACCMODE != syscall.O_RDONLY {
			w.written[target] = true
		}
	}
}

// files reads each short-lived file once.
func (w *watch) files() {
	for _, folder := range []string{"tmp", "events", "batches"} {
		_ = filepath.WalkDir(filepath.Join(site.dir, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return nil
			}
			info, err := entry.Info()
			if err != nil || info.ModTime().Before(w.started) {
				return nil
			}
			key := path + " of " + info.ModTime().String() + " with " + strconv.FormatInt(info.Size(), 10)
			if _, known := w.transient[key]; !known {
				if content, err := os.ReadFile(path); err == nil {
					w.transient[key] = content
				}
			}
			return nil
		})
	}
}

// messages reads on in the queues' journal, which may be replaced by a shorter
// one.
func (w *watch) messages() {
	files, _ := filepath.Glob(filepath.Join(site.dir, "*", "queues.jsonl"))
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			continue
		}
		if inode := info.Sys().(*syscall.Stat_t).Ino; inode != w.inode {
			w.inode, w.read = inode, 0
		}
		more := make([]byte, info.Size()-w.read)
		n, _ := f.ReadAt(more, w.read)
		w.journal = append(w.journal, more[:n]...)
		w.read += int64(n)
	}
}

// bodies are the messages that were put on a queue.
func (w *watch) bodies(t *testing.T) []string {
	t.Helper()
	var all []string
	lines := bufio.NewScanner(bytes.NewReader(w.journal))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var record struct {
			Put *struct{ Body string }
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err == nil && record.Put != nil {
			all = append(all, record.Put.Body)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// search looks through all that was seen.
func (w *watch) search(t *testing.T, s *searcher) []hit {
	t.Helper()
	hits := s.scan("the queues' journal", w.journal)
	for _, body := range w.bodies(t) { // without the journal's escapes
		hits = append(hits, s.scan("a message", []byte(body))...)
	}
	for text, what := range w.texts {
		hits = append(hits, s.scan(what, []byte(text))...)
	}
	for name, content := range w.transient {
		hits = append(hits, s.scan("the short-lived "+name, content)...)
	}
	return hits
}
