package notify

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
)

const (
	id         = "1772443815204-sj3m0y"
	pipelineID = "1772440000000-blue01"
)

func at(seconds int) time.Time { return time.UnixMilli(1772443815204 + int64(seconds)*1000) }

var update = flag.Bool("update", false, "write the golden files anew")

// secret is in every member of an Encryption.
const secret = "c2VjcmV0LXNlY3JldA=="

func sealed(mode string) *job.Encryption {
	return &job.Encryption{Mode: mode, Key: secret + "k", KeyMd5: secret + "m", InitializationVector: secret + "v"}
}

// submitted is a job with all that a message may show, and keys wherever there
// can be any.
func submitted() *ledger.Record {
	return &ledger.Record{Job: job.New(id, &job.Request{
		PipelineID: pipelineID,
		Inputs: []job.Input{{Key: "films/<a> & b.mp4", FrameRate: "auto", Resolution: "auto", AspectRatio: "auto", Interlaced: "auto", Container: "mp4",
			Encryption: sealed("aes-gcm")}},
		OutputKeyPrefix: "films/a/",
		Outputs: []job.Output{
			{Key: "hls", PresetID: "1351620000001-200050", SegmentDuration: "6.5", Rotate: "auto", Encryption: sealed("sse-c")},
			{Key: "web.mp4", PresetID: "1351620000001-000040", ThumbnailPattern: "t-{count}", Encryption: sealed("aes-ctr"),
				ThumbnailEncryption: sealed("sse-c"), Captions: &job.Captions{CaptionFormats: []job.CaptionFormat{{Format: "srt", Pattern: "c-{language}", Encryption: sealed("aes-gcm")}}},
				Watermarks: []job.Watermark{{PresetWatermarkID: "w", InputKey: "w.png", Encryption: sealed("aes-gcm")}}},
		},
		Playlists: []job.Playlist{{Name: "master", Format: "HLSv3", OutputKeys: []string{"hls"},
			HlsContentProtection: &job.HlsContentProtection{Method: "aes-128", Key: secret, KeyMd5: secret, InitializationVector: secret}}},
		UserMetadata: map[string]string{"order": "77"},
	}, at(0))}
}

func must(j job.Job, err error) job.Job {
	if err != nil {
		panic(err)
	}
	return j
}

func begun() *ledger.Record {
	r := submitted()
	for _, output := range []string{"1", "2"} {
		r.Job = must(job.StartOutput(r.Job, output, at(5)))
	}
	return r
}

// ended is a job whose first output is complete and that the functions end.
func ended(ends ...func(job.Job) (job.Job, error)) *ledger.Record {
	r := begun()
	r.Job = must(job.CompleteOutput(r.Job, "1", job.Result{DurationMillis: 19_400, Width: 1280, Height: 720, FrameRate: "25", FileSize: 5}, at(60)))
	for _, end := range ends {
		r.Job = must(end(r.Job))
	}
	return r
}

func complete() *ledger.Record {
	return ended(func(j job.Job) (job.Job, error) {
		return job.CompleteOutput(j, "2", job.Result{DurationMillis: 19_600, Width: 640, Height: 360}, at(61))
	})
}

func shortened() *ledger.Record {
	return ended(func(j job.Job) (job.Job, error) {
		return job.CompleteOutput(j, "2", job.Result{DurationMillis: 19_600, Warning: "The clip is shorter than it was asked to be."}, at(61))
	})
}

func failed() *ledger.Record {
	return ended(func(j job.Job) (job.Job, error) {
		return job.FailOutput(j, "1", job.OutputExists("out", "x"), at(61)) // too late: it is complete
	}, func(j job.Job) (job.Job, error) {
		return job.FailOutput(j, "2", job.OutputExists("out", "films/a/web.mp4"), at(61))
	})
}

func missing() *ledger.Record {
	r := submitted()
	r.Job = job.FailJob(r.Job, job.InputMissing("in", "films/<a> & b.mp4"), at(9))
	return r
}

