package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/object/objecttest"
)

const defaultID = "1762992000000-sealrl"

// buckets are regions by the names of buckets; "" stands for none of the name,
// and other buckets tell nothing.
type buckets map[string]string

func (b buckets) Region(_ context.Context, bucket string) (string, error) {
	region, known := b[bucket]
	switch {
	case !known:
		return "", object.ErrAccess
	case region == "":
		return "", object.ErrNoBucket
	}
	return region, nil
}

func registry(t *testing.T) (*Registry, *objecttest.Memory) {
	t.Helper()
	m := &objecttest.Memory{}
	return &Registry{
		Ledger: ledger.New(m, "state"), Region: "eu-west-1", DefaultID: defaultID,
		Buckets: buckets{"in": "eu-west-1", "out": "eu-west-1", "far": "us-east-1", "gone": ""},
		Now:     func() time.Time { return time.UnixMilli(1700000000000) },
	}, m
}

// refusal is the code of a refusal, "invalid" for a document with problems.
func refusal(err error) string {
	var refused *Refusal
	var invalid *document.ValidationError
	switch {
	case errors.As(err, &refused):
		return refused.Code
	case errors.As(err, &invalid):
		return "invalid"
	case err != nil:
		return "error"
	}
	return ""
}

const plain = `{"Name":"mine","InputBucket":"in","OutputBucket":"out","Role":"arn:aws:iam::123456789012:role/r"}`

func TestPipelines(t *testing.T) {
	r, _ := registry(t)
	ctx := t.Context()
	p, warnings, err := r.CreatePipeline(ctx, []byte(plain))
	if err != nil || len(warnings) != 0 || !job.ValidID(p.ID) || !strings.HasPrefix(p.ID, "1700000000000-") || p.Status != "Active" {
		t.Fatalf("%+v, %v, %v", p, warnings, err)
	}
	q, _, err := r.CreatePipeline(ctx, []byte(plain))
	if err != nil || q.ID == p.ID {
		t.Fatalf("the second is %+v, %v", q, err)
	}
	kept, warnings, err := r.CreatePipeline(ctx, []byte(`{"Pipeline":{"Id":"1382548852289-kax4vo","Name":"old","Status":"Paused","InputBucket":"far","OutputBucket":"out"},"Warnings":[]}`))
	if err != nil || kept.ID != "1382548852289-kax4vo" || kept.Status != "Paused" || len(warnings) != 1 || warnings[0].Code != "6000" {
		t.Fatalf("%+v, %v, %v", kept, warnings, err)
	}
	read, warnings, err := r.ReadPipeline(ctx, kept.ID)
	if err != nil || read.Name != "old" || len(warnings) != 1 {
		t.Errorf("%+v, %v, %v", read, warnings, err)
	}
	all, err := r.ListPipelines(ctx, true)
	if err != nil || len(all) != 3 || all[0].ID != kept.ID {
		t.Errorf("%v, %v", all, err)
	}
	if all, _ := r.ListPipelines(ctx, false); len(all) != 3 || all[2].ID != kept.ID {
		t.Errorf("the other way: %v", all)
	}
	if err := r.DeletePipeline(ctx, q.ID); err != nil {
		t.Error(err)
	}
	if all, _ := r.ListPipelines(ctx, true); len(all) != 2 {
		t.Errorf("one was deleted, and there are %v", all)
	}
}

