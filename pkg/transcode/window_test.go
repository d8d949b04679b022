package transcode

import (
	"slices"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// windowed stores a job of two groups of five chunks, the first with sound, of
// which two at a time may wait.
func (d *desk) windowed(t *testing.T) {
	t.Helper()
	req := &job.Request{Outputs: []job.Output{{Key: "a"}, {Key: "b"}}}
	if _, _, err := d.Ledger.CreateJob(t.Context(), &ledger.Record{Job: job.New(id, req, time.UnixMilli(1))}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ledger.CreatePlan(t.Context(), &plan.Plan{
		Job: id, Window: 2, Sounds: []plan.Sound{{}},
		Groups:  []plan.Group{{Picture: true, Chunks: make([]plan.Chunk, 5), Outputs: []int{0}}, {Picture: true, Chunks: make([]plan.Chunk, 5), Outputs: []int{1}}},
		Outputs: []plan.Output{{Job: id, ID: "1", Group: 0, Sound: 0}, {Job: id, ID: "2", Group: 1, Sound: -1}},
	}); err != nil {
		t.Fatal(err)
	}
}

// TestAReceiptLetsTheNextChunkGo: the one so many places on, when it is ready for
// it and has no receipt of its own; and again each time that the message of the
// done chunk comes, since its worker may have died between receipt and message.
func TestAReceiptLetsTheNextChunkGo(t *testing.T) {
	for _, c := range []struct {
		name  string
		done  []string // receipts of chunks
		sound []string
		task  string
		want  []string
	}{
		{"without sound", []string{task.Chunk(1, 0)}, nil, task.Chunk(1, 0), []string{task.Chunk(1, 2)}},
		{"that is done", []string{task.Chunk(1, 0), task.Chunk(1, 2)}, nil, task.Chunk(1, 0), nil},
		{"behind the last", []string{task.Chunk(1, 3)}, nil, task.Chunk(1, 3), nil},
		{"whose sound is not there", []string{task.Chunk(0, 0)}, []string{task.Piece(0, 0), task.Piece(0, 1)}, task.Chunk(0, 0), nil},
		{"whose sound is there", []string{task.Chunk(0, 1)}, []string{task.Piece(0, 3)}, task.Chunk(0, 1), []string{task.Chunk(0, 3)}},
		{"of a sound that is taken up again", []string{task.Chunk(0, 0)}, []string{task.Piece(0, 0), task.Piece(0, 1), task.Piece(0, 2), task.Piece(0, 3), task.Piece(0, 4)},
			task.Audio, []string{task.Chunk(0, 1), task.Chunk(0, 2)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk()
			d.windowed(t)
			for _, name := range c.done {
				if _, err := d.Ledger.CreateReceipt(t.Context(), id, name, &task.Receipt{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range c.sound {
				if err := d.Ledger.CreateSound(t.Context(), id, name, &task.Sound{}); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				d.sent = nil
				if d.handle(t, message(ask(c.task).Body(), "1")) {
					t.Error("the message comes again")
				}
				if !slices.Equal(d.sent, c.want) {
					t.Errorf("sent %q, want %q", d.sent, c.want)
				}
			}
		})
	}
}

// TestAWindowedJobGoesOnToItsEnd: whichever of sound and chunks is ahead, and
// where every chunk is given up, each message is sent.
func TestAWindowedJobGoesOnToItsEnd(t *testing.T) {
	for _, ahead := range []int{0, 1, 3, 5} { // stretches of sound before the first chunk
		d := newDesk()
		d.windowed(t)
		p, err := d.Ledger.Plan(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		pieces, stored := newPieces(&attempt{Worker: d.Worker, plan: p}, map[string]bool{}), 0
		store := func() {
			if stored < 5 {
				if err := pieces.store(t.Context(), 0, stored, 0, task.Part{}); err != nil {
					t.Fatal(err)
				}
				stored++
			}
		}
		for range ahead {
			store()
		}
		for taken := 0; taken < len(d.sent) || stored < 5; {
			store()
			if waiting := len(d.sent) - taken; waiting > 2 {
				t.Errorf("%d messages wait", waiting)
			}
			if taken < len(d.sent) {
				if err := d.GiveUp(t.Context(), ask(d.sent[taken]), job.Fail(job.CodeInternal, "no luck")); err != nil {
					t.Fatal(err)
				}
				taken++
			}
		}
		if want := (p.Tasks(0)); !slices.Equal(d.sent, want) {
			t.Errorf("%d ahead: sent %q, want %q", ahead, d.sent, want)
		}
	}
}