// TestMessages holds each message to a file.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		name, state string
		rec         *ledger.Record
	}{
		{"progressing", Progressing, begun()},
		{"completed", Completed, complete()},
		{"warning", Warning, shortened()},
		{"failed-output", Error, failed()},
		{"failed-job", Error, missing()},
	} {
		got := Message(c.state, c.rec) + "\n"
		file := filepath.Join("testdata", c.name+".json")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, want)
		}
		if len(Subject(c.state, id)) > 100 || !strings.Contains(Subject(c.state, id), id) {
			t.Errorf("%s: subject %q", c.name, Subject(c.state, id))
		}
	}
}

// TestMessagesHoldNoEncryption whatever the job has: neither its values nor a
// member to put them in.
func TestMessagesHoldNoEncryption(t *testing.T) {
	for _, rec := range []*ledger.Record{begun(), complete(), shortened(), failed(), missing()} {
		for _, state := range []string{Progressing, Completed, Error} {
			text := strings.ToLower(Message(state, rec))
			for _, word := range []string{strings.ToLower(secret), "encryption", "keymd5", "initializationvector", "protection", "sse-c", "aes"} {
				if strings.Contains(text, word) {
					t.Errorf("%s in the message\n%s", word, text)
				}
			}
		}
	}
	var names func(reflect.Type) []string
	names = func(at reflect.Type) (all []string) {
		switch at.Kind() {
		case reflect.Pointer, reflect.Slice:
			return names(at.Elem())
		case reflect.Struct:
			for i := range at.NumField() {
				all = append(append(all, at.Field(i).Name), names(at.Field(i).Type)...)
			}
		}
		return all
	}
	for _, name := range names(reflect.TypeFor[message]()) {
		if slices.Contains([]string{"Encryption", "KeyMd5", "InitializationVector"}, name) {
			t.Errorf("a message may hold %s", name)
		}
	}
}

// TestKeysAreNotNamed: failures of keys name them by their digest, on the job.
func TestKeysAreNotNamed(t *testing.T) {
	const md5 = "1B2M2Y8AsgTpgAmY7PhCfg=="
	for _, f := range []*job.Failure{job.KeyLength(64, md5, "aes-ctr"), job.KeyIsBase64Text(md5), job.UnwrapFailed(nil, md5, "x"), job.KeyMD5Mismatch(md5)} {
		r := submitted()
		r.Job = job.FailJob(r.Job, f, at(9))
		if got := Message(Error, r); !strings.Contains(r.Job.StatusDetail, md5) || strings.Contains(got, md5[:20]) || !strings.Contains(got, `"errorCode": 401`) {
			t.Errorf("%s\n%s", r.Job.StatusDetail, got)
		}
	}
}

// TestProgressingIsTheSameWheneverItIsMade, so that a late one does not tell
// of the end.
func TestProgressingIsTheSameWheneverItIsMade(t *testing.T) {
	want := Message(Progressing, begun())
	for _, rec := range []*ledger.Record{complete(), shortened(), failed()} {
		if got := Message(Progressing, rec); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

func TestStates(t *testing.T) {
	canceled := submitted()
	canceled.Job = must(job.Cancel(canceled.Job, at(1)))
	refused := missing()
	refused.Warnings = []string{"a problem of the document"}
	apart, running := complete(), begun()
	apart.Warnings, running.Warnings = []string{"6000: far"}, []string{"6000: far"}
	halted := begun()
	halted.Job = job.FailJob(halted.Job, job.BadMedia(errors.New("x")), at(7))
	for name, c := range map[string]struct {
		rec  *ledger.Record
		want []string
	}{
		"submitted": {submitted(), nil},
		"canceled":  {canceled, nil},
		"refused":   {refused, []string{Error}},
		"missing":   {missing(), []string{Error}},
		"begun":     {begun(), []string{Progressing}},
		"running":   {running, []string{Progressing}},
		"complete":  {complete(), []string{Progressing, Completed}},
		"shortened": {shortened(), []string{Progressing, Warning, Completed}},
		"apart":     {apart, []string{Progressing, Warning, Completed}},
		"failed":    {failed(), []string{Progressing, Error}},
		"halted":    {halted, []string{Progressing, Error}},
	} {
		if got := States(c.rec); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	var m struct{ MessageDetails string }
	if err := json.Unmarshal([]byte(Message(Warning, apart)), &m); err != nil || m.MessageDetails != "6000: far" {
		t.Errorf("%+v, %v", m, err)
	}
}
