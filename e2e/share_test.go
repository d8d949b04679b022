package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sealreel/local/stack"
	"sealreel/pkg/job"
)

// TestStorageClassAndPermissions: everything that a job makes, thumbnails
// by their own rules, is in the storage class of its pipeline and has the pipeline's grants, where the bucket allows
// ACLs. Where it does not, the objects are there without, and the job says so.
func TestStorageClassAndPermissions(t *testing.T) {
	name := unique(t)
	open := "open-" + strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(name))
	client := s3.NewFromConfig(site.aws, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &open, ObjectOwnership: types.ObjectOwnershipObjectWriter}); err != nil {
		t.Fatal(err)
	}
	addRole(t, "sharing", map[string]any{"AWS": "arn:aws:iam::" + stack.Account + ":root"}, nil,
		allow([]string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"},
			"arn:aws:s3:::"+site.ingest+"/*", "arn:aws:s3:::"+site.output+"/*", "arn:aws:s3:::"+open+"/*"),
		allow([]string{"s3:ListBucket"}, "arn:aws:s3:::"+site.ingest, "arn:aws:s3:::"+site.output, "arn:aws:s3:::"+open))
	jobs := map[string]string{}
	for id, bucket := range map[string]string{"1762992000000-shares": open, "1762992000000-closed": site.output} {
		config := map[string]any{"Bucket": bucket, "StorageClass": "ReducedRedundancy", "Permissions": []any{
			map[string]any{"GranteeType": "Group", "Grantee": "AuthenticatedUsers", "Access": []string{"Read"}},
			map[string]any{"GranteeType": "Canonical", "Grantee": "79a5", "Access": []string{"FullControl"}}}}
		stills := map[string]any{"Bucket": bucket, "Permissions": []any{
			map[string]any{"GranteeType": "Group", "Grantee": "AllUsers", "Access": []string{"Read", "ReadAcp"}}}}
		document, err := json.Marshal(map[string]any{"Id": id, "Name": "shares", "Role": roleARN("sharing"), "InputBucket": site.ingest,
			"ContentConfig": config, "ThumbnailConfig": stills})
		if err != nil {
			t.Fatal(err)
		}
		if err := site.store.Create(t.Context(), site.state, "pipelines/"+id+".json", document); err != nil {
			t.Fatal(err)
		}
		jobs[bucket] = submit(t, job.Request{PipelineID: id, Inputs: []job.Input{{Key: name + ".mp4"}}, OutputKeyPrefix: name + "/", // the same in both buckets, at one time
			Outputs: []job.Output{{Key: "web.mp4", PresetID: systemPreset + "000040", Encryption: &job.Encryption{Mode: job.ModeS3}},
				{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4", ThumbnailPattern: "still-{count}"}},
			Playlists: []job.Playlist{{Name: "index", Format: job.HLSv3, OutputKeys: []string{"hls"}}}})
	}
	upload(t, name+".mp4", brief(t), nil)
	for bucket, id := range jobs {
		rec := completed(t, id)
		var names []string
		for _, file := range []string{"hls.m3u8", "hls00000.ts", "hls00001.ts", "index.m3u8", "still-00001.png", "web.mp4"} {
			names = append(names, rec.Job.OutputKeyPrefix+file)
		}
		checkStored(t, client, bucket, rec.Job.OutputKeyPrefix, names, bucket == open)
		warned := len(rec.Warnings) == 1 && strings.Contains(rec.Warnings[0], "Objects in the bucket "+site.output+" were stored without the Permissions of the pipeline, which S3 refused (AccessControlListNotSupported)")
		if warned == (bucket == open) || len(rec.Warnings) > 1 {
			t.Errorf("%s: warnings %q", bucket, rec.Warnings)
		}
	}
}

// checkStored looks at the objects with a prefix: their names, class and grants.
func checkStored(t *testing.T, client *s3.Client, bucket, prefix string, names []string, shared bool) {
	t.Helper()
	list, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, o := range list.Contents {
		there = append(there, *o.Key)
		class, want := types.ObjectStorageClassReducedRedundancy, []string{"FULL_CONTROL 79a5", "READ http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}
		if strings.HasSuffix(*o.Key, ".png") {
			const all = "http://acs.amazonaws.com/groups/global/AllUsers"
			class, want = types.ObjectStorageClassStandard, []string{"READ " + all, "READ_ACP " + all}
		}
		if o.StorageClass != class {
			t.Errorf("%s is in the class %s", *o.Key, o.StorageClass)
		}
		acl, err := client.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: &bucket, Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		var grants []string
		for _, g := range acl.Grants[1:] { // the first is the owner's
			grants = append(grants, string(g.Permission)+" "+aws.ToString(g.Grantee.ID)+aws.ToString(g.Grantee.URI))
		}
		if !shared {
			want = nil
		}
		if !slices.Equal(grants, want) {
			t.Errorf("%s in %s has the grants %q", *o.Key, bucket, grants)
		}
	}
	if !slices.Equal(there, names) {
		t.Errorf("%s has %q, want %q", bucket, there, names)
	}
}
