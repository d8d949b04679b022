// Command soak runs many small jobs on the embedded AWS, of every kind and mode,
// good and bad, while events and messages come twice, late and out of order and
// one call in a hundred goes wrong, and then counts: each drop one outcome, one
// message a state, nothing left over, memory and file handles flat. It exits 1 if
// anything is not as it must be.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"sealreel/e2e/user"
	"sealreel/local/fault"
	"sealreel/local/stack"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

//go:embed faults.json
var usual []byte

type settings struct {
	root, dir string
	jobs      int
	seed      uint64
	workers   int
	faults    fault.Plan
	limit     time.Duration
}

func run() error {
	s := settings{}
	flag.StringVar(&s.root, "root", ".", "the checkout")
	flag.IntVar(&s.jobs, "jobs", 500, "how many jobs are dropped")
	flag.Uint64Var(&s.seed, "seed", 1, "of the jobs and the faults")
	flag.IntVar(&s.workers, "workers", 4, "how many transcode functions run at once")
	file := flag.String("faults", "", "plan of faults; default that of e2e/soak/faults.json")
	flag.DurationVar(&s.limit, "limit", 20*time.Minute, "longest run; what has not ended then is a violation")
	flag.Parse()
	text := usual
	if *file != "" {
		var err error
		if text, err = os.ReadFile(*file); err != nil {
			return err
		}
	}
	var err error
	if s.faults, err = fault.Parse(text); err != nil {
		return err
	}
	s.faults.Seed = s.seed
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	if s.dir, err = os.MkdirTemp("", "sealreel-soak-"); err != nil {
		return err
	}
	violations, err := soak(ctx, s)
	if err != nil || len(violations) > 0 {
		for _, v := range violations {
			fmt.Println("VIOLATION:", v)
		}
		if err == nil {
			err = fmt.Errorf("%d violations with -jobs %d -seed %d", len(violations), s.jobs, s.seed)
		}
		return fmt.Errorf("%w; everything is in %s", err, s.dir)
	}
	fmt.Println("everything is as it must be")
	return os.RemoveAll(s.dir)
}

// steppingIn is after how many seconds reconcile does, in place of the minutes of
// a deployment.
const steppingIn = "20"

func soak(ctx context.Context, s settings) ([]string, error) {
	site, err := stack.Up(ctx, stack.Config{
		Root: s.root, Dir: filepath.Join(s.dir, "stack"), Workers: s.workers, Faults: &fault.Plan{},
		Parameters: map[string]string{"NotificationTopic": "yes"},
		Environment: map[string]string{"SEALREEL_X264_PRESET": "ultrafast", "SEALREEL_CHUNK_SECONDS": "4", "SEALREEL_LOG_LEVEL": "INFO",
			"SEALREEL_LOST_SECONDS": steppingIn, "SEALREEL_STALLED_SECONDS": steppingIn},
	})
	if err != nil {
		return nil, err
	}
	defer site.Close()
	u, err := user.Of(ctx, site.Exports())
	if err != nil {
		return nil, err
	}
	defer u.Close()
	r := &runner{settings: s, site: site, user: u}
	if err := r.leaveFilesAlone(ctx); err != nil {
		return nil, err
	}
	if r.ear, err = listen(ctx, u.AWS); err != nil {
		return nil, err
	}
	if r.media, err = makeMedia(ctx, s.dir); err != nil {
		return nil, err
	}
	if err := site.SetFaults(s.faults); err != nil {
		return nil, err
	}
	return r.run(ctx)
}
