package pipeline

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestParseNew(t *testing.T) {
	for name, c := range map[string]struct {
		doc, id string
		want    string // in the error
	}{
		"request":       {`{"Name":"x","InputBucket":"in","OutputBucket":"out","Role":"arn:aws:iam::123456789012:role/r"}`, "1700000000000-abc123", ""},
		"with an id":    {`{"Id":"` + id + `","Name":"x","InputBucket":"in","OutputBucket":"out"}`, id, ""},
		"an answer":     {`{"Pipeline":{"Id":"` + id + `","Arn":null,"Name":"x","Status":"Active","InputBucket":"in","OutputBucket":"out"},"Warnings":[{"Code":"6000","Message":"far"}]}`, id, ""},
		"no name":       {`{"InputBucket":"in","OutputBucket":"out"}`, "", "Value null at 'name'"},
		"wrong id":      {`{"Id":"x","Name":"x","InputBucket":"in","OutputBucket":"out"}`, "", "Value 'x' at 'id'"},
		"in an answer":  {`{"Pipeline":{"Nom":"x"}}`, "", "at 'pipeline.nom' failed to satisfy constraint: Member is unknown"},
		"no pipeline":   {`{"Pipeline":"x"}`, "", "at 'pipeline' failed to satisfy constraint: Member must be an object"},
		"beside answer": {`{"Pipeline":{"Name":"x","InputBucket":"in","OutputBucket":"out"},"Name":"y"}`, "", "at 'name' failed to satisfy constraint: Member is unknown"},
		"both buckets":  {`{"Name":"x","InputBucket":"in","OutputBucket":"out","ContentConfig":{"Bucket":"b"},"ThumbnailConfig":{"Bucket":"b"}}`, "", "mutually exclusive"},
	} {
		p, err := ParseNew([]byte(c.doc), "1700000000000-abc123")
		if c.want != "" {
			if p != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v\nwant ...%s...", name, err, c.want)
			}
		} else if err != nil || p.ID != c.id {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestUpdate(t *testing.T) {
	const stored = `"OutputBucket":"out","Role":"arn:aws:iam::123456789012:role/r","AwsKmsKeyArn":"k","Notifications":{"Progressing":"` + arn + `p","Error":"` + arn + `e"},
	 "Sealreel":{"EncryptionContext":{"a":"1","b":"2"},"Drop":{"Prefix":"tv/","Template":` + ladder + `}}`
	configured := strings.Replace(stored, `"OutputBucket":"out"`, `"ContentConfig":{"Bucket":"media","StorageClass":"ReducedRedundancy","Permissions":[{"GranteeType":"Group","Grantee":"AllUsers","Access":["Read"]}]},"ThumbnailConfig":{"Bucket":"stills"}`, 1)
	for name, c := range map[string]struct {
		before, change string
		want           string // members of the pipeline after it, or with ! of the error
	}{
		"nothing":           {stored, `{}`, stored},
		"nulls":             {stored, `{"Name":null,"Role":null,"Notifications":null}`, stored},
		"role away":         {stored, `{"Role":""}`, strings.Replace(stored, `"Role":"arn:aws:iam::123456789012:role/r",`, "", 1)},
		"one topic away":    {stored, `{"Notifications":{"Progressing":"","Completed":null}}`, strings.Replace(stored, `"Progressing":"`+arn+`p",`, "", 1)},
		"topics away":       {stored, `{"Notifications":""}`, strings.Replace(stored, `"Notifications":{"Progressing":"`+arn+`p","Error":"`+arn+`e"},`, "", 1)},
		"context replaced":  {stored, `{"Sealreel":{"EncryptionContext":{"c":"3"}}}`, strings.Replace(stored, `{"a":"1","b":"2"}`, `{"c":"3"}`, 1)},
		"paused":            {stored, `{"Status":"Paused"}`, stored + `,"Status":"Paused"`},
		"the same":          {stored, `{"Id":"` + id + `","OutputBucket":"out"}`, stored},
		"to configs":        {stored, `{"ContentConfig":{"StorageClass":"ReducedRedundancy"}}`, strings.Replace(stored, `"OutputBucket":"out"`, `"ContentConfig":{"Bucket":"out","StorageClass":"ReducedRedundancy"},"ThumbnailConfig":{"Bucket":"out","StorageClass":"Standard"}`, 1)},
		"other bucket":      {stored, `{"OutputBucket":"out","ContentConfig":{"Bucket":"far"}}`, strings.Replace(stored, `"OutputBucket":"out"`, `"ContentConfig":{"Bucket":"far","StorageClass":"Standard"},"ThumbnailConfig":{"Bucket":"out","StorageClass":"Standard"}`, 1)},
		"permissions away":  {configured, `{"ContentConfig":{"Permissions":[]}}`, strings.Replace(strings.Replace(configured, `,"Permissions":[{"GranteeType":"Group","Grantee":"AllUsers","Access":["Read"]}]`, "", 1), `"stills"`, `"stills","StorageClass":"Standard"`, 1)},
		"name away":         {stored, `{"Name":""}`, "!Value null at 'name'"},
		"input bucket away": {stored, `{"InputBucket":""}`, "!Value null at 'inputBucket'"},
		"config away":       {stored, `{"ContentConfig":""}`, "!ContentConfig:Bucket is not allowed to be null if ThumbnailConfig"},
		"other id":          {stored, `{"Id":"1700000000000-abc123"}`, "!Value '1700000000000-abc123' at 'id' failed to satisfy constraint: Member must be '" + id + "' or left out"},
		"output bucket":     {stored, `{"OutputBucket":"x"}`, "!an update names another bucket by ContentConfig"},
		"unknown":           {stored, `{"Nom":"x"}`, "!'nom' failed to satisfy constraint: Member is unknown"},
		"twice":             {stored, `{"Name":"x","Name":"y"}`, "!'name' failed to satisfy constraint: Member must be given once only"},
		"two mistakes":      {stored, `{"Status":"Off","AwsKmsKeyArn":{}}`, "!2 validation errors"},
		"template":          {stored, `{"Sealreel":{"Drop":{"Template":{"Outputs":[{"Key":"{stm}","PresetId":"1351620000001-000010"}]}}}}`, "!{stm} is none of"},
		"no JSON":           {stored, `{`, "!line 1"},
	} {
		got, err := mustParse(t, doc(c.before)).Update([]byte(c.change))
		if want, fails := strings.CutPrefix(c.want, "!"); fails {
			if got != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v\nwant ...%s...", name, err, want)
			}
		} else if want := mustParse(t, doc(c.want)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, written(t, got), written(t, want))
		}
	}
}

