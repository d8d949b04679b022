package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

const (
	id  = "1762992000000-sealrl"
	md5 = "zG9MId7htnmIZEWCXXG5yg=="
)

var wrapped = strings.Repeat("QUJD", 40) // stands for a KMS ciphertext

// doc is a small pipeline with further members, given as JSON.
func doc(members string) []byte {
	if members != "" {
		members = "," + members
	}
	return []byte(`{"Id":"` + id + `","Name":"default","InputBucket":"in"` + members + `}`)
}

func drop(prefix, template string) string {
	return fmt.Sprintf(`"OutputBucket":"out","Sealreel":{"Drop":{"Prefix":%q,"Template":%s}}`, prefix, template)
}

const ladder = `{"OutputKeyPrefix":"{prefix}{stem}/",
 "Outputs":[{"Key":"hi","PresetId":"1351620000001-200010","SegmentDuration":10},{"Key":"lo","PresetId":"1351620000001-200050","SegmentDuration":10}],
 "Playlists":[{"Name":"{stem}","Format":"HLSv3","OutputKeys":["hi","lo"]}],"UserMetadata":{"by":"drop"}}`

func TestParse(t *testing.T) {
	p, err := Parse([]byte(`{"Id":"1762992000000-sealrl","Arn":"arn:aws:elastictranscoder:eu-west-1:123456789012:pipeline/1762992000000-sealrl",
	 "Name":"default","Status":"Paused","InputBucket":"in","OutputBucket":"out","Role":"arn:aws:iam::123456789012:role/r","AwsKmsKeyArn":"arn:aws:kms:k",
	 "Notifications":{"Progressing":"","Completed":"","Warning":"","Error":""},
	 "ContentConfig":{"Bucket":"out","StorageClass":"Standard","Permissions":[]},"ThumbnailConfig":{"Bucket":"out","StorageClass":"Standard","Permissions":[]},
	 "Sealreel":{"EncryptionContext":{"service":"x"},"InputEncryption":{"Mode":"sse-c","Key":"` + wrapped + `","KeyMd5":"` + md5 + `"},
	   "Drop":{"Prefix":"tv/","Template":` + ladder + `}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Status != Paused || p.ContentBucket() != "out" || p.AwsKmsKeyArn != "arn:aws:kms:k" || p.ContentConfig.StorageClass != "Standard" ||
		p.Sealreel.Drop.Prefix != "tv/" || p.Sealreel.InputEncryption.Key != wrapped || p.Context()["service"] != "x" {
		t.Errorf("read as %+v", p)
	}
	again, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if q, err := Parse(again); err != nil || !reflect.DeepEqual(p, q) {
		t.Errorf("written and read again: %v\n%s", err, again)
	}
}

func TestDefaults(t *testing.T) {
	p, err := Parse(doc(`"ContentConfig":{"Bucket":"media"},"ThumbnailConfig":{"Bucket":"thumbs"}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Status != Active || p.ContentBucket() != "media" {
		t.Errorf("status %q, bucket %q", p.Status, p.ContentBucket())
	}
	if want := map[string]string{"service": "elastictranscoder.amazonaws.com"}; !reflect.DeepEqual(p.Context(), want) {
		t.Errorf("context %v", p.Context())
	}
	if (&Pipeline{}).ContentBucket() != "" {
		t.Error("a bucket from nowhere")
	}
	p.Context()["service"] = "changed"
	if p.Context()["service"] == "changed" {
		t.Error("a caller's change of the context stays")
	}
}

func TestParseProblems(t *testing.T) {
	out := `"OutputBucket":"out",`
	for name, c := range map[string]struct {
		doc  []byte
		want string
	}{
		"empty object":             {[]byte(`{}`), "4 validation errors detected: Value null at 'id' failed to satisfy constraint: Member must not be null; Value null at 'name'"},
		"no output bucket":         {doc(""), "[OutputBucket and ContentConfig:Bucket are not allowed to both be null.]"},
		"two output buckets":       {doc(out + `"ContentConfig":{"Bucket":"b"},"ThumbnailConfig":{"Bucket":"b"}`), "mutually exclusive"},
		"no thumbnail bucket":      {doc(`"ContentConfig":{"Bucket":"b"}`), "ThumbnailConfig:Bucket is not allowed to be null"},
		"bucket pattern":           {doc(`"OutputBucket":"a/b"`), `Value 'a/b' at 'outputBucket' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(\w|\.|-){1,255}$`},
		"role":                     {doc(out + `"Role":"me"`), "at 'role'"},
		"status":                   {doc(out + `"Status":"Off"`), "at 'status' failed to satisfy constraint: Member must satisfy regular expression pattern: (^Active$)|(^Paused$)"},
		"unknown":                  {doc(out + `"inputBucket":"x"`), "did you mean 'InputBucket'?"},
		"unknown addition":         {doc(out + `"Sealreel":{"Drops":{}}`), "at 'sealreel.drops' failed to satisfy constraint: Member is unknown"},
		"input mode":               {doc(out + `"Sealreel":{"InputEncryption":{"Mode":"S3EC"}}`), "at 'sealreel.inputEncryption.mode' failed to satisfy constraint: Member must satisfy regular expression pattern: (^s3$)"},
		"input key missing":        {doc(out + `"Sealreel":{"InputEncryption":{"Mode":"sse-c"}}`), "'sealreel.inputEncryption' must give Key and KeyMd5"},
		"no template":              {doc(out + `"Sealreel":{"Drop":{"Prefix":"a"}}`), "at 'sealreel.drop.template' failed to satisfy constraint: Member must be an object"},
		"template no object":       {doc(drop("", `[]`)), "at 'sealreel.drop.template' failed to satisfy constraint: Member must be an object"},
		"template with pipeline":   {doc(drop("", `{"PipelineId":"x"}`)), "'sealreel.drop.template.pipelineId' must be left out"},
		"template with input":      {doc(drop("", `{"Input":{"Key":"x"}}`)), "'sealreel.drop.template.input' must be left out"},
		"template without output":  {doc(drop("", `{}`)), "'outputs' must have one element or more"},
		"template of a bad preset": {doc(drop("", `{"Output":{"Key":"{stem}","PresetId":"x"}}`)), "Value 'x' at 'sealreel.drop.template.output.presetId'"},
		"template typo":            {doc(drop("", `{"Output":{"Key":"{base}","PresetId":"1351620000001-000010"}}`)), "{base} is none of {name}, {stem} and {prefix}"},
		"template leading slash":   {doc(drop("", `{"Output":{"Key":"{prefix}/a","PresetId":"1351620000001-000010"}}`)), "must not begin with '/'"},
		"template equal keys": {doc(drop("", `{"Outputs":[{"Key":"{name}","PresetId":"1351620000001-000010"},{"Key":"{stem}.mp4","PresetId":"1351620000001-000010"}]}`)),
			"Value 'sample.mp4' at 'sealreel.drop.template.outputs.2.member.key' failed to satisfy constraint: Member must differ from the key of 'outputs.1.member'"},
	} {
		_, err := Parse(c.doc)
		var invalid *document.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant ...%s...", name, err, c.want)
		}
	}
	var syntax *document.SyntaxError
	if _, err := Parse([]byte("{\n  nope")); !errors.As(err, &syntax) || syntax.Line != 2 || syntax.Column != 3 {
		t.Errorf("syntax: %v", err)
	}
}

func mustParse(t *testing.T, d []byte) *Pipeline {
	t.Helper()
	p, err := Parse(d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDropsInEnvelopes(t *testing.T) {
	p := mustParse(t, doc(`"OutputBucket":"out","Sealreel":{"InputEncryption":{"Mode":"s3-encryption-client"}}`))
	if e := p.Sealreel.InputEncryption; e == nil || *e != (job.Encryption{Mode: job.ModeS3EC}) {
		t.Errorf("read as %+v", e)
	}
}

func TestDropRequest(t *testing.T) {
	p := mustParse(t, doc(drop("tv/", ladder)))
	p.Sealreel.InputEncryption = &job.Encryption{Mode: job.ModeSSEC, Key: wrapped, KeyMd5: md5}
	req, err := p.DropRequest("tv/s 1/pilot.ä.mp4")
	if err != nil {
		t.Fatal(err)
	}
	want := &job.Request{
		PipelineID:      id,
		Inputs:          []job.Input{{Key: "tv/s 1/pilot.ä.mp4", Encryption: p.Sealreel.InputEncryption}},
		OutputKeyPrefix: "tv/s 1/pilot.ä/",
		Outputs: []job.Output{
			{Key: "hi", PresetID: "1351620000001-200010", SegmentDuration: "10"},
			{Key: "lo", PresetID: "1351620000001-200050", SegmentDuration: "10"},
		},
		Playlists:    []job.Playlist{{Name: "pilot.ä", Format: "HLSv3", OutputKeys: []string{"hi", "lo"}}},
		UserMetadata: map[string]string{"by": "drop"},
	}
	if !reflect.DeepEqual(req, want) {
		t.Errorf("got  %+v\nwant %+v", req, want)
	}
}

func TestDropNames(t *testing.T) {
	p := mustParse(t, doc(drop("", `{"Output":{"Key":"{prefix}[{name}][{stem}]","PresetId":"1351620000001-000010"}}`)))
	for key, want := range map[string]string{
		"a.mp4":         "[a.mp4][a]",
		"a":             "[a][a]",
		"x/y/a.b.mkv":   "x/y/[a.b.mkv][a.b]",
		".mp4":          "[.mp4][.mp4]",
		"x/{stem}.mp4":  "x/[{stem}.mp4][{stem}]",
		"folder/":       "folder/[][]",
		"a \"q\"\\.mp4": "[a \"q\"\\.mp4][a \"q\"\\]",
	} {
		req, err := p.DropRequest(key)
		if err != nil || req.Outputs[0].Key != want || req.Inputs[0].Key != key {
			t.Errorf("%q: %+v, %v, want output %q", key, req, err, want)
		}
	}
	var invalid *document.ValidationError
	if _, err := p.DropRequest(strings.Repeat("k", 300)); !errors.As(err, &invalid) || job.FailureOf(err).Code != job.CodeValidation {
		t.Errorf("a name that is too long: %v", err)
	}
	if _, err := mustParse(t, doc(`"OutputBucket":"o"`)).DropRequest("a"); !errors.Is(err, ErrNoDrop) {
		t.Errorf("no drop: %v", err)
	}
}

func TestForDrop(t *testing.T) {
	with := func(id string, prefix string) *Pipeline {
		return &Pipeline{ID: id, Sealreel: &Additions{Drop: &Drop{Prefix: prefix}}}
	}
	def, tv, news, twin, none := with("d", ""), with("b", "tv/"), with("c", "tv/news/"), with("a", "tv/"), &Pipeline{ID: "n"}
	all := []*Pipeline{none, def, tv, news, twin}
	for _, c := range []struct {
		name      string
		pipelines []*Pipeline
		defaultID string
		key       string
		want      *Pipeline
	}{
		{"longest prefix", all, "d", "tv/news/x.mp4", news},
		{"lowest id of equals", all, "d", "tv/x.mp4", twin},
		{"default among equals", all, "b", "tv/x.mp4", tv},
		{"empty prefix takes the rest", all, "n", "x.mp4", def},
		{"default without a drop", []*Pipeline{none, tv}, "n", "x.mp4", none},
		{"prefix is of characters", all, "d", "tv", def},
		{"nothing fits", []*Pipeline{tv}, "d", "x.mp4", nil},
		{"none at all", nil, "d", "x.mp4", nil},
	} {
		if got := ForDrop(c.pipelines, c.defaultID, c.key); got != c.want {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(doc(`"OutputBucket":"out"`), "a/b.mp4")
	f.Add(full(), "a")
	f.Add(doc(drop("tv/", ladder)), "tv/x")
	f.Add(doc(drop("", `{"Output":{"Key":"{name}","PresetId":"1351620000001-000010"}}`)), "{prefix}")
	f.Add([]byte(`{"Sealreel":{"Drop":{"Template":{"Outputs":[{}]}}}}`), "")
	f.Fuzz(func(t *testing.T, d []byte, key string) {
		p, err := Parse(d)
		if err != nil {
			if p != nil {
				t.Fatal("a pipeline came with an error")
			}
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Parse(again)
		if err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("written and read again: %v\n%+v\n%+v", err, p, q)
		}
		if req, err := p.DropRequest(key); err == nil && (len(req.Inputs) != 1 || len(req.Outputs) == 0 || req.PipelineID != p.ID) {
			t.Fatalf("drop of %q made %+v", key, req)
		}
	})
}
