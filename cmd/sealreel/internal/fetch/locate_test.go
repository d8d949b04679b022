package fetch

import (
	"errors"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/plan"
)

const (
	id      = "1382644766696-2di5iz"
	noPlan  = "1382644766696-000000"
	content = "content"
)

func catalogue(t *testing.T) (*ledger.Ledger, *objecttest.Memory) {
	t.Helper()
	m := &objecttest.Memory{}
	l := ledger.New(m, "state")
	p := &plan.Plan{Job: id, Keys: plan.Keys{KeyARN: "arn", Context: map[string]string{"a": "b"}}, Outputs: []plan.Output{
		{Job: id, ID: "1", Container: "ts", Bucket: content, Key: "x/hls", SegmentFrames: 250, Encryption: &job.Encryption{Mode: "sse-c", Key: "one"}},
		{Job: id, ID: "2", Container: "mp4", Bucket: content, Key: "x/web.mp4", Encryption: &job.Encryption{Mode: "sse-c", Key: "two"}},
		{Job: id, ID: "3", Container: "ts", Bucket: content, Key: "x/whole00001.ts", Encryption: &job.Encryption{Mode: "sse-c", Key: "three"}},
		{Job: id, ID: "4", Container: "ts", Bucket: content, Key: "x/odd.m3u8", Encryption: &job.Encryption{Mode: "sse-c", Key: "four"}},
		{Job: id, ID: "6", Container: "mp4", Bucket: content, Key: "x/stills.mp4", Encryption: &job.Encryption{Mode: "sse-c", Key: "six"}, Thumbnails: &plan.Thumbnails{
			Bucket: "stills", Names: job.ThumbnailNames{Prefix: "x/", Pattern: "t12345-{count}/{count}", Format: "png"}, Encryption: &job.Encryption{Mode: "aes-gcm", Key: "seven"}}},
		{Job: id, ID: "5", Container: "ts", Bucket: content, Key: "x/hls00", SegmentFrames: 250, Encryption: &job.Encryption{Mode: "sse-c", Key: "five"}},
	}}
	p.Outputs[0].Captions = captions("eight")
	p.Outputs[1].Captions = captions("nine")
	p.Outputs[1].Captions.Formats[0].Pattern = "web-{language}"
	if _, err := l.CreatePlan(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, o := range p.Outputs {
		if _, err := l.Catalog(t.Context(), o.Bucket, o.Key, ledger.Entry{Job: id, Output: o.ID}, nil); err != nil {
			t.Fatal(err)
		}
		for _, c := range o.CaptionFiles() {
			if _, err := l.Catalog(t.Context(), o.Bucket, c.Set(), ledger.Entry{Job: id, Output: o.ID}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if o.Thumbnails != nil {
			if _, err := l.Catalog(t.Context(), o.Thumbnails.Bucket, o.Thumbnails.Names.All(), ledger.Entry{Job: id, Output: o.ID}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for key, e := range map[string]ledger.Entry{"x/unplanned.mp4": {Job: noPlan, Output: "1"}, "x/unknown.mp4": {Job: id, Output: "9"}} {
		if _, err := l.Catalog(t.Context(), content, key, e, nil); err != nil {
			t.Fatal(err)
		}
	}
	return l, m
}

func captions(key string) *plan.Captions {
	return &plan.Captions{Tracks: []plan.CaptionTrack{{Language: "en"}, {Language: "de"}},
		Formats: []plan.CaptionFormat{{Format: "srt", Prefix: "x/", Pattern: "c-{language}", Encryption: &job.Encryption{Mode: "aes-ctr", Key: key}}}}
}

func TestLocate(t *testing.T) {
	l, _ := catalogue(t)
	for key, want := range map[string]string{
		"x/hls00000.ts": "one", "x/hls99999.ts": "one", "x/hls.m3u8": "", "x/web.mp4": "two", "x/whole00001.ts": "three", "x/odd.m3u8": "four",
		"x/hls0000000.ts": "five", "x/c-en00000.srt": "eight", "x/c-de12345.srt": "eight", "x/web-de.srt": "nine", "x/hls00.m3u8": "",
	} {
		p, err := Locate(t.Context(), l, content, key)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if p.Encryption != nil {
			got = p.Encryption.Key
			if p.Keys.KeyARN != "arn" || p.Keys.Context["a"] != "b" {
				t.Errorf("%s: %+v", key, p.Keys)
			}
		}
		if got != want || p.Bucket != content || p.Key != key {
			t.Errorf("%s: %+v, want %q", key, p, want)
		}
	}
	for _, key := range []string{"x/index.m3u8", "x/hls", "x/hls0000.ts", "x/hls00000.TS", "x/web.mp400000.ts", "x/web.mp4.m3u8", "x/unplanned.mp4", "x/unknown.mp4", "x/c-en.srt", "x/c-fr00000.srt", "x/web-de00000.srt", "x/web-de.vtt", ".m3u8", "00000.ts", ""} {
		p, err := Locate(t.Context(), l, content, key)
		if err != nil || p.Encryption != nil || p.Bucket != content || p.Owned || p.Key != key {
			t.Errorf("%s: %+v, %v", key, p, err)
		}
	}
}

// What a job wrote to one bucket says nothing of another. Entries that were made
// before there was a bucket in them serve for the one that the plan has.
func TestLocateHeedsTheBucket(t *testing.T) {
	l, m := catalogue(t)
	if p, err := Locate(t.Context(), l, "default", "x/web.mp4"); err != nil || p.Owned || p.Bucket != "default" {
		t.Errorf("in another bucket: %+v, %v", p, err)
	}
	for _, key := range []string{"x/web.mp4", "x/hls"} {
		entry, _, err := m.Get(t.Context(), "state", "catalog/"+content+"/"+key+".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Create(t.Context(), "state", "catalog/"+key+".json", entry); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"x/web.mp4", "x/hls00000.ts"} {
		if p, err := Locate(t.Context(), l, "default", key); err != nil || !p.Owned || p.Bucket != content {
			t.Errorf("by an older entry: %+v, %v", p, err)
		}
	}
}

func TestLocateThumbnails(t *testing.T) {
	l, _ := catalogue(t)
	for _, key := range []string{"x/t12345-00001/00001.png", "x/t12345-12345/12345.png"} {
		p, err := Locate(t.Context(), l, "stills", key)
		if err != nil || p.Bucket != "stills" || p.Encryption == nil || p.Encryption.Key != "seven" || !p.Owned || p.Single || p.Keys.KeyARN != "arn" {
			t.Errorf("%s: %+v, %v", key, p, err)
		}
	}
	for _, key := range []string{"x/t12345-00001/00002.png", "x/t12345-00001/00001.jpg", "x/t12345-00000/00000.png", "x/t12345-{count}/{count}.png"} {
		if p, err := Locate(t.Context(), l, "stills", key); err != nil || p.Owned {
			t.Errorf("%s: %+v, %v", key, p, err)
		}
	}
}

func TestLocateSaysWhatBroke(t *testing.T) {
	l, m := catalogue(t)
	broken := errors.New("broken")
	m.Before = func(call, key string) error { return broken }
	if _, err := Locate(t.Context(), l, "default", "x/web.mp4"); !errors.Is(err, broken) {
		t.Error(err)
	}
}
