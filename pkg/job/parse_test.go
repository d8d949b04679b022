package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const (
	pipelineID = "1762992000000-sealrl"
	hls2M      = "1351620000001-200010"
	generic    = "1351620000001-000010"
	goodMD5    = "zG9MId7htnmIZEWCXXG5yg=="
)

// wrapped stands for a KMS ciphertext, plaintext for a key put in by mistake.
var (
	wrapped   = strings.Repeat("QUJD", 40)
	plaintext = "a2V5a2V5a2V5a2V5a2V5aw=="
)

// request is a small valid request with members replaced or added.
func request(members map[string]string) []byte {
	all := map[string]string{
		"PipelineId": `"` + pipelineID + `"`,
		"Input":      `{"Key":"in.mp4"}`,
		"Output":     `{"Key":"out.mp4","PresetId":"` + generic + `"}`,
	}
	for name, value := range members {
		if value == "" {
			delete(all, name)
		} else {
			all[name] = value
		}
	}
	raw := map[string]json.RawMessage{}
	for name, value := range all {
		raw[name] = json.RawMessage(value)
	}
	doc, err := json.Marshal(raw)
	if err != nil {
		panic(err)
	}
	return doc
}

func output(members string) map[string]string {
	return map[string]string{"Output": `{"Key":"o","PresetId":"` + hls2M + `",` + members + `}`}
}

func input(members string) map[string]string {
	return map[string]string{"Input": `{"Key":"i",` + members + `}`}
}

// playlist makes two segmented outputs "f/a" and "f/b", and the playlists.
func playlist(playlists string) map[string]string {
	return map[string]string{
		"Output": "",
		"Outputs": fmt.Sprintf(`[{"Key":"f/a","PresetId":%q,"SegmentDuration":"10"},{"Key":"f/b","PresetId":%q,"SegmentDuration":10.0},
			{"Key":"f/c","PresetId":%q,"SegmentDuration":"6"},{"Key":"f/d","PresetId":%q}]`, hls2M, hls2M, hls2M, generic),
		"Playlists": playlists,
	}
}

func TestParseFull(t *testing.T) {
	got, err := ParseRequest([]byte(`{
	 "PipelineId": "` + pipelineID + `",
	 "Inputs": [{"Key": "in.mp4", "FrameRate": "auto", "Resolution": "auto", "AspectRatio": "16:9", "Interlaced": "auto", "Container": "mp4",
	   "Encryption": {"Mode": "sse-c", "Key": "` + wrapped + `", "KeyMd5": "` + goodMD5 + `", "InitializationVector": ""},
	   "TimeSpan": null, "InputCaptions": {"MergePolicy": "", "CaptionSources": []},
	   "DetectedProperties": {"Width": 1280, "Height": "720", "FrameRate": 29.97, "FileSize": 5368709120, "DurationMillis": null}}],
	 "OutputKeyPrefix": "show/",
	 "Outputs": [
	   {"Key": "f/a", "PresetId": "` + hls2M + `", "SegmentDuration": "10", "ThumbnailPattern": "", "Rotate": "0", "Watermarks": [], "Captions": null,
	    "Encryption": {"Mode": "sse-c"}},
	   {"Key": "f/b", "PresetId": "` + hls2M + `", "SegmentDuration": 10.0, "Encryption": {"Mode": "s3-aws-kms", "Key": null}},
	   {"Key": "f/c.mp4", "PresetId": "` + generic + `", "SegmentDuration": null, "Rotate": "auto", "Encryption": {"Mode": "", "Key": ""}}],
	 "Playlists": [{"Name": "f/index", "Format": "HLSv3", "OutputKeys": ["f/a", "f/b"], "PlayReadyDrm": null}],
	 "UserMetadata": {"Title": "a b", "n": 7}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Request{
		PipelineID: pipelineID,
		Inputs: []Input{{
			Key: "in.mp4", FrameRate: "auto", Resolution: "auto", AspectRatio: "16:9", Interlaced: "auto", Container: "mp4",
			Encryption:         &Encryption{Mode: ModeSSEC, Key: wrapped, KeyMd5: goodMD5},
			DetectedProperties: &DetectedProperties{Width: 1280, Height: 720, FrameRate: "29.97", FileSize: 5368709120},
		}},
		OutputKeyPrefix: "show/",
		Outputs: []Output{
			{Key: "f/a", PresetID: hls2M, SegmentDuration: "10", Rotate: "0", Encryption: &Encryption{Mode: ModeSSEC}},
			{Key: "f/b", PresetID: hls2M, SegmentDuration: "10.0", Encryption: &Encryption{Mode: ModeS3KMS}},
			{Key: "f/c.mp4", PresetID: generic, Rotate: "auto"},
		},
		Playlists:    []Playlist{{Name: "f/index", Format: "HLSv3", OutputKeys: []string{"f/a", "f/b"}}},
		UserMetadata: map[string]string{"Title": "a b", "n": "7"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseAccepts(t *testing.T) {
	for name, members := range map[string]map[string]string{
		"singular forms":             {},
		"singular beside empty list": {"Inputs": `[]`, "Outputs": `[]`},
		"segment of 1 s":             output(`"SegmentDuration":1`),
		"segment of 60 s":            output(`"SegmentDuration":"60.00000"`),
		"segment in exponent form":   output(`"SegmentDuration":"7."`),
		"mode s3":                    output(`"Encryption":{"Mode":"s3"}`),
		"output sse-c with key":      output(`"Encryption":{"Mode":"sse-c","Key":"` + wrapped + `","KeyMd5":"` + goodMD5 + `"}`),
		"envelope out":               output(`"Encryption":{"Mode":"s3-encryption-client"}`),
		"envelope in":                input(`"Encryption":{"Mode":"s3-encryption-client","Key":"","KeyMd5":null}`),
		"dots in a key":              {"Output": `{"Key":"..a/.b/c..","PresetId":"` + generic + `"}`},
		"prefix without slash":       {"OutputKeyPrefix": `"p"`},
		"ten pairs":                  {"UserMetadata": pairs(10)},
		"key of 255 characters":      {"Output": `{"Key":"` + strings.Repeat("ä", 255) + `","PresetId":"` + generic + `"}`},
		"input key of 1024 bytes":    {"Input": `{"Key":"` + strings.Repeat("k", 1024) + `"}`},
		"playlist in a folder":       playlist(`[{"Name":"f/x","Format":"HLSv3","OutputKeys":["f/a","f/b"]},{"Name":"f/y","Format":"HLSv3","OutputKeys":["f/c"]}]`),
		"playlist at the top":        playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/b"]}]`),
	} {
		if req, err := ParseRequest(request(members)); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(req.Inputs) != 1 || len(req.Outputs) == 0 {
			t.Errorf("%s: read as %+v", name, req)
		}
	}
}

