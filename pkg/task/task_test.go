package task

import (
	"errors"
	"strings"
	"testing"

	"sealreel/pkg/job"
)

func TestMessagesReadBack(t *testing.T) {
	for _, name := range []string{Audio, Chunk(0, 0), Chunk(12, 99999)} {
		m := Message{Version: Version, Job: "1382644766696-2di5iz", Task: name}
		got, err := ParseMessage(m.Body())
		if err != nil || got != m {
			t.Errorf("%v, %v", got, err)
		}
	}
	if g, c, ok := ParseChunk(Chunk(3, 41)); !ok || g != 3 || c != 41 {
		t.Errorf("%d %d %v", g, c, ok)
	}
	if _, _, ok := ParseChunk(Audio); ok {
		t.Error("audio is no chunk")
	}
}

func TestMessagesThatAreNotOurs(t *testing.T) {
	for body, want := range map[string]string{
		``:             "no JSON",
		`{"version":1`: "no JSON",
		`{"version":2,"job":"1382644766696-2di5iz","task":"audio"}`: "version 2",
		`{"version":1,"job":"../../x","task":"audio"}`:              "no job id",
		`{"version":1,"job":"1382644766696-2di5iz","task":"../a"}`:  "unknown task",
		`{"version":1,"job":"1382644766696-2di5iz","task":""}`:      "unknown task",
	} {
		if _, err := ParseMessage(body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", body, err, want)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(Message{Version: 1, Job: "1382644766696-2di5iz", Task: Chunk(0, 1)}.Body())
	f.Fuzz(func(t *testing.T, body string) {
		m, err := ParseMessage(body)
		if err == nil && (!job.ValidID(m.Job) || strings.ContainsAny(m.Task, "/.")) {
			t.Errorf("accepted %+v", m)
		}
	})
}

func TestFailuresKeepOnlyWhatAJobMayShow(t *testing.T) {
	f := Failed(job.FailCause(errors.New("tag mismatch at byte 16"), job.CodeDecryptInput, "could not be decrypted"))
	if f.Code != job.CodeDecryptInput || strings.Contains(f.Err().Error(), "tag") {
		t.Errorf("%+v", f)
	}
	if f := Failed(errors.New("dial tcp 10.0.0.1")); f.Code != job.CodeInternal || strings.Contains(f.Detail, "dial") {
		t.Errorf("%+v", f)
	}
	if (*Failure)(nil).Err() != nil {
		t.Error("no failure is an error")
	}
}
