package drop

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/plan"
)

const id = "1382644766696-2di5iz"

var document = ledger.Drop{Bucket: "in", Key: "a/x.mp4.job.json", VersionID: "v"}

func dropper() (*Dropper, *objecttest.Memory) {
	m := &objecttest.Memory{}
	return &Dropper{Site: &site.Site{Ledger: ledger.New(m, "state")}, Wait: time.Minute}, m
}

func (d *Dropper) mustClaim(t *testing.T) {
	t.Helper()
	if _, err := d.Site.Ledger.ClaimDrop(t.Context(), document, id); err != nil {
		t.Fatal(err)
	}
}

func (d *Dropper) mustCreate(t *testing.T, change func(*ledger.Record)) {
	t.Helper()
	r := &ledger.Record{Job: job.New(id, &job.Request{Outputs: []job.Output{{Key: "a"}}}, time.UnixMilli(1)), Drop: document}
	change(r)
	if _, _, err := d.Site.Ledger.CreateJob(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// The file must not go out before its job waits for it, or it becomes another
// job.
func TestAwaitWaitsForTheWaitingJob(t *testing.T) {
	for name, ready := range map[string]func(*testing.T, *Dropper){
		"waiting": func(t *testing.T, d *Dropper) {
			if _, err := d.Site.Ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) error { r.Waiting = true; return nil }); err != nil {
				t.Fatal(err)
			}
		},
		"planned": func(t *testing.T, d *Dropper) {
			if _, err := d.Site.Ledger.CreatePlan(t.Context(), &plan.Plan{Job: id}); err != nil {
				t.Fatal(err)
			}
		},
		"ended": func(t *testing.T, d *Dropper) {
			if _, err := d.Site.Ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) error {
				r.Job = job.FailJob(r.Job, job.Fail(1000, "x"), time.Now())
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := dropper()
				began := time.Now()
				go func() {
					time.Sleep(2 * time.Second)
					d.mustClaim(t)
					time.Sleep(2 * time.Second)
					d.mustCreate(t, func(*ledger.Record) {})
					time.Sleep(2 * time.Second)
					ready(t, d)
				}()
				rec, err := d.await(t.Context(), document)
				if err != nil || rec.Job.ID != id {
					t.Fatal(err)
				}
				if took := time.Since(began); took < 6*time.Second || took > 7*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestAwaitGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := dropper()
		began := time.Now()
		if _, err := d.await(t.Context(), document); err == nil || !strings.Contains(err.Error(), "made no job of s3://in/a/x.mp4.job.json in 1m0s") || time.Since(began) != time.Minute {
			t.Error(err, time.Since(began))
		}
		d.mustClaim(t)
		if _, err := d.await(t.Context(), document); err == nil || !strings.Contains(err.Error(), "did not get ready") || !strings.Contains(err.Error(), id) {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.await(ctx, document); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestAwaitReportsWhatBreaks(t *testing.T) {
	d, m := dropper()
	broken := errors.New("broken")
	m.Before = func(string, string) error { return broken }
	if _, err := d.await(t.Context(), document); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestAbandonCancelsTheJob(t *testing.T) {
	d, m := dropper()
	d.mustCreate(t, func(r *ledger.Record) { r.Waiting = true })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cause := errors.New("the line was cut")
	if err := d.abandon(ctx, id, cause); !errors.Is(err, cause) || !strings.Contains(err.Error(), "was canceled") {
		t.Error(err)
	}
	if r, err := d.Site.Ledger.Job(t.Context(), id); err != nil || r.Job.Status != job.Canceled || r.Waiting {
		t.Errorf("%+v, %v", r, err)
	}
	m.Before = func(string, string) error { return errors.New("no permission") }
	if err := d.abandon(ctx, id, cause); !errors.Is(err, cause) || !strings.Contains(err.Error(), "still waits") {
		t.Error(err)
	}
}

func TestFoldersAreUniqueAndFit(t *testing.T) {
	seen := map[string]bool{}
	for _, stem := range []string{"clip", "clip", "", strings.Repeat("日", 100), "a b+c%"} {
		folder := uniqueFolder(stem)
		if seen[folder] || !strings.HasSuffix(folder, "/") || len(folder) > maxStem+10 || strings.ToValidUTF8(folder, "!") != folder {
			t.Errorf("%q: %q", stem, folder)
		}
		seen[folder] = true
	}
	if !strings.HasPrefix(uniqueFolder("clip"), "clip-") {
		t.Error("the folder does not say what is in it")
	}
	if got := clean("a\xff\n\x00b\x7f ü.mp4"); got != "a___b_ ü.mp4" {
		t.Errorf("%q", got)
	}
}