func pairs(n int) string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint("k", i)] = "v"
	}
	b, _ := json.Marshal(m)
	return string(b)
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		members map[string]string
		want    string
	}{
		"no pipeline":             {map[string]string{"PipelineId": ""}, "1 validation error detected: Value null at 'pipelineId' failed to satisfy constraint: Member must not be null"},
		"pipeline pattern":        {map[string]string{"PipelineId": `"x"`}, `Value 'x' at 'pipelineId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\d{13}-\w{6}$`},
		"unknown member":          {map[string]string{"Priority": `1`}, "Value (not shown) at 'priority' failed to satisfy constraint: Member is unknown; check its spelling"},
		"wrong case":              {map[string]string{"pipelineid": `null`}, "did you mean 'PipelineId'?"},
		"nested unknown member":   {output(`"Foo":{"a":1}`), "Value {...} at 'output.foo' failed"},
		"both inputs":             {map[string]string{"Inputs": `[{"Key":"x"}]`}, "'input' and 'inputs' can't both be given"},
		"both outputs":            {map[string]string{"Outputs": `[{"Key":"x","PresetId":"` + generic + `"}]`}, "'output' and 'outputs' can't both be given"},
		"no input":                {map[string]string{"Input": ""}, "'inputs' must have one element or more"},
		"no outputs":              {map[string]string{"Output": "", "Outputs": `[]`}, "'outputs' must have one element or more"},
		"input no object":         {map[string]string{"Input": `"in.mp4"`}, "Value (not shown) at 'input' failed to satisfy constraint: Member must be an object"},
		"outputs no list":         {map[string]string{"Output": "", "Outputs": `{}`}, "Value {...} at 'outputs' failed to satisfy constraint: Member must be a list"},
		"31 outputs":              {map[string]string{"Output": "", "Outputs": "[" + strings.Repeat(`{},`, 30) + `{}]`}, "less than or equal to 30"},
		"input key empty":         {map[string]string{"Input": `{"Key":""}`}, "Value '' at 'input.key' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"input key too long":      {map[string]string{"Input": `{"Key":"` + strings.Repeat("ä", 600) + `"}`}, "1024 bytes"},
		"input key NUL":           {map[string]string{"Input": `{"Key":"a\u0000b"}`}, "NUL"},
		"key no string":           {map[string]string{"Input": `{"Key":["a"]}`}, "Value [...] at 'input.key' failed to satisfy constraint: Member must be a string"},
		"frame rate":              {input(`"FrameRate":"26"`), "at 'input.frameRate'"},
		"resolution":              {input(`"Resolution":"640x480"`), "at 'input.resolution'"},
		"aspect":                  {input(`"AspectRatio":"2:1"`), "at 'input.aspectRatio'"},
		"interlaced":              {input(`"Interlaced":"maybe"`), "at 'input.interlaced'"},
		"container":               {input(`"Container":"exe"`), "at 'input.container'"},
		"detected":                {input(`"DetectedProperties":{"Width":-1}`), "at 'input.detectedProperties.width'"},
		"output key with ..":      {map[string]string{"Output": `{"Key":"a/../o","PresetId":"` + generic + `"}`}, "must not have a folder"},
		"output key leading /":    {map[string]string{"Output": `{"Key":"/o","PresetId":"` + generic + `"}`}, "must not begin with '/'"},
		"output key newline":      {map[string]string{"Output": `{"Key":"a\nb","PresetId":"` + generic + `"}`}, "control characters"},
		"output key 256":          {map[string]string{"Output": `{"Key":"` + strings.Repeat("k", 256) + `","PresetId":"` + generic + `"}`}, "less than or equal to 255"},
		"output key bytes":        {map[string]string{"OutputKeyPrefix": `"` + strings.Repeat("😀", 130) + `"`, "Output": `{"Key":"` + strings.Repeat("😀", 130) + `","PresetId":"` + generic + `"}`}, "at most 939 bytes"},
		"no preset":               {map[string]string{"Output": `{"Key":"o"}`}, "Value null at 'output.presetId'"},
		"preset pattern":          {map[string]string{"Output": "", "Outputs": `[{"Key":"o","PresetId":"System preset"}]`}, "Value 'System preset' at 'outputs.1.member.presetId' failed to satisfy constraint: Member must satisfy"},
		"equal keys":              {map[string]string{"Output": "", "Outputs": fmt.Sprintf(`[{"Key":"o","PresetId":%q},{"Key":"o","PresetId":%q}]`, hls2M, generic)}, "Value 'o' at 'outputs.2.member.key' failed to satisfy constraint: Member must differ from the key of 'outputs.1.member'"},
		"segment 0.9":             {output(`"SegmentDuration":0.9`), "from 1 to 60"},
		"segment 60.1":            {output(`"SegmentDuration":"60.1"`), "from 1 to 60"},
		"segment text":            {output(`"SegmentDuration":"ten"`), "at 'output.segmentDuration'"},
		"segment exponent":        {output(`"SegmentDuration":1e1`), "Value '1e1' at 'output.segmentDuration'"},
		"rotate 45":               {output(`"Rotate":45`), "Value '45' at 'output.rotate' failed to satisfy constraint: Member must satisfy regular expression pattern: (^auto$)|(^0$)|(^90$)|(^180$)|(^270$)"},
		"prefix empty":            {map[string]string{"OutputKeyPrefix": `""`}, "at 'outputKeyPrefix'"},
		"prefix leading slash":    {map[string]string{"OutputKeyPrefix": `"/p/"`}, "must not begin with '/'"},
		"metadata 11":             {map[string]string{"UserMetadata": pairs(11)}, "at most 10 pairs"},
		"metadata key":            {map[string]string{"UserMetadata": `{"a#b":"c"}`}, "Value 'a#b' at 'userMetadata'"},
		"metadata value":          {map[string]string{"UserMetadata": `{"a":"ü"}`}, "Value 'ü' at 'userMetadata.a'"},
		"metadata no string":      {map[string]string{"UserMetadata": `{"a":{}}`}, "at 'userMetadata.a' failed to satisfy constraint: Member must be a string"},
		"playlist format":         {playlist(`[{"Name":"x","Format":"HLS","OutputKeys":["f/a"]}]`), "pattern: (^HLSv3$)|(^HLSv4$)|(^Smooth$)|(^MPEG-DASH$)"},
		"playlist names equal":    {playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/a"]},{"Name":"x","Format":"HLSv3","OutputKeys":["f/b"]}]`), "Member must differ from the name of 'playlists.1.member'"},
		"playlist folders":        {playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/a"]},{"Name":"f/y","Format":"HLSv3","OutputKeys":["f/b"]}]`), "Value 'f/y' at 'playlists.2.member.name' failed"},
		"playlist without keys":   {playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":[]}]`), "must name one output key or more"},
		"playlist unknown key":    {playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/z"]}]`), "Value 'f/z' at 'playlists.1.member.outputKeys.1.member' failed to satisfy constraint: Member must be the Key of one"},
		"playlist key twice":      {playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/a","f/a"]}]`), "Member must be given once only"},
		"playlist prefix":         {playlist(`[{"Name":"g/x","Format":"HLSv3","OutputKeys":["f/a"]}]`), "All outputs in a playlist must begin identically to the playlist name up to the last / character."},
		"playlist unsegmented":    {playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/d"]}]`), "Output 'f/d' must have a SegmentDuration since it is part of a playlist."},
		"playlist durations":      {playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/a","f/c"]}]`), "Outputs 'f/a' and 'f/c' must have the same SegmentDuration"},
		"mode unknown":            {output(`"Encryption":{"Mode":"aes"}`), "Value 'aes' at 'output.encryption.mode' failed to satisfy constraint: Member must satisfy regular expression pattern: (^s3$)|(^s3-aws-kms$)|(^sse-c$)|(^aes-cbc-pkcs7$)|(^aes-ctr$)|(^aes-gcm$)|(^s3-encryption-client$)"},
		"envelope with key":       {output(`"Encryption":{"Mode":"s3-encryption-client","Key":"` + wrapped + `"}`), "must leave Key, KeyMd5 and InitializationVector blank, since each object has its own in mode s3-encryption-client"},
		"envelope in with iv":     {input(`"Encryption":{"Mode":"s3-encryption-client","InitializationVector":"AAAA"}`), "'input.encryption' must leave Key, KeyMd5 and InitializationVector blank"},
		"mode missing":            {output(`"Encryption":{"KeyMd5":"` + goodMD5 + `"}`), "'output.encryption' must say a Mode"},
		"s3 with key":             {output(`"Encryption":{"Mode":"s3","Key":"` + wrapped + `"}`), "must leave Key, KeyMd5 and InitializationVector blank"},
		"kms with iv":             {output(`"Encryption":{"Mode":"s3-aws-kms","InitializationVector":"AAAA"}`), "must leave Key, KeyMd5 and InitializationVector blank"},
		"sse-c with iv":           {output(`"Encryption":{"Mode":"sse-c","InitializationVector":"AAAA"}`), "must leave InitializationVector blank"},
		"sse-c without md5":       {output(`"Encryption":{"Mode":"sse-c","Key":"` + wrapped + `"}`), "must give Key and KeyMd5 together"},
		"sse-c input no key":      {input(`"Encryption":{"Mode":"sse-c"}`), "an input in mode sse-c can't be read without them"},
		"key no base64":           {output(`"Encryption":{"Mode":"sse-c","Key":"???","KeyMd5":"` + goodMD5 + `"}`), "Value (not shown) at 'output.encryption.key' failed"},
		"plaintext key":           {output(`"Encryption":{"Mode":"sse-c","Key":"` + plaintext + `","KeyMd5":"` + goodMD5 + `"}`), "as short as a plaintext key"},
		"key in place of md5":     {output(`"Encryption":{"Mode":"sse-c","Key":"` + wrapped + `","KeyMd5":"` + plaintext + plaintext + `"}`), "Value (not shown) at 'output.encryption.keyMd5' failed"},
		"md5 of 15 bytes":         {output(`"Encryption":{"Mode":"sse-c","Key":"` + wrapped + `","KeyMd5":"` + strings.Repeat("AAAA", 5) + `"}`), "base64 of 16 bytes"},
		"unknown in encryption":   {output(`"Encryption":{"Mode":"s3","key":"` + plaintext + `"}`), "Value (not shown) at 'output.encryption.key' failed to satisfy constraint: Member is unknown; did you mean 'Key'?"},
		"encryption no object":    {output(`"Encryption":"s3"`), "Value (not shown) at 'output.encryption' failed"},
		"later mode hides no bug": {output(`"Encryption":{"Mode":"aes-ctr"},"PresetId":"x"`), "Member must be given once only"},
	} {
		_, err := ParseRequest(request(c.members))
		var invalid *ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got  %v\n want ...%s...", name, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), plaintext) {
			t.Errorf("%s: the error shows a key: %v", name, err)
		}
	}
}

// TestParseReportsAll: one reading finds every mistake, and the rest of the
// request can still be shown.
func TestParseReportsAll(t *testing.T) {
	req, err := ParseRequest([]byte(`{"PipelineId":"p","Inputs":[{"Key":"in.mp4","Container":"exe"}],
	 "Outputs":[{"Key":"a","PresetId":"` + generic + `","Rotate":"1"},{"PresetId":"x"}],"Extra":1}`))
	var invalid *ValidationError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	var paths []string
	for _, p := range invalid.Problems {
		paths = append(paths, p.Path)
	}
	want := []string{"pipelineId", "inputs.1.member.container", "outputs.1.member.rotate", "outputs.2.member.key", "outputs.2.member.presetId", "extra"}
	if !reflect.DeepEqual(paths, want) {
		t.Errorf("problems at %v, want %v", paths, want)
	}
	if !strings.HasPrefix(err.Error(), "6 validation errors detected: Value 'p' at 'pipelineId'") {
		t.Error(err)
	}
	if req == nil || req.PipelineID != "" || req.Inputs[0].Key != "in.mp4" || req.Outputs[0].Key != "a" || len(req.Outputs) != 2 {
		t.Errorf("what could be read: %+v", req)
	}
	if f := FailureOf(fmt.Errorf("reading: %w", err)); f.Code != CodeValidation || f.Detail != err.Error() {
		t.Errorf("as a failure: %v", f)
	}
}

func TestParseSyntax(t *testing.T) {
	for _, c := range []struct {
		doc          string
		line, column int
	}{
		{"", 1, 1},
		{" \n ", 1, 1},
		{"[]", 1, 1},
		{"null", 1, 1},
		{"{\n \"ä\": x}", 2, 7},
		{"{\"a\":1,\n\"b\":2,}", 2, 7},
		{"{\"a\":\"\n\"}", 1, 7},
		{"{} {}", 1, 4},
		{"{\"a\": 1", 1, 7},
		{"{\"a\": \"\xff\"}", 1, 8},
		{"{\"a\":" + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}", 1, 37},
	} {
		req, err := ParseRequest([]byte(c.doc))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || req != nil {
			t.Errorf("%q: %v, %v", c.doc, req, err)
			continue
		}
		if syntax.Line != c.line || syntax.Column != c.column {
			t.Errorf("%q: at %d:%d, want %d:%d: %v", c.doc, syntax.Line, syntax.Column, c.line, c.column, err)
		}
		if FailureOf(err).Code != CodeValidation {
			t.Errorf("%q: not a validation failure", c.doc)
		}
	}
	if _, err := ParseRequest(append([]byte("\ufeff"), request(nil)...)); err != nil {
		t.Errorf("byte order mark: %v", err)
	}
}

func TestParseSize(t *testing.T) {
	doc := request(nil)
	full := append(doc, make([]byte, MaxDocument-len(doc))...)
	for i := len(doc); i < len(full); i++ {
		full[i] = ' '
	}
	if _, err := ParseRequest(full); err != nil {
		t.Errorf("a document of exactly the limit: %v", err)
	}
	_, err := ParseRequest(append(full, ' '))
	var size *SizeError
	if !errors.As(err, &size) || size.Size != MaxDocument+1 || FailureOf(err).Code != CodeValidation {
		t.Errorf("one byte more: %v", err)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(request(nil))
	f.Add(request(playlist(`[{"Name":"f/x","Format":"HLSv3","OutputKeys":["f/a","f/b"]}]`)))
	f.Add(request(output(`"Encryption":{"Mode":"sse-c","Key":"` + wrapped + `","KeyMd5":"` + goodMD5 + `"},"SegmentDuration":6.5`)))
	f.Add([]byte(`{"Inputs":[{"Key":"a","Encryption":{"Mode":"sse-c"}}],"Outputs":[{},{}],"Playlists":[{},{"OutputKeys":[""]}],"UserMetadata":{"":""}}`))
	f.Add(fullRequest())
	f.Add([]byte("\xef\xbb\xbf{\"PipelineId\":\"\\ud800\"}"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		req, err := ParseRequest(doc)
		if err != nil {
			var invalid *ValidationError
			if errors.As(err, &invalid) != (req != nil) {
				t.Fatalf("request %v with %v", req, err)
			}
			if f := FailureOf(err); f.Code != CodeValidation {
				t.Fatalf("not a validation failure: %v", err)
			}
			return
		}
		again, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > MaxDocument {
			return
		}
		same, err := ParseRequest(again)
		if err != nil || !reflect.DeepEqual(same, req) {
			t.Fatalf("written and read again: %v\n%+v\n%+v", err, req, same)
		}
	})
}
