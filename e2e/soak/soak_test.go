package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"sealreel/local/fault"
	"sealreel/pkg/job"
)

func TestThePlanIsOne(t *testing.T) {
	p, err := fault.Parse(usual)
	if err != nil || len(p.Rules) == 0 {
		t.Fatalf("%d rules, %v", len(p.Rules), err)
	}
}

// TestChoices: every kind is chosen, and the same seed chooses the same.
func TestChoices(t *testing.T) {
	share := 0
	for _, k := range kinds {
		share += k.share
	}
	if share != 100 {
		t.Errorf("the kinds have %d of a hundred", share)
	}
	a, b := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(1, 1))
	names, modes := map[string]int{}, map[string]int{}
	for range 500 {
		c, d := choose(a), choose(b)
		if c.name != d.name || c.in != d.in || c.out != d.out || c.fileFirst != d.fileFirst {
			t.Fatal("the same seed chooses otherwise")
		}
		names[c.name]++
		modes[c.in+" to "+c.out]++
		if c.name == "no media" && (c.in == job.ModeSSEC) != strings.HasSuffix(c.wanted(), " 4000") {
			t.Errorf("%s wants %s", c.in, c.wanted())
		}
	}
	if len(names) != len(kinds) || len(modes) != len(inModes)*len(outModes) {
		t.Errorf("chosen: %v, %v", names, modes)
	}
}

// TestWhatGrowsIsSeen: the first tenth does not count, noise does no harm.
func TestWhatGrowsIsSeen(t *testing.T) {
	const mib = 1 << 20
	steady, growing := &watcher{}, &watcher{}
	for i := range int64(300) {
		s := sample{hostMemory: 100*mib + i%7*mib, hostFiles: 300, functionMemory: 30 * mib, functionFiles: 20}
		if i < 20 {
			s = sample{}
		}
		steady.samples = append(steady.samples, s)
		s.hostMemory += i * mib
		s.functionFiles += i / 10
		growing.samples = append(growing.samples, s)
	}
	if v := steady.violations(); len(v) > 0 {
		t.Errorf("%q", v)
	}
	if v := growing.violations(); len(v) != 2 {
		t.Errorf("%q, want the memory and the handles", v)
	}
}
