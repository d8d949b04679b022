package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sample is what was held at one moment.
type sample struct {
	hostMemory, hostFiles         int64 // of the embedded AWS, which is this process
	functionMemory, functionFiles int64 // the most of any function's process, without ffmpeg
}

// watcher takes samples while jobs are dropped.
type watcher struct {
	mu      sync.Mutex
	paused  bool
	samples []sample
}

func watch(ctx context.Context, group *sync.WaitGroup) *watcher {
	w := &watcher{}
	group.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
			s := look()
			w.mu.Lock()
			if !w.paused {
				w.samples = append(w.samples, s)
			}
			w.mu.Unlock()
		}
	})
	return w
}

// pause ends the sampling: what comes is another load.
func (w *watcher) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = true
}

func look() sample {
	s := sample{hostMemory: resident("self"), hostFiles: handles("self")}
	for _, pid := range children() {
		s.functionMemory = max(s.functionMemory, resident(pid))
		s.functionFiles = max(s.functionFiles, handles(pid))
	}
	return s
}

// children are the processes of functions: the direct ones of this process.
func children() []string {
	var all []string
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		b, _ := os.ReadFile(list)
		all = append(all, strings.Fields(string(b))...)
	}
	return all
}

// resident is the memory of a process in bytes, without the files that it maps; 0
// once it has ended.
func resident(pid string) int64 {
	b, _ := os.ReadFile("/proc/" + pid + "/statm")
	fields := strings.Fields(string(b))
	if len(fields) < 3 {
		return 0
	}
	all, _ := strconv.ParseInt(fields[1], 10, 64)
	files, _ := strconv.ParseInt(fields[2], 10, 64)
	return (all - files) * int64(os.Getpagesize())
}

func handles(pid string) int64 {
	entries, _ := os.ReadDir("/proc/" + pid + "/fd")
	return int64(len(entries))
}

// thirds are the medians of a figure in the first and in the last third. The
// first tenth, in which everything starts, is left out.
func (w *watcher) thirds(of func(sample) int64) (first, last int64) {
	all := w.samples[len(w.samples)/10:]
	third := len(all) / 3
	median := func(some []sample) int64 {
		if len(some) == 0 {
			return 0
		}
		values := make([]int64, len(some))
		for i, s := range some {
			values[i] = of(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return median(all[:third]), median(all[len(all)-third:])
}

// figures are what must stay flat, and how much more the last third may have of
// each: what a collector leaves about for a while.
var figures = []struct {
	name  string
	of    func(sample) int64
	unit  int64
	spare int64
}{
	{"memory of the embedded AWS, MiB", func(s sample) int64 { return s.hostMemory }, 1 << 20, 64 << 20},
	{"file handles of the embedded AWS", func(s sample) int64 { return s.hostFiles }, 1, 32},
	{"most memory of a function, MiB", func(s sample) int64 { return s.functionMemory }, 1 << 20, 8 << 20},
	{"most file handles of a function", func(s sample) int64 { return s.functionFiles }, 1, 8},
}

// enough is how many samples, one a second, a run must have for its thirds to say
// anything: in a shorter one everything is still starting.
const enough = 180

func (w *watcher) violations() []string {
	if len(w.samples) < enough {
		return nil
	}
	var all []string
	for _, f := range figures {
		if first, last := w.thirds(f.of); last > first+f.spare {
			all = append(all, fmt.Sprintf("%s grew from %d to %d", f.name, first/f.unit, last/f.unit))
		}
	}
	return all
}

func (w *watcher) print() {
	if len(w.samples) < enough {
		fmt.Printf("\nThe run is too short to say whether memory and file handles stay flat.\n")
	}
	fmt.Printf("\n| Held (median) | First third | Last third |\n| --- | ---: | ---: |\n")
	for _, f := range figures {
		first, last := w.thirds(f.of)
		fmt.Printf("| %s | %d | %d |\n", f.name, first/f.unit, last/f.unit)
	}
}
