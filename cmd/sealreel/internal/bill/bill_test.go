package bill

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/price"
	"sealreel/pkg/usage"
)

func statement() Statement {
	prices := price.Published()
	outputs := []price.Output{
		prices.Price(price.Made{ID: "1", Key: "a.mp4", Seconds: 90, Width: 1920, Height: 1080, Rate: 25, Codec: "H.264"}),
		prices.Price(price.Made{ID: "2", Key: "b.mpg", Seconds: 90, Width: 720, Height: 576, Rate: 25, Codec: "mpeg2"}),
	}
	records := []usage.Record{
		{Function: usage.Ingest, Shared: 2, Milliseconds: 3000, MemoryMiB: 1769, Architecture: "arm64", Counts: usage.Counts{S3Reads: 10, S3In: 5e6}},
		{Function: usage.Transcode, Task: "audio", Milliseconds: 40_000, MemoryMiB: 3008, Architecture: "arm64"},
	}
	return Statement{Job: "1382644766696-2di5iz", Status: job.Complete, Prices: prices, Bill: prices.Bill(records, outputs)}
}

func text(t *testing.T, s Statement) string {
	t.Helper()
	var w strings.Builder
	if err := s.Write(&w); err != nil {
		t.Fatal(err)
	}
	return w.String()
}

func TestStatement(t *testing.T) {
	const want = `job 1382644766696-2di5iz: Complete, 3.00 minutes of output

function           calls  failed  seconds  CPU s   GB-s  S3 write  S3 read  MB in  MB out  KMS  SQS  SNS       USD
ingest               0.5       0      1.5    0.0    2.6         0        5    2.5     0.0    0    0    0  0.000037
transcode              1       0     40.0    0.0  117.5         0        0    0.0     0.0    0    2    0  0.001568
total                1.5       0     41.5    0.0  120.1         0        5    2.5     0.0    0    2    0  0.001605
per output minute    0.5       0     13.8    0.0   40.0         0      1.7    0.8     0.0    0  0.7    0  0.000535

of the total: Lambda 99.8 %, S3 0.1 %, KMS 0.0 %, SQS 0.1 %, SNS 0.0 %

what others would have charged  minutes  class  Elastic Transcoder  MediaConvert
1 a.mp4                            1.50     HD            0.045000      0.022500
2 b.mpg                            1.50     SD            0.022500             -
total                              3.00                   0.067500      0.022500
this job's part of that                                      2.4 %             -
"-": MediaConvert's basic tier does not make it.

Prices: us-east-1, `
	if got := text(t, statement()); !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
}

// The notes are there when there is something to note, and else are not.
func TestNotes(t *testing.T) {
	notes := map[string]func(*Statement){
		"3 attempts at tasks were killed": func(s *Statement) { s.Lost = 3 },
		"no record of 4 tasks and outputs (audio, chunk-0-00000, chunk-0-00001, ...)": func(s *Statement) {
			s.Unrecorded = []string{"audio", "chunk-0-00000", "chunk-0-00001", "output-1"}
		},
		"no record of 1 tasks and outputs (audio)": func(s *Statement) { s.Unrecorded = []string{"audio"} },
		"The job goes on":                          func(s *Statement) { s.Status = job.Progressing },
		"the embedded AWS":                         func(s *Statement) { s.Embedded = true },
	}
	for note, with := range notes {
		if strings.Contains(text(t, statement()), note) {
			t.Errorf("%q without a reason", note)
		}
		s := statement()
		with(&s)
		if got := text(t, s); !strings.Contains(got, note) {
			t.Errorf("no %q in\n%s", note, got)
		}
	}
}

// A job that came to nothing has neither parts nor outputs to compare.
func TestStatementOfNothing(t *testing.T) {
	got := text(t, Statement{Job: "j", Status: job.Canceled, Prices: price.Published()})
	for _, part := range []string{"of the total", "others", "NaN", "per output minute"} {
		if strings.Contains(got, part) {
			t.Errorf("%q in\n%s", part, got)
		}
	}
	if lines := strings.Split(got, "\n"); !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "total ") }) {
		t.Errorf("no total in\n%s", got)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestStatementThatCannotBeWritten(t *testing.T) {
	if err := statement().Write(full{}); err == nil {
		t.Error("no error")
	}
}
