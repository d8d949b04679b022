package judge

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sealreel/pkg/object"
	"sealreel/pkg/preset"
)

func TestKinds(t *testing.T) {
	for text, want := range map[string]string{
		`{"Output":{}}`: Job, `{"PipelineId":"x"}`: Job, `{"Playlists":[],"Name":"x"}`: Job,
		`{"Container":"ts"}`: Preset, `{"Preset":{}}`: Preset, `{"Video":null}`: "", `{"Audio":{}}`: Preset,
		`{"InputBucket":"x"}`: Pipeline, `{"Pipeline":{},"Warnings":[]}`: Pipeline, `{"Name":"x","Sealreel":{}}`: Pipeline,
		`{"Name":"x"}`: "", `{}`: "", `[]`: "", ``: "", `{`: "",
	} {
		v, err := Of(t.Context(), []Document{{Name: "d", Text: []byte(text)}}, nil)
		if err != nil || v[0].Kind != want {
			t.Errorf("%s: %+v, %v, want %q", text, v, err, want)
		}
		if len(v) == 1 && len(v[0].Problems) == 0 {
			t.Errorf("%s has no problem", text)
		}
	}
	v, err := Of(t.Context(), []Document{{Name: "a.job.json", Text: []byte(`{`)}, {Kind: Preset, Text: []byte(`{"Output":{}}`)}}, nil)
	if err != nil || v[0].Kind != Job || v[1].Kind != Preset {
		t.Errorf("%+v, %v", v, err)
	}
}

// stack has one preset, whose document is broken, and may be down.
type stack struct{ down error }

func (s stack) Preset(_ context.Context, id string) (*preset.Preset, error) {
	if s.down != nil {
		return nil, s.down
	}
	if id == "1382548852289-broken" {
		return preset.Parse([]byte(`{"Id":`))
	}
	return nil, object.ErrNotExist
}

func (s stack) HasPipeline(context.Context, string) (bool, error) { return true, nil }

func TestPresetsOfJobs(t *testing.T) {
	down := errors.New("down")
	for name, c := range map[string]struct {
		preset  string
		stack   Stack
		problem string
		warning string
	}{
		"none":               {"1382548852289-nobody", stack{}, "The specified preset was not found", ""},
		"broken":             {"1382548852289-broken", stack{}, "The specified preset breaks rules of its own", ""},
		"withdrawn":          {"1351620000001-100010", nil, "withdrew it in favour of 1351620000001-100020", ""},
		"not looked for":     {"1382548852289-nobody", nil, "", "was not looked for"},
		"can't be looked at": {"1382548852289-nobody", stack{down}, "", ""},
	} {
		text := `{"PipelineId":"1762992000000-sealrl","Input":{"Key":"a"},"Output":{"Key":"b","PresetId":"` + c.preset + `"}}`
		v, err := Of(t.Context(), []Document{{Name: "d", Text: []byte(text)}}, c.stack)
		if c.stack == (stack{down}) {
			if !errors.Is(err, down) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		problems, warnings := "", strings.Join(v[0].Warnings, ";")
		for _, p := range v[0].Problems {
			problems += p.String()
		}
		if !strings.Contains(problems, c.problem) || (problems == "") != (c.problem == "") ||
			!strings.Contains(warnings, c.warning) || (warnings == "") != (c.warning == "") {
			t.Errorf("%s: %s; warnings %s", name, problems, warnings)
		}
	}
}
