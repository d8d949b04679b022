package ingest

import (
	"encoding/json"
	"slices"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/role"
)

func tenant(t *testing.T, members string) *pipeline.Pipeline {
	t.Helper()
	p, err := pipeline.Parse([]byte(`{"Id":"1762992000000-tenant","Name":"t","InputBucket":"in","OutputBucket":"out"` + members + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestKeysOf: a role of the pipeline's own is narrowed to the job; the stack's
// own, or none, is not taken on.
func TestKeysOf(t *testing.T) {
	i := newWorld().ingester()
	i.KeyARN = "arn:stack"
	j := job.Job{ID: "1762992000001-aaaaaa", Inputs: []job.Input{{Key: "films/a.mp4"}}, OutputKeyPrefix: "x/",
		Outputs: []job.Output{{Key: "b.mp4"},
			{Key: "c", ThumbnailPattern: "t/{resolution}-{count}", Watermarks: []job.Watermark{{InputKey: "logos/own.png"}, {InputKey: "logos/own.png"}}},
			{Key: "d", AlbumArt: &job.AlbumArt{Artwork: []job.Artwork{{InputKey: "cover.jpg"}}}}}, Playlists: []job.Playlist{{Name: "all"}}}
	for _, members := range []string{``, `,"Role":""`, `,"Role":"` + i.RoleARN + `"`} {
		if k := i.keysOf(tenant(t, members), j); k.Role != nil || k.WorkKeyARN != "arn:stack" {
			t.Errorf("%s: %+v", members, k)
		}
	}
	k := i.keysOf(tenant(t, `,"Role":"arn:aws:iam::111122223333:role/tenant","AwsKmsKeyArn":"arn:aws:kms:eu-west-1:111122223333:key/t"`), j)
	if k.Role == nil || k.KeyARN != k.WorkKeyARN {
		t.Fatalf("%+v", k)
	}
	want := role.Role{ARN: "arn:aws:iam::111122223333:role/tenant", ExternalID: "1762992000000-tenant", Session: "sealreel-1762992000001-aaaaaa",
		Reads: []role.Place{{Bucket: "in", Name: "films/a.mp4"}, {Bucket: "in", Name: "logos/own.png"}, {Bucket: "in", Name: "cover.jpg"}},
		Writes: []role.Place{{Bucket: "out", Name: "x/b.mp4"}, {Bucket: "out", Name: "x/c"}, {Bucket: "out", Name: "x/t/"},
			{Bucket: "out", Name: "x/d"}, {Bucket: "out", Name: "x/all"}}}
	if k.Role.ARN != want.ARN || k.Role.ExternalID != want.ExternalID || k.Role.Session != want.Session ||
		!slices.Equal(k.Role.Reads, want.Reads) || !slices.Equal(k.Role.Writes, want.Writes) || k.Role.Shares {
		t.Errorf("%+v", k.Role)
	}
	p := tenant(t, `,"Role":"arn:aws:iam::111122223333:role/tenant"`)
	p.ContentConfig = &pipeline.OutputConfig{Bucket: "out", Permissions: []pipeline.Permission{{GranteeType: "Group", Grantee: "AllUsers", Access: []string{"Read"}}}}
	if k := i.keysOf(p, j); !k.Role.Shares {
		t.Error("a role for a pipeline with Permissions can't give any")
	}
}

// TestRefusedRoleEndsTheJob: a role that can't be assumed is the job's error 2000,
// for a document and for a dropped file.
func TestRefusedRoleEndsTheJob(t *testing.T) {
	w := newWorld()
	i := w.ingester()
	doc, err := json.Marshal(json.RawMessage(`{"Id":"1762992000000-tenant","Name":"t","InputBucket":"in","OutputBucket":"out","Role":"arn:aws:iam::111122223333:role/tenant",
		"Sealreel":{"Drop":{"Prefix":"tenant/","Template":{"Outputs":[{"Key":"{stem}.mp4","PresetId":"1351620000001-000010"}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Ledger.CreatePipeline(t.Context(), "1762992000000-tenant", doc); err != nil {
		t.Fatal(err)
	}
	w.refused = job.RoleRefused(nil, "arn:aws:iam::111122223333:role/tenant")
	w.media["tenant/film.mp4"] = "v1"
	if err := i.Drop(t.Context(), ledger.Drop{Bucket: "in", Key: "tenant/film.mp4", VersionID: "v1"}, at, false); err != nil {
		t.Fatal(err)
	}
	claim, err := i.Ledger.Claimed(t.Context(), ledger.Drop{Bucket: "in", Key: "tenant/film.mp4", VersionID: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := i.Ledger.Job(t.Context(), claim.Job)
	if err != nil || rec.Job.Status != job.Error || rec.Job.Outputs[0].StatusDetail[:5] != "2000 " {
		t.Errorf("%+v, %v", rec, err)
	}
	if len(w.opened) == 0 || w.opened[0].Role == nil {
		t.Errorf("opened %+v", w.opened)
	}
}

// TestThumbnailsHaveTheirBucket: that of ThumbnailConfig, also under a role.
func TestThumbnailsHaveTheirBucket(t *testing.T) {
	p, err := pipeline.Parse([]byte(`{"Id":"1762992000000-tenant","Name":"t","InputBucket":"in","Role":"arn:aws:iam::111122223333:role/tenant",
		"ContentConfig":{"Bucket":"media"},"ThumbnailConfig":{"Bucket":"stills"}}`))
	if err != nil {
		t.Fatal(err)
	}
	k := newWorld().ingester().keysOf(p, job.Job{OutputKeyPrefix: "x/", Outputs: []job.Output{{Key: "a.mp4", ThumbnailPattern: "{count}"}}})
	if want := []role.Place{{Bucket: "media", Name: "x/a.mp4"}, {Bucket: "stills", Name: "x/"}}; !slices.Equal(k.Role.Writes, want) {
		t.Errorf("%+v", k.Role.Writes)
	}
	if b := tenant(t, "").ThumbnailBucket(); b != "out" {
		t.Errorf("of an OutputBucket's pipeline: %q", b)
	}
}