func written(t *testing.T, p *Pipeline) string {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is shown of a pipeline has every member, and can be given back: as an
// update that changes nothing, and to make the same one elsewhere.
func TestWire(t *testing.T) {
	b, err := MarshalWire(mustParse(t, doc(`"OutputBucket":"out"`)), nil)
	want := `{"Pipeline":{"Id":"` + id + `","Arn":null,"Name":"default","Status":"Active","InputBucket":"in","OutputBucket":"out","Role":null,"AwsKmsKeyArn":null,` +
		`"Notifications":{"Progressing":"","Completed":"","Warning":"","Error":""},"ContentConfig":{"Bucket":"out","StorageClass":"Standard","Permissions":[]},` +
		`"ThumbnailConfig":{"Bucket":"out","StorageClass":"Standard","Permissions":[]}},"Warnings":[]}`
	if err != nil || string(b) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, b, want)
	}
	for name, text := range map[string][]byte{"plain": doc(`"OutputBucket":"out"`), "full": full(), "drop": doc(drop("tv/", ladder))} {
		p := mustParse(t, text)
		shown, err := MarshalWire(p, []Warning{{"6000", "far"}})
		if err != nil {
			t.Fatal(err)
		}
		again, err := p.Update(shown)
		if err != nil {
			t.Errorf("%s: given back as an update: %v", name, err)
			continue
		}
		made, err := ParseNew(shown, "")
		if err != nil {
			t.Errorf("%s: made anew: %v", name, err)
			continue
		}
		for how, q := range map[string]*Pipeline{"updated": again, "made": made} {
			if got, _ := MarshalWire(q, []Warning{{"6000", "far"}}); string(got) != string(shown) {
				t.Errorf("%s: %s\ngot  %s\nwant %s", name, how, got, shown)
			}
		}
	}
	list, err := MarshalWireList(nil)
	if err != nil || string(list) != `{"Pipelines":[],"NextPageToken":null}` {
		t.Errorf("%s, %v", list, err)
	}
}
