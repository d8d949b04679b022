package main

import (
	"strings"
	"testing"

	"sealreel/pkg/price"
	"sealreel/pkg/usage"
)

func TestOnLambda(t *testing.T) {
	here := []usage.Record{{Function: usage.Transcode, Milliseconds: 9000, InitMilliseconds: 100, CPUMilliseconds: 3400, MemoryMiB: 2 * processorMiB, Architecture: "amd64", Counts: usage.Counts{S3Reads: 3}}}
	got := onLambda(here, "arm64")
	if len(got) != 1 || got[0].Milliseconds != 1700 || got[0].InitMilliseconds != 0 || got[0].Architecture != "arm64" || got[0].S3Reads != 3 {
		t.Errorf("%+v", got)
	}
	if here[0].Milliseconds != 9000 {
		t.Error("the records themselves were changed")
	}
}

// A row is for one minute, whatever the length of the job.
func TestRowIsForAMinute(t *testing.T) {
	records := []usage.Record{{Function: usage.Ingest, Milliseconds: 4000, CPUMilliseconds: 2000, MemoryMiB: 1024, Architecture: "amd64",
		Counts: usage.Counts{S3Writes: 8, S3Reads: 10, S3In: 6e6, S3Out: 2e6, KMS: 6, SQS: 2}}}
	made := price.Made{ID: "1", Seconds: 120, Width: 1280, Height: 720, Rate: 25, Codec: "H.264"}
	got := rowOf("720p", records, []price.Output{price.Published().Price(made)})
	if want := "| 720p | 1.0 | 1.7 | 2.0 | 0.5 | 4 | 5 | 3.0 | 1.0 | 3.0 | 1.0 | "; !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
	if want := " 0.0300 | 0.0150 |"; !strings.HasSuffix(got, want) || strings.Count(got, "|") != 16 {
		t.Errorf("%s", got)
	}
}