func TestRefusedPipelines(t *testing.T) {
	r, m := registry(t)
	ctx := t.Context()
	first, _, err := r.CreatePipeline(ctx, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	create := func(doc string) error { _, _, err := r.CreatePipeline(ctx, []byte(doc)); return err }
	update := func(id, doc string) error { _, _, err := r.UpdatePipeline(ctx, id, []byte(doc)); return err }
	read := func(id string) error { _, _, err := r.ReadPipeline(ctx, id); return err }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"no bucket":         {create(strings.Replace(plain, `"out"`, `"gone"`, 1)), CodeNotFound},
		"not valid":         {create(`{"Name":"x","Nom":"y"}`), "invalid"},
		"same id":           {create(strings.Replace(plain, "{", `{"Id":"`+first.ID+`",`, 1)), CodeInUse},
		"template":          {create(strings.Replace(plain, "{", `{"Sealreel":{"Drop":{"Template":{"Output":{"Key":"a","PresetId":"1351620000001-000010","Rotate":"45"}}}},`, 1)), "invalid"},
		"read none":         {read("1382548852289-kax4vo"), CodeNotFound},
		"read nonsense":     {read("../x"), CodeNotFound},
		"update none":       {update("1382548852289-kax4vo", `{}`), CodeNotFound},
		"update nonsense":   {update("../x", `{}`), CodeNotFound},
		"update to no name": {update(first.ID, `{"Name":""}`), "invalid"},
		"update bucket":     {update(first.ID, `{"InputBucket":"gone"}`), CodeNotFound},
		"delete none":       {r.DeletePipeline(ctx, "1382548852289-kax4vo"), CodeNotFound},
		"delete nonsense":   {r.DeletePipeline(ctx, "../x"), CodeNotFound},
		"delete default":    {r.DeletePipeline(ctx, defaultID), CodeInUse},
	} {
		if got := refusal(c.err); got != c.want {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
	if p, _, err := r.ReadPipeline(ctx, first.ID); err != nil || p.Name != "mine" {
		t.Errorf("after it all: %+v, %v", p, err)
	}
	if err := m.Create(ctx, "state", "pipelines/1382548852289-broken.json", []byte(`{"Id":`)); err != nil {
		t.Fatal(err)
	}
	if all, err := r.ListPipelines(ctx, true); len(all) != 1 || err == nil || !strings.Contains(err.Error(), "1382548852289-broken") {
		t.Errorf("with a broken one: %v, %v", all, err)
	}
	if err := r.DeletePipeline(ctx, "1382548852289-broken"); err != nil {
		t.Errorf("a broken one can't be deleted: %v", err)
	}
}

func TestAPipelineWithActiveJobsStays(t *testing.T) {
	r, _ := registry(t)
	ctx := t.Context()
	p, _, err := r.CreatePipeline(ctx, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	rec := &ledger.Record{Job: job.New("1700000000001-abc123", &job.Request{PipelineID: p.ID, Outputs: []job.Output{{Key: "a"}}}, r.Now())}
	if _, _, err := r.Ledger.CreateJob(ctx, rec); err != nil {
		t.Fatal(err)
	}
	if err := r.DeletePipeline(ctx, p.ID); refusal(err) != CodeInUse {
		t.Errorf("deleted: %v", err)
	}
	if _, err := r.Ledger.UpdateJob(ctx, rec.Job.ID, func(rec *ledger.Record) (err error) {
		rec.Job, err = job.Cancel(rec.Job, r.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.DeletePipeline(ctx, p.ID); err != nil {
		t.Errorf("not deleted: %v", err)
	}
}

// Two changes of one pipeline at a time are both kept.
func TestRacingUpdates(t *testing.T) {
	r, m := registry(t)
	ctx := t.Context()
	p, _, err := r.CreatePipeline(ctx, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	raced := false
	m.Before = func(call, _ string) error {
		if call == "Replace" && !raced {
			raced = true
			_, _, err := r.UpdatePipeline(ctx, p.ID, []byte(`{"Status":"Paused"}`))
			return err
		}
		return nil
	}
	q, _, err := r.UpdatePipeline(ctx, p.ID, []byte(`{"Name":"other","Role":""}`))
	if err != nil || q.Name != "other" || q.Status != "Paused" || q.Role != "" {
		t.Errorf("%+v, %v", q, err)
	}
}

const tiny = `{"Name":"mine","Container":"mp4","Audio":{"Codec":"AAC","BitRate":"96","CodecOptions":{"Profile":"AAC-LC"}}}`

func TestPresets(t *testing.T) {
	r, _ := registry(t)
	ctx := t.Context()
	p, warning, err := r.CreatePreset(ctx, []byte(tiny))
	if err != nil || warning != "" || !job.ValidID(p.ID) || p.Type != "Custom" {
		t.Fatalf("%+v, %q, %v", p, warning, err)
	}
	kept, warning, err := r.CreatePreset(ctx, []byte(`{"Preset":{"Id":"1382548852289-kax4vo","Name":"old","Container":"mp4","Type":"Custom",
	 "Video":{"Codec":"H.264","BitRate":"9000","CodecOptions":{"Profile":"main","Level":"1"}}},"Warning":""}`))
	if err != nil || kept.ID != "1382548852289-kax4vo" || warning == "" {
		t.Fatalf("%+v, %q, %v", kept, warning, err)
	}
	all, err := r.ListPresets(ctx, true)
	if err != nil || len(all) < 50 || all[len(all)-1].ID != p.ID || all[len(all)-2].ID != kept.ID {
		t.Errorf("%d presets, %v", len(all), err)
	}
	if got, err := r.ReadPreset(ctx, p.ID); err != nil || got.Name != "mine" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := r.DeletePreset(ctx, p.ID); err != nil {
		t.Error(err)
	}
	_, gone := r.ReadPreset(ctx, p.ID)
	_, _, system := r.CreatePreset(ctx, []byte(strings.Replace(tiny, "{", `{"Id":"1351620000001-000010",`, 1)))
	_, _, twice := r.CreatePreset(ctx, []byte(strings.Replace(tiny, "{", `{"Id":"1382548852289-kax4vo",`, 1)))
	_, _, typed := r.CreatePreset(ctx, []byte(strings.Replace(tiny, "{", `{"Type":"System",`, 1)))
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"gone": {gone, CodeNotFound}, "system": {system, CodeInUse}, "twice": {twice, CodeInUse}, "typed": {typed, "invalid"},
		"delete again":    {r.DeletePreset(ctx, p.ID), CodeNotFound},
		"delete system":   {r.DeletePreset(ctx, "1351620000001-000010"), CodeAccessDenied},
		"delete nonsense": {r.DeletePreset(ctx, "../pipelines/x"), CodeNotFound},
	} {
		if got := refusal(c.err); got != c.want {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
}

// An answer that got lost on its way makes no second pipeline.
func TestALostAnswer(t *testing.T) {
	r, m := registry(t)
	m.Before = func(call, key string) error {
		if call == "Create" {
			m.Before = nil
			return errors.Join(m.Create(t.Context(), "state", key, json.RawMessage(fmt.Sprintf(`{"Id":%q}`, key))), object.ErrExists)
		}
		return nil
	}
	if _, _, err := r.CreatePipeline(t.Context(), []byte(plain)); err != nil {
		t.Error(err)
	}
}
