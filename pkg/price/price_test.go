package price

import (
	"math"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/usage"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

// prices are easy to reckon with.
func prices() List {
	l := Published()
	l.Lambda = Lambda{GBSecond: map[string]float64{"amd64": 2, "arm64": 1}, Request: 10}
	l.S3, l.KMS, l.SQS, l.SNS = S3{Write: 100, Read: 1}, 1000, 7, 3
	return l
}

func TestPublishedPricesAreWhole(t *testing.T) {
	l, err := Parse(published)
	if err != nil {
		t.Fatal(err)
	}
	for name, price := range map[string]float64{"amd64": l.Lambda.GBSecond["amd64"], "arm64": l.Lambda.GBSecond["arm64"], "request": l.Lambda.Request,
		"write": l.S3.Write, "read": l.S3.Read, "kms": l.KMS, "sqs": l.SQS, "sns": l.SNS,
		"audio": l.ElasticTranscoder.Audio, "sd": l.ElasticTranscoder.SD, "hd": l.ElasticTranscoder.HD,
		"minute": l.MediaConvert.Minute, "above30": l.MediaConvert.Above30, "uhd": l.MediaConvert.UHD} {
		if price <= 0 {
			t.Errorf("%s has the price %v", name, price)
		}
	}
	if _, err := time.Parse("2006-01", l.Date); err != nil || l.Region == "" || l.Currency != "USD" || len(l.Sources) < 7 {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestParse(t *testing.T) {
	l, err := Parse([]byte(`{"region": "eu-west-1", "lambda": {"gbSecond": {"arm64": 0.5}}}`))
	if err != nil || l.Region != "eu-west-1" || l.Lambda.GBSecond["arm64"] != 0.5 {
		t.Errorf("%+v, %v", l, err)
	}
	if known := Published(); l.Lambda.GBSecond["amd64"] != known.Lambda.GBSecond["amd64"] || l.S3 != known.S3 {
		t.Errorf("what is left out is not as published: %+v", l)
	}
	for body, want := range map[string]string{
		``:                               "EOF",
		`[]`:                             "array",
		`{"lamda": {}}`:                  "lamda",
		`{"s3": {"write": -1}}`:          "s3.write is no price",
		`{"kms": 1e999}`:                 "number 1e999",
		`{"sns": "free"}`:                "string",
		`{} {}`:                          "more behind",
		`{"mediaConvert": {"sd": -0.5}}`: "mediaConvert.sd",
		`{"lambda": {"gbSecond": {"arm64": -0.5}}}`: "lambda.gbSecond.arm64",
	} {
		if _, err := Parse([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", body, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(published)
	f.Add([]byte(`{"kms": 1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := Parse(body)
		if err != nil {
			return
		}
		record := usage.Record{Function: usage.Transcode, Milliseconds: 10, MemoryMiB: 1024, Architecture: "amd64", Counts: usage.Counts{S3Reads: 1, KMS: 1}}
		if c := l.Bill([]usage.Record{record}, nil).Total.Cost.Total; c < 0 || math.IsNaN(c) {
			t.Errorf("%s: a job costs %v", body, c)
		}
	})
}

func TestBill(t *testing.T) {
	records := []usage.Record{
		{Function: usage.Assemble, Task: "1", Milliseconds: 1000, MemoryMiB: 1024, Architecture: "arm64"},
		{Function: usage.Transcode, Task: "audio", Attempt: 1, Milliseconds: 1500, InitMilliseconds: 500, CPUMilliseconds: 2500, MemoryMiB: 2048, Architecture: "amd64",
			Counts: usage.Counts{S3Writes: 2, S3Reads: 3, S3Deletes: 9, S3In: 10, S3Out: 20, KMS: 1, SQS: 1, Retries: map[usage.Cause]int64{usage.Throttled: 2, usage.Server: 1}}},
		{Function: usage.Transcode, Task: "chunk-0-00000", Attempt: 1, Failed: true, Milliseconds: 1000, MemoryMiB: 1024, Architecture: "amd64"},
		{Function: usage.Transcode, Task: "chunk-0-00000", Attempt: 4, Milliseconds: 1000, MemoryMiB: 1024, Architecture: "amd64", Counts: usage.Counts{SNS: 1}},
		{Function: usage.Ingest, Milliseconds: 2000, MemoryMiB: 512, Architecture: "amd64", Shared: 2, Counts: usage.Counts{S3Reads: 4}},
	}
	outputs := []Output{{ID: "1", Minutes: 2}, {ID: "2", Minutes: 0.5}}
	b := prices().Bill(records, outputs)
	if len(b.Lines) != 3 || b.Lines[0].Function != "ingest" || b.Lines[1].Function != "transcode" || b.Lines[2].Function != "assemble" {
		t.Fatalf("%+v", b.Lines)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"ingest invocations", b.Lines[0].Invocations, 0.5},
		{"ingest GB-seconds", b.Lines[0].GBSeconds, 0.5},
		{"ingest reads", b.Lines[0].S3Reads, 2},
		{"ingest lambda", b.Lines[0].Cost.Lambda, 0.5*2 + 0.5*10},
		{"ingest s3", b.Lines[0].Cost.S3, 2},
		{"transcode invocations", b.Lines[1].Invocations, 3},
		{"transcode failed", b.Lines[1].Failed, 1},
		{"transcode seconds", b.Lines[1].Seconds, 4},
		{"transcode CPU", b.Lines[1].CPUSeconds, 2.5},
		{"transcode GB-seconds", b.Lines[1].GBSeconds, 6},
		{"transcode lambda", b.Lines[1].Cost.Lambda, 6*2 + 3*10},
		{"transcode s3", b.Lines[1].Cost.S3, 203},
		{"transcode kms", b.Lines[1].Cost.KMS, 1000},
		{"transcode sqs", b.Lines[1].SQS, 1 + 2 + 1 + 2}, // its own, and Lambda's: the failed one is not deleted
		{"transcode sqs cost", b.Lines[1].Cost.SQS, 6 * 7},
		{"transcode sns cost", b.Lines[1].Cost.SNS, 3},
		{"transcode retries", b.Lines[1].Retries, 3},
		{"transcode bytes", b.Lines[1].S3In + b.Lines[1].S3Out, 30},
		{"assemble lambda", b.Lines[2].Cost.Lambda, 1 + 10},
		{"total", b.Total.Cost.Total, 6 + 2 + 42 + 203 + 1000 + 42 + 3 + 11},
		{"total invocations", b.Total.Invocations, 4.5},
		{"minutes", b.Minutes, 2.5},
		{"per minute", b.PerMinute, b.Total.Cost.Total / 2.5},
		{"lost", float64(b.Lost), 2},
	} {
		if !near(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestBillOfNothing(t *testing.T) {
	if b := prices().Bill(nil, nil); b.Total.Cost.Total != 0 || b.PerMinute != 0 || len(b.Lines) != 0 {
		t.Errorf("%+v", b)
	}
}

func TestPrice(t *testing.T) {
	const none = -1
	for _, c := range []struct {
		made  Made
		class Class
		et    float64
		mc    float64
	}{
		{Made{Seconds: 60, Width: 1920, Height: 1080, Rate: 25, Codec: "H.264"}, HD, 0.03, 0.015},
		{Made{Seconds: 90, Width: 1280, Height: 720, Rate: 29.97, Codec: "H.264"}, HD, 0.045, 0.0225},
		{Made{Seconds: 60, Width: 1280, Height: 718, Rate: 30, Codec: "H.264"}, SD, 0.015, 0.0075},
		{Made{Seconds: 60, Width: 720, Height: 1280, Rate: 30, Codec: "H.264"}, HD, 0.03, 0.015},
		{Made{Seconds: 60, Width: 3840, Height: 2160, Rate: 30, Codec: "H.264"}, UHD, 0.03, 0.03},
		{Made{Seconds: 60, Width: 640, Height: 480, Rate: 50, Codec: "vp9"}, SD, 0.015, 0.015},
		{Made{Seconds: 60, Width: 640, Height: 480, Rate: 25, Codec: "mpeg2"}, SD, 0.015, none},
		{Made{Seconds: 60}, Audio, 0.0045, 0.003},
		{Made{Seconds: 3, Width: 640, Height: 360, Rate: 25, Codec: "H.264"}, SD, 0.00075, 0.00125}, // ten seconds at least
	} {
		got := Published().Price(c.made)
		if got.Class != c.class || got.ElasticTranscoder == nil || !near(*got.ElasticTranscoder, c.et) {
			t.Errorf("%+v: %s, %v", c.made, got.Class, *got.ElasticTranscoder)
		}
		if (got.MediaConvert == nil) != (c.mc == none) || got.MediaConvert != nil && !near(*got.MediaConvert, c.mc) {
			t.Errorf("%+v: MediaConvert %v, want %v", c.made, got.MediaConvert, c.mc)
		}
	}
}

func TestOutputsOf(t *testing.T) {
	j := job.Job{OutputKeyPrefix: "p/", Outputs: []job.Output{
		{ID: "1", Key: "a.mp4", Status: job.Complete, DurationMillis: 90_000, Width: 1920, Height: 1080, FrameRate: "50"},
		{ID: "2", Key: "b.mp4", Status: job.Error, DurationMillis: 90_000},
		{ID: "3", Key: "c.mp3", Status: job.Complete, DurationMillis: 60_000},
	}}
	p := &plan.Plan{Outputs: []plan.Output{{Picture: &plan.Picture{}}, {Picture: &plan.Picture{}}, {}}}
	got := Published().OutputsOf(j, p)
	if len(got) != 2 || got[0].Key != "p/a.mp4" || got[0].Class != HD || !near(*got[0].MediaConvert, 1.5*0.03) || got[1].Class != Audio || got[1].Minutes != 1 {
		t.Errorf("%+v", got)
	}
	if got := Published().OutputsOf(j, nil); len(got) != 0 {
		t.Errorf("without a plan: %+v", got)
	}
}

func TestUnrecorded(t *testing.T) {
	p := &plan.Plan{Sounds: make([]plan.Sound, 1), Groups: []plan.Group{{Chunks: make([]plan.Chunk, 2)}}, Outputs: []plan.Output{{ID: "1"}, {ID: "2"}}}
	records := []usage.Record{
		{Function: usage.Transcode, Task: "audio"}, {Function: usage.Transcode, Task: "chunk-0-00000", Failed: true},
		{Function: usage.Transcode, Task: "chunk-0-00001"}, {Function: usage.Assemble, Task: "2"},
	}
	if got := strings.Join(Unrecorded(p, records), " "); got != "chunk-0-00000 output-1" {
		t.Errorf("%s", got)
	}
}
