package request

import (
	"errors"
	"strings"
	"testing"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

const full = `{
  "PipelineId": "1111111111111-aaaaaa",
  "Inputs": [{"Key": "own.mp4", "FrameRate": "auto", "Encryption": {"Mode": "s3"}}],
  "OutputKeyPrefix": "{prefix}{stem}/",
  "Outputs": [
    {"Key": "{name}-a", "PresetId": "1351620000001-200010", "SegmentDuration": "6"},
    {"Key": "b", "PresetId": "1351620000001-000010", "Encryption": {"Mode": "s3"}}
  ],
  "Playlists": [{"Name": "{stem}", "Format": "HLSv3", "OutputKeys": ["{name}-a"]}],
  "UserMetadata": {"a": "stem"}
}`

func TestATemplateKeepsWhatItHas(t *testing.T) {
	d, err := Parse([]byte("\ufeff" + full))
	if err != nil {
		t.Fatal(err)
	}
	if d.Pipeline() != "1111111111111-aaaaaa" || d.Key() != "own.mp4" || d.Encryption() != (job.Encryption{Mode: "s3"}) {
		t.Errorf("%q %q %v", d.Pipeline(), d.Key(), d.Encryption())
	}
	req := complete(t, []byte(full), Filling{
		PipelineID: "2222222222222-bbbbbb", Key: "films/x y.mp4", Name: "films/x y.mp4", Prefix: "unused/", OutMode: "s3-aws-kms",
		Encryption: job.Encryption{Mode: "s3-aws-kms"},
	})
	in := req.Inputs[0]
	if req.PipelineID != "1111111111111-aaaaaa" || in.Key != "films/x y.mp4" || in.FrameRate != "auto" || in.Encryption.Mode != "s3-aws-kms" {
		t.Errorf("%+v", req)
	}
	a, b := req.Outputs[0], req.Outputs[1]
	if req.OutputKeyPrefix != "films/x y/" || a.Key != "x y.mp4-a" || req.Playlists[0].Name != "x y" || req.Playlists[0].OutputKeys[0] != "x y.mp4-a" {
		t.Errorf("placeholders: %+v", req)
	}
	if a.Encryption.Mode != "s3-aws-kms" || b.Encryption.Mode != "s3" || req.UserMetadata["a"] != "stem" {
		t.Errorf("%+v", req)
	}
}

func TestCompletingLeavesTheTemplateAsItIs(t *testing.T) {
	d, err := Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	first, err := d.Complete(filling)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Complete(Filling{PipelineID: "x", Key: "y", Name: "other", OutMode: "s3"}); err != nil {
		t.Fatal(err)
	}
	if again, err := d.Complete(filling); err != nil || string(again) != string(first) {
		t.Errorf("%s\nis not\n%s", again, first)
	}
}

func TestBothFormsOfInputAndOutput(t *testing.T) {
	for _, template := range []string{
		`{"Output": {"Key": "{stem}", "PresetId": "1351620000001-000010"}}`,
		`{"Input": null, "Output": {"Key": "{stem}", "PresetId": "1351620000001-000010"}}`,
		`{"Input": {"Container": "mp4"}, "Outputs": [{"Key": "{stem}", "PresetId": "1351620000001-000010"}]}`,
		`{"Inputs": [{"Key": "old"}], "Outputs": [{"Key": "{stem}", "PresetId": "1351620000001-000010"}]}`,
	} {
		req := complete(t, []byte(template), filling)
		if len(req.Inputs) != 1 || req.Inputs[0].Key != filling.Key || req.Outputs[0].Key != "clip" || req.Outputs[0].Encryption.Mode != "sse-c" {
			t.Errorf("%s: %+v", template, req)
		}
	}
}

func TestWithoutOutModeNothingIsAdded(t *testing.T) {
	f := filling
	f.OutMode = ""
	req := complete(t, []byte(`{"Output": {"Key": "x", "PresetId": "1351620000001-000010"}}`), f)
	if req.Outputs[0].Encryption != nil {
		t.Errorf("%+v", req.Outputs[0])
	}
}

func TestNamesThatLookLikePlaceholders(t *testing.T) {
	f := filling
	f.Name, f.Prefix = "{stem}/{name}.mp4", "{name}-abc/"
	req := complete(t, []byte(`{"Output": {"Key": "{prefix}{name}", "PresetId": "1351620000001-000010"}}`), f)
	if req.Outputs[0].Key != "{stem}/{name}.mp4" || req.OutputKeyPrefix != "{name}-abc/" {
		t.Errorf("%+v", req.Outputs[0])
	}
}

func TestTemplatesThatCannotBeUsed(t *testing.T) {
	var syntax *document.SyntaxError
	if _, err := Parse([]byte("{\n \"Outputs\": [,]}")); !errors.As(err, &syntax) || syntax.Line != 2 || syntax.Column != 14 {
		t.Error(err)
	}
	for _, doc := range []string{"", "[]", "null", `"x"`} {
		if _, err := Parse([]byte(doc)); !errors.As(err, &syntax) {
			t.Errorf("%q: %v", doc, err)
		}
	}
	var size *document.SizeError
	if _, err := Parse([]byte(strings.Repeat(" ", job.MaxDocument+1))); !errors.As(err, &size) {
		t.Error(err)
	}
	if _, err := Parse([]byte(`{"Inputs": [{}, {}]}`)); !errors.Is(err, ErrInputs) {
		t.Error(err)
	}
	d, err := Parse([]byte(`{"Outputs": [{"Key": "{stme}{x}"}, {"Key": "{stme}"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Complete(filling); err == nil || !strings.Contains(err.Error(), "{stme}, {x}") {
		t.Error(err)
	}
}

// What is not of the shape of a request is left for the service to refuse.
func TestOddShapesPass(t *testing.T) {
	for _, template := range []string{
		`{}`, `{"Input": 1}`, `{"Inputs": "x"}`, `{"Inputs": [1]}`, `{"Inputs": []}`, `{"Output": [], "Outputs": {}}`, `{"Outputs": [null, 1, {"Key": 3}]}`,
		`{"Playlists": [{"OutputKeys": [1, null]}, "x"]}`, `{"Encryption": {}, "Big": 123456789012345678901234567890}`,
	} {
		d, err := Parse([]byte(template))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := d.Complete(filling)
		if err != nil {
			t.Errorf("%s: %v", template, err)
		}
		if strings.Contains(template, "1234567890") && !strings.Contains(string(doc), "123456789012345678901234567890") {
			t.Errorf("%s lost a number", doc)
		}
	}
}

func TestParts(t *testing.T) {
	for name, want := range map[string][3]string{
		"clip.mp4": {"", "clip.mp4", "clip"}, "a/b/c.tar.gz": {"a/b/", "c.tar.gz", "c.tar"}, ".mp4": {"", ".mp4", ".mp4"}, "a/": {"a/", "", ""}, "x": {"", "x", "x"},
	} {
		folder, base, stem := Parts(name)
		if got := [3]string{folder, base, stem}; got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Completing what is complete changes nothing.
func FuzzComplete(f *testing.F) {
	f.Add(full, "clip.mp4")
	f.Add(`{"Inputs":[{"Encryption":{"Mode":"s3"}}],"Output":{"Key":"{name}"}}`, "a/b.x")
	f.Fuzz(func(t *testing.T, template, key string) {
		d, err := Parse([]byte(template))
		if err != nil {
			return
		}
		fill := Filling{PipelineID: "p", Key: key, Name: "clip.mp4", Prefix: "clip/", OutMode: "sse-c"}
		doc, err := d.Complete(fill)
		if err != nil || len(doc) > job.MaxDocument || placeholder.Match(doc) { // as of {{name}x}
			return
		}
		again, err := Parse(doc)
		if err != nil {
			t.Fatalf("%v: %s", err, doc)
		}
		if twice, err := again.Complete(fill); err != nil || string(twice) != string(doc) {
			t.Errorf("%v\n%s\nis not\n%s", err, twice, doc)
		}
	})
}
