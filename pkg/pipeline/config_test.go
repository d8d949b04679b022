package pipeline

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"sealreel/pkg/document"
)

const arn = "arn:aws:sns:eu-west-1:123456789012:"

// full is a pipeline whose files go where it says in detail.
func full() []byte {
	return doc(`"Notifications":{"Progressing":"` + arn + `p","Completed":"` + arn + `c","Warning":"","Error":"arn:aws-cn:sns:cn-north-1:123456789012:e"},
	 "ContentConfig":{"Bucket":"media","StorageClass":"ReducedRedundancy","Permissions":[
	   {"GranteeType":"Canonical","Grantee":"1234abcd","Access":["FullControl"]},{"GranteeType":"Email","Grantee":"a@example.com","Access":["Read","ReadAcp","WriteAcp"]}]},
	 "ThumbnailConfig":{"Bucket":"stills","StorageClass":"Standard","Permissions":[{"GranteeType":"Group","Grantee":"AllUsers","Access":["Read"]}]}`)
}

func TestParseConfigs(t *testing.T) {
	p := mustParse(t, full())
	want := &Pipeline{
		ID: id, Name: "default", Status: Active, InputBucket: "in",
		Notifications: &Notifications{Progressing: arn + "p", Completed: arn + "c", Error: "arn:aws-cn:sns:cn-north-1:123456789012:e"},
		ContentConfig: &OutputConfig{Bucket: "media", StorageClass: ReducedRedundancy, Permissions: []Permission{
			{GranteeCanonical, "1234abcd", []string{"FullControl"}}, {GranteeEmail, "a@example.com", []string{"Read", "ReadAcp", "WriteAcp"}}}},
		ThumbnailConfig: &OutputConfig{Bucket: "stills", StorageClass: Standard, Permissions: []Permission{{GranteeGroup, "AllUsers", []string{"Read"}}}},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	again, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if q, err := Parse(again); err != nil || !reflect.DeepEqual(p, q) {
		t.Errorf("written and read again: %v\n%s", err, again)
	}
}

func permission(members string) []byte {
	return doc(`"ContentConfig":{"Bucket":"b","Permissions":[{` + members + `}]},"ThumbnailConfig":{"Bucket":"b"}`)
}

func TestConfigProblems(t *testing.T) {
	grant := `"GranteeType":"Canonical","Grantee":"x","Access":["Read"]`
	for name, c := range map[string]struct {
		doc  []byte
		want string
	}{
		"topic":                 {doc(`"OutputBucket":"out","Notifications":{"Error":"errors"}`), `Value 'errors' at 'notifications.error' failed to satisfy constraint: Member must satisfy regular expression pattern: (^$)|(^arn:aws`},
		"wrong topic name":      {doc(`"OutputBucket":"out","Notifications":{"Complete":"x"}`), "at 'notifications.complete' failed to satisfy constraint: Member is unknown"},
		"storage class":         {doc(`"ContentConfig":{"Bucket":"b","StorageClass":"GLACIER"},"ThumbnailConfig":{"Bucket":"b"}`), "(^ReducedRedundancy$)|(^Standard$)"},
		"grantee type":          {permission(strings.Replace(grant, "Canonical", "User", 1)), "(^Canonical$)|(^Email$)|(^Group$)"},
		"no grantee":            {permission(`"GranteeType":"Canonical","Access":["Read"]`), "Value null at 'contentConfig.permissions.1.member.grantee'"},
		"grantee of 256":        {permission(strings.Replace(grant, `"x"`, `"`+strings.Repeat("x", 256)+`"`, 1)), "less than or equal to 255"},
		"unknown group":         {permission(strings.Replace(grant, "Canonical", "Group", 1)), "(^AllUsers$)|(^AuthenticatedUsers$)|(^LogDelivery$)"},
		"no address":            {permission(strings.Replace(grant, "Canonical", "Email", 1)), "e-mail address"},
		"access":                {permission(strings.Replace(grant, `"Read"`, `"READ"`, 1)), "Value 'READ' at 'contentConfig.permissions.1.member.access.1.member' failed to satisfy constraint: Member must satisfy regular expression pattern: (^FullControl$)|(^Read$)"},
		"no access":             {permission(strings.Replace(grant, `"Read"`, "", 1)), "'contentConfig.permissions.1.member.access' must name one right or more"},
		"31 permissions":        {permission(strings.Repeat(grant+"},{", 30) + grant), "less than or equal to 30"},
		"config without bucket": {doc(`"ContentConfig":{"StorageClass":"Standard"},"ThumbnailConfig":{"Bucket":"b"}`), "Value null at 'contentConfig.bucket'"},
		"thumbnails alone":      {doc(`"OutputBucket":"out","ThumbnailConfig":{"Bucket":"b"}`), "[ContentConfig:Bucket is not allowed to be null if ThumbnailConfig is specified.]"},
	} {
		_, err := Parse(c.doc)
		var invalid *document.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant ...%s...", name, err, c.want)
		}
	}
}

func TestUnsupported(t *testing.T) {
	const later = "this version of Sealreel can't do "
	template := `{"Outputs":[{"Key":"{stem}","PresetId":"1351620000001-200010","SegmentDuration":"6"}],"Playlists":[{"Name":"all","Format":"HLSv4","OutputKeys":["{stem}"]}]}`
	for name, c := range map[string]struct {
		doc  []byte
		want []string
	}{
		"plain": {doc(drop("", ladder)), nil},
		"read back": {doc(`"OutputBucket":"out","Notifications":{"Progressing":"","Completed":"","Warning":"","Error":""},
		  "ContentConfig":{"Bucket":"out","StorageClass":"Standard","Permissions":[]},"ThumbnailConfig":{"Bucket":"out","StorageClass":"","Permissions":null}`), nil},
		"topics": {doc(`"OutputBucket":"out","Notifications":{"Progressing":"` + arn + `p","Completed":"` + arn + `c.fifo","Warning":"","Error":"` + arn + `e"}`),
			[]string{"at 'notifications.completed' failed to satisfy constraint: " + later + "topics of first-in-first-out yet"}},
		"template": {doc(drop("", template)), []string{"Value 'HLSv4' at 'sealreel.drop.template.playlists.1.member.format' failed to satisfy constraint: " + later + "playlists of the Format HLSv4 yet"}},
		"all":      {full(), nil},
	} {
		err := Unsupported(mustParse(t, c.doc))
		var invalid *document.ValidationError
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.As(err, &invalid) || len(invalid.Problems) != len(c.want) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		for i, want := range c.want {
			if got := invalid.Problems[i].String(); !strings.Contains(got, want) {
				t.Errorf("%s: got %s\nwant ...%s...", name, got, want)
			}
		}
	}
}

// TestDropFillsParts: the names of thumbnails and captions are made from the
// file's, and keep the placeholders of the API.
func TestDropFillsParts(t *testing.T) {
	template := `{"Output":{"Key":"{stem}.mp4","PresetId":"1351620000001-000010","ThumbnailPattern":"{stem}-{resolution}-{count}",
	 "Captions":{"MergePolicy":"Override","CaptionSources":[{"Key":"{prefix}{stem}.srt","Language":"en"}],"CaptionFormats":[{"Format":"webvtt","Pattern":"{stem}-{language}"}]}}}`
	req, err := mustParse(t, doc(drop("", template))).DropRequest("a/b.mp4")
	if err != nil {
		t.Fatal(err)
	}
	o := req.Outputs[0]
	if o.ThumbnailPattern != "b-{resolution}-{count}" || o.Captions.CaptionSources[0].Key != "a/b.srt" || o.Captions.CaptionFormats[0].Pattern != "b-{language}" {
		t.Errorf("read as %+v %+v", o, o.Captions)
	}
	_, err = Parse(doc(drop("", strings.Replace(template, "{stem}-{language}", "{stem}-{language}-{count}", 1))))
	if err == nil || !strings.Contains(err.Error(), "at 'sealreel.drop.template.outputs.1.member.captions.captionFormats.1.member.pattern' failed to satisfy constraint: {count} is none of") {
		t.Errorf("got %v", err)
	}
}
