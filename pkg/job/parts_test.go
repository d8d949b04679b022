package job

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sealreel/pkg/rational"
)

var (
	keyed = `"Mode":"aes-gcm","Key":"` + wrapped + `","KeyMd5":"` + goodMD5 + `","InitializationVector":"AAAAAAAAAAAAAAAAAAAAAA=="`
	drm   = `"Format":"discretix-3.0","Key":"` + wrapped + `","KeyMd5":"` + goodMD5 + `","KeyId":"0123456789abcdef0123456789ABCDEF","LicenseAcquisitionUrl":"https://x.example/"`
	hlsCP = `"Method":"aes-128","KeyStoragePolicy":"WithVariantPlaylists"`
)

// fullRequest has every member of the API.
func fullRequest() []byte {
	return []byte(`{"PipelineId":"` + pipelineID + `",
	"Inputs":[{"Key":"a.mp4","FrameRate":"25","Resolution":"auto","AspectRatio":"4:3","Interlaced":"true","Container":"mpeg-ts","Encryption":{` + keyed + `},
	  "TimeSpan":{"StartTime":"00:01:02.5","Duration":30},
	  "InputCaptions":{"MergePolicy":"MergeRetain","CaptionSources":[
	    {"Key":"a.srt","Language":"en","TimeOffset":"-1.5","Label":"English","Encryption":{` + keyed + `}},{"Key":"d.vtt","Language":"ger","TimeOffset":"","Label":null}]}},
	  {"Key":"b.mp4"}],
	"OutputKeyPrefix":"p/",
	"Outputs":[
	  {"Key":"v.mp4","PresetId":"` + generic + `","ThumbnailPattern":"t/{resolution}-{count}","ThumbnailEncryption":{"Mode":"aes-ctr"},"Rotate":"90",
	   "Watermarks":[{"PresetWatermarkId":"TopLeft","InputKey":"logo.png","Encryption":{` + keyed + `}},{"PresetWatermarkId":"TopRight","InputKey":"x.jpeg"}],
	   "Captions":{"CaptionSources":null,"CaptionFormats":[{"Format":"srt","Pattern":"c-{language}","Encryption":{"Mode":"aes-cbc-pkcs7"}},{"Format":"mov-text","Pattern":""}]},
	   "Encryption":{"Mode":"aes-gcm"}},
	  {"Key":"s.mp4","PresetId":"` + generic + `","AlbumArt":{"MergePolicy":"Prepend","Artwork":[
	   {"InputKey":"front.jpg","MaxWidth":"auto","MaxHeight":600,"SizingPolicy":"Fit","PaddingPolicy":"Pad","AlbumArtFormat":"png","Encryption":{` + keyed + `}}]}},
	  {"Key":"h","PresetId":"` + hls2M + `","SegmentDuration":"10"},{"Key":"r","PresetId":"` + hls2M + `","SegmentDuration":"10"}],
	"Playlists":[{"Name":"m","Format":"HLSv4","OutputKeys":["h"],"HlsContentProtection":{"Method":"aes-128","Key":"` + wrapped + `","KeyMd5":"` + goodMD5 + `",
	   "InitializationVector":"AAAAAAAAAAAAAAAAAAAAAA==","LicenseAcquisitionUrl":"https://keys.example.com/k","KeyStoragePolicy":"NoStore"}},
	  {"Name":"n","Format":"HLSv3","OutputKeys":["r"],"PlayReadyDrm":{` + drm + `,"InitializationVector":"AAAAAAAAAAA="}}]}`)
}

func TestParseEveryMember(t *testing.T) {
	req, err := ParseRequest(fullRequest())
	if err != nil {
		t.Fatal(err)
	}
	gcm := &Encryption{Mode: ModeGCM, Key: wrapped, KeyMd5: goodMD5, InitializationVector: "AAAAAAAAAAAAAAAAAAAAAA=="}
	want := []any{
		&TimeSpan{StartTime: "00:01:02.5", Duration: "30"},
		&InputCaptions{MergePolicy: "MergeRetain", CaptionSources: []CaptionSource{
			{Key: "a.srt", Language: "en", TimeOffset: "-1.5", Label: "English", Encryption: gcm}, {Key: "d.vtt", Language: "ger"}}},
		Output{Key: "v.mp4", PresetID: generic, ThumbnailPattern: "t/{resolution}-{count}", ThumbnailEncryption: &Encryption{Mode: ModeCTR}, Rotate: "90",
			Watermarks: []Watermark{{"TopLeft", "logo.png", gcm}, {"TopRight", "x.jpeg", nil}},
			Captions: &Captions{CaptionFormats: []CaptionFormat{
				{Format: "srt", Pattern: "c-{language}", Encryption: &Encryption{Mode: ModeCBC}}, {Format: "mov-text"}}},
			Encryption: &Encryption{Mode: ModeGCM}},
		&AlbumArt{"Prepend", []Artwork{{"front.jpg", "auto", "600", "Fit", "Pad", "png", gcm}}},
		&HlsContentProtection{"aes-128", wrapped, goodMD5, gcm.InitializationVector, "https://keys.example.com/k", "NoStore"},
		&PlayReadyDrm{"discretix-3.0", wrapped, goodMD5, "0123456789abcdef0123456789ABCDEF", "AAAAAAAAAAA=", "https://x.example/"},
	}
	got := []any{req.Inputs[0].TimeSpan, req.Inputs[0].InputCaptions, req.Outputs[0], req.Outputs[1].AlbumArt,
		req.Playlists[0].HlsContentProtection, req.Playlists[1].PlayReadyDrm}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
}

// TestBlankParts: members that say nothing are left out, as clients write what
// they don't set.
func TestBlankParts(t *testing.T) {
	doc := request(map[string]string{
		"Input": `{"Key":"i","TimeSpan":{"StartTime":"","Duration":null},"InputCaptions":{"MergePolicy":"","CaptionSources":[]}}`,
		"Output": `{"Key":"o","PresetId":"` + generic + `","ThumbnailPattern":"","ThumbnailEncryption":{"Mode":""},"Watermarks":[],"Composition":[{"TimeSpan":{}}],
		  "AlbumArt":{"MergePolicy":"","Artwork":null},"Captions":{"MergePolicy":null,"CaptionSources":[],"CaptionFormats":[]}}`,
	})
	req, err := ParseRequest(doc)
	if err != nil {
		t.Fatal(err)
	}
	want := &Request{PipelineID: pipelineID, Inputs: []Input{{Key: "i"}}, Outputs: []Output{{Key: "o", PresetID: generic}}}
	if !reflect.DeepEqual(req, want) {
		t.Errorf("got  %+v\nwant %+v", req, want)
	}
	blank := playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/a"],"HlsContentProtection":{"Method":null,"Key":""},"PlayReadyDrm":{"Format":""}}]`)
	if req, err := ParseRequest(request(blank)); err != nil || req.Playlists[0].protected() {
		t.Errorf("blank protection: %+v, %v", req, err)
	}
}

func span(members string) map[string]string { return input(`"TimeSpan":{` + members + `}`) }

func sources(list string) map[string]string {
	return input(`"InputCaptions":{"MergePolicy":"Override","CaptionSources":[` + list + `]}`)
}

func formats(list string) map[string]string {
	return output(`"Captions":{"CaptionFormats":[` + list + `]}`)
}

func artwork(members string) map[string]string {
	return output(`"AlbumArt":{"MergePolicy":"Replace","Artwork":[{"InputKey":"a.png",` + members + `}]}`)
}

func watermark(key string) map[string]string {
	return output(`"Watermarks":[{"PresetWatermarkId":"w","InputKey":"` + key + `"}]`)
}

// protected is one playlist of f/a with further members.
func protected(format, members string) map[string]string {
	return playlist(`[{"Name":"x","Format":"` + format + `","OutputKeys":["f/a"],` + members + `}]`)
}

// together gives a job of two inputs or one, and one output.
func together(inputs, outputMembers string) map[string]string {
	all := output(outputMembers)
	all["Input"], all["Inputs"] = "", inputs
	return all
}

func TestParseAcceptsParts(t *testing.T) {
	for name, members := range map[string]map[string]string{
		"200 inputs":                {"Input": "", "Inputs": `[{"Key":"a"}` + strings.Repeat(`,{"Key":"a"}`, 199) + `]`},
		"last time of a day":        span(`"StartTime":"23:59:59.999"`),
		"the same in seconds":       span(`"StartTime":86399.999`),
		"offset with sign":          sources(`{"Key":"k","Language":"de","TimeOffset":"+00:00:01.5"}`),
		"policy alone":              input(`"InputCaptions":{"MergePolicy":"MergeRetain"}`),
		"older captions":            output(`"Captions":{"MergePolicy":"Override","CaptionSources":[{"Key":"k","Language":"de"}],"CaptionFormats":[{"Format":"scc","Pattern":"{language}"}]}`),
		"embedded beside side-cars": formats(`{"Format":"cea-708"},{"Format":"dfxp","Pattern":"{language}"},{"Format":"webvtt","Pattern":"{language}"}`),
		"composition":               output(`"Composition":[{"TimeSpan":{"StartTime":"1","Duration":"2"}}]`),
		"20 artworks":               output(`"AlbumArt":{"MergePolicy":"Append","Artwork":[{"InputKey":"a.png"}` + strings.Repeat(`,{"InputKey":"a.png"}`, 19) + `]}`),
		"artwork limits":            artwork(`"MaxWidth":"4096","MaxHeight":"32"`),
		"picture of 1024":           watermark(strings.Repeat("k", 1020) + ".png"),
		"any character as the dot":  watermark("axjpg"),
		"content protection":        protected(HLSv3, `"HlsContentProtection":{`+hlsCP+`}`),
		"play ready, guid":          protected(HLSv3, `"PlayReadyDrm":{`+strings.Replace(drm, "0123456789abcdef0123456789ABCDEF", "01234567-89ab-cdef-0123-456789abcdef", 1)+`}`),
		"play ready, smooth":        protected(Smooth, `"PlayReadyDrm":{`+strings.Replace(drm, "discretix-3.0", "microsoft", 1)+`}`),
		"every format":              playlist(`[{"Name":"a","Format":"HLSv3","OutputKeys":["f/a"]},{"Name":"b","Format":"HLSv4","OutputKeys":["f/a"]},{"Name":"c","Format":"Smooth","OutputKeys":["f/a"]},{"Name":"d","Format":"MPEG-DASH","OutputKeys":["f/a"]}]`),
		"thumbnails in a folder":    output(`"ThumbnailPattern":"a/{count}/{count}"`),
	} {
		if _, err := ParseRequest(request(members)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRefusesParts(t *testing.T) {
	twoClips := playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/a","f/b"]}]`)
	twoClips["Outputs"] = strings.Replace(twoClips["Outputs"], `"SegmentDuration":10.0`, `"SegmentDuration":10,"Composition":[{"TimeSpan":{"Duration":"5"}}],"Captions":{"CaptionFormats":[{"Format":"srt","Pattern":"{language}"}]}`, 1)
	sealed := protected(HLSv3, `"HlsContentProtection":{`+hlsCP+`}`)
	sealed["Outputs"] = strings.Replace(sealed["Outputs"], `"SegmentDuration":"10"`, `"SegmentDuration":"10","Encryption":{"Mode":"s3"}`, 1)
	sealedCaptions := protected(HLSv3, `"HlsContentProtection":{`+hlsCP+`}`)
	sealedCaptions["Outputs"] = strings.Replace(sealedCaptions["Outputs"], `"SegmentDuration":"10"`,
		`"SegmentDuration":"10","Captions":{"CaptionFormats":[{"Format":"srt","Pattern":"{language}","Encryption":{"Mode":"aes-ctr"}}]}`, 1)
	for name, c := range map[string]struct {
		members map[string]string
		want    string
	}{
		"201 inputs":               {map[string]string{"Input": "", "Inputs": `[{"Key":"a"}` + strings.Repeat(`,{"Key":"a"}`, 200) + `]`}, "at 'inputs' failed to satisfy constraint: Member must have length less than or equal to 200"},
		"time form":                {span(`"StartTime":"1:2:3:4"`), `Value '1:2:3:4' at 'input.timeSpan.startTime' failed to satisfy constraint: Member must satisfy regular expression pattern: (^\d{1,5}`},
		"four decimals":            {span(`"StartTime":"1.0001"`), "at 'input.timeSpan.startTime'"},
		"after the day":            {span(`"StartTime":"86400"`), "at most 86399.999 seconds"},
		"no length":                {span(`"Duration":"00:00.000"`), "at 'input.timeSpan.duration' failed to satisfy constraint: Member must be more than 0 seconds"},
		"unknown of a span":        {span(`"EndTime":"5"`), "at 'input.timeSpan.endTime' failed to satisfy constraint: Member is unknown"},
		"two clips":                {output(`"Composition":[{"TimeSpan":{"StartTime":"1"}},{"TimeSpan":{"StartTime":"2"}}]`), "at 'output.composition' failed to satisfy constraint: Member must have length less than or equal to 1"},
		"clip twice":               {together(`[{"Key":"a","TimeSpan":{"StartTime":"1"}}]`, `"Composition":[{"TimeSpan":{"StartTime":"2"}}]`), "'output.composition' can't be given beside TimeSpan of an input"},
		"clip of several":          {together(`[{"Key":"a"},{"Key":"b"}]`, `"Composition":[{"TimeSpan":{"StartTime":"2"}}]`), "'output.composition' can't be given for several Inputs: give each its TimeSpan"},
		"captions twice":           {together(`[{"Key":"a","InputCaptions":{"MergePolicy":"Override"}}]`, `"Captions":{"MergePolicy":"MergeRetain","CaptionFormats":[{"Format":"mov-text"}]}`), "'output.captions.mergePolicy' can't be given beside InputCaptions"},
		"captions of several":      {together(`[{"Key":"a"},{"Key":"b"}]`, `"Captions":{"MergePolicy":"Override","CaptionSources":[{"Key":"k","Language":"de"}],"CaptionFormats":[{"Format":"mov-text"}]}`), "'output.captions.captionSources' can't be given for several Inputs"},
		"no merge policy":          {input(`"InputCaptions":{"CaptionSources":[{"Key":"k","Language":"de"}]}`), "Value null at 'input.inputCaptions.mergePolicy' failed to satisfy constraint: Member must not be null"},
		"merge policy":             {input(`"InputCaptions":{"MergePolicy":"Merge"}`), "1 validation error detected: Value 'Merge' at 'input.inputCaptions.mergePolicy' failed to satisfy constraint: Member must satisfy regular expression pattern: (^MergeOverride$)|(^MergeRetain$)|(^Override$)"},
		"21 sources":               {sources(strings.Repeat(`{"Key":"k","Language":"de"},`, 20) + `{"Key":"k","Language":"en"}`), "less than or equal to 20"},
		"source key":               {sources(`{"Language":"de"}`), "Value null at 'input.inputCaptions.captionSources.1.member.key'"},
		"source language":          {sources(`{"Key":"k"}`), "Value null at 'input.inputCaptions.captionSources.1.member.language'"},
		"language name":            {sources(`{"Key":"k","Language":"german"}`), "ISO 639 code of two or three letters"},
		"language twice":           {sources(`{"Key":"k","Language":"de"},{"Key":"l","Language":"DE"}`), "Value 'DE' at 'input.inputCaptions.captionSources.2.member.language' failed to satisfy constraint: Member must differ from the language of"},
		"one language, two codes":  {sources(`{"Key":"k","Language":"de"},{"Key":"m","Language":"en"},{"Key":"l","Language":"ger"}`), "Value 'ger' at 'input.inputCaptions.captionSources.3.member.language'"},
		"language of no code":      {sources(`{"Key":"k","Language":"xx"}`), "ISO 639 code of two or three letters"},
		"label":                    {sources(`{"Key":"k","Language":"de","Label":"` + strings.Repeat("l", 41) + `"}`), "less than or equal to 40"},
		"offset":                   {sources(`{"Key":"k","Language":"de","TimeOffset":"later"}`), "at 'input.inputCaptions.captionSources.1.member.timeOffset'"},
		"source encryption no key": {sources(`{"Key":"k","Language":"de","Encryption":{"Mode":"aes-ctr"}}`), "an input in mode aes-ctr can't be read without them"},
		"no format":                {output(`"Captions":{"MergePolicy":"MergeRetain"}`), "'output.captions.captionFormats' must have one element or more"},
		"5 formats":                {formats(strings.Repeat(`{"Format":"mov-text"},`, 4) + `{"Format":"mov-text"}`), "less than or equal to 4"},
		"format null":              {formats(`{"Pattern":"{language}"}`), "Value null at 'output.captions.captionFormats.1.member.format'"},
		"format":                   {formats(`{"Format":"ssa"}`), "(^mov-text$)|(^srt$)|(^scc$)|(^webvtt$)|(^dfxp$)|(^cea-708$)"},
		"side-car without name":    {formats(`{"Format":"srt"}`), "'output.captions.captionFormats.1.member.pattern' must be given"},
		"side-car blank name":      {formats(`{"Format":"srt","Pattern":""}`), "'output.captions.captionFormats.1.member.pattern' must be given"},
		"name without language":    {formats(`{"Format":"srt","Pattern":"x"}`), `1 validation error detected: Value 'x' at 'output.captions.captionFormats.1.member.pattern' failed to satisfy constraint: Member must satisfy regular expression pattern: (^$)|(^.*\{language\}.*$)`},
		"two embedded":             {formats(`{"Format":"mov-text"},{"Format":"cea-708"}`), "an embedded format, of which an output may have one"},
		"format twice":             {formats(`{"Format":"srt","Pattern":"a{language}"},{"Format":"srt","Pattern":"b{language}"}`), "must differ from the other formats"},
		"embedded encryption":      {formats(`{"Format":"mov-text","Encryption":{"Mode":"s3"}}`), "are part of the media file and are encrypted with it"},
		"5 watermarks":             {output(`"Watermarks":[` + strings.Repeat(`{"PresetWatermarkId":"w","InputKey":"a.png"},`, 4) + `{"PresetWatermarkId":"w","InputKey":"a.png"}]`), "less than or equal to 4"},
		"watermark id":             {output(`"Watermarks":[{"InputKey":"a.png"}]`), "Value null at 'output.watermarks.1.member.presetWatermarkId'"},
		"watermark gif":            {watermark("logo.gif"), "Value 'logo.gif' at 'output.watermarks.1.member.inputKey' failed to satisfy constraint: Member must satisfy regular expression pattern: " + picturePattern},
		"watermark upper case":     {watermark("logo.PNG"), "at 'output.watermarks.1.member.inputKey'"},
		"watermark all extension":  {watermark(".png"), "at 'output.watermarks.1.member.inputKey'"},
		"watermark key of 1025":    {watermark(strings.Repeat("k", 1021) + ".png"), "at 'output.watermarks.1.member.inputKey'"},
		"watermark without key":    {output(`"Watermarks":[{"PresetWatermarkId":"w","InputKey":"a.png","Encryption":{"Mode":"aes-gcm"}}]`), "can't be read without them"},
		"21 artworks":              {output(`"AlbumArt":{"MergePolicy":"Append","Artwork":[` + strings.Repeat(`{"InputKey":"a.png"},`, 20) + `{"InputKey":"a.png"}]}`), "less than or equal to 20"},
		"artwork policy":           {output(`"AlbumArt":{"MergePolicy":"First","Artwork":[{"InputKey":"a.png"}]}`), "1 validation error detected: Value 'First' at 'output.albumArt.mergePolicy'"},
		"artwork no policy":        {output(`"AlbumArt":{"Artwork":[{"InputKey":"a.png"}]}`), "Value null at 'output.albumArt.mergePolicy'"},
		"artwork key":              {output(`"AlbumArt":{"MergePolicy":"Append","Artwork":[{}]}`), "Value null at 'output.albumArt.artwork.1.member.inputKey'"},
		"artwork form":             {artwork(`"MaxWidth":"1"`), `pattern: (^auto$)|(^\d{2,4}$)`},
		"artwork small":            {artwork(`"MaxWidth":"30"`), "auto or an even number of pixels from 32 to 4096"},
		"artwork odd":              {artwork(`"MaxHeight":"601"`), "auto or an even number of pixels from 32 to 3072"},
		"artwork high":             {artwork(`"MaxHeight":"3074"`), "from 32 to 3072"},
		"artwork sizing":           {artwork(`"SizingPolicy":"fit"`), "at 'output.albumArt.artwork.1.member.sizingPolicy'"},
		"artwork padding":          {artwork(`"PaddingPolicy":"pad"`), "at 'output.albumArt.artwork.1.member.paddingPolicy'"},
		"artwork format":           {artwork(`"AlbumArtFormat":"gif"`), "(^jpg$)|(^png$)"},
		"thumbnails uncounted":     {output(`"ThumbnailPattern":"t"`), `Value 't' at 'output.thumbnailPattern' failed to satisfy constraint: Member must satisfy regular expression pattern: (^$)|(^.*\{count\}.*$)`},
		"thumbnails up":            {output(`"ThumbnailPattern":"../{count}"`), "must not have a folder"},
		"thumbnails too long":      {output(`"ThumbnailPattern":"{count}` + strings.Repeat("t", 1000) + `"`), "at 'output.thumbnailPattern' failed to satisfy constraint: Member with OutputKeyPrefix in front must have at most"},
		"captions too long":        {formats(`{"Format":"srt","Pattern":"{language}` + strings.Repeat("t", 1000) + `"}`), "at 'output.captions.captionFormats.1.member.pattern' failed to satisfy constraint: Member with OutputKeyPrefix"},
		"clips of a playlist":      {twoClips, "Outputs 'f/a' and 'f/b' must have the same Composition since"},
		"captions of a playlist":   {twoClips, "Outputs 'f/a' and 'f/b' must have the same Captions since"},
		"method":                   {protected(HLSv3, `"HlsContentProtection":{"Method":"sample-aes","KeyStoragePolicy":"WithVariantPlaylists"}`), "(^aes-128$)"},
		"no method":                {protected(HLSv3, `"HlsContentProtection":{"KeyStoragePolicy":"WithVariantPlaylists"}`), "Value null at 'playlists.1.member.hlsContentProtection.method'"},
		"no storage policy":        {protected(HLSv3, `"HlsContentProtection":{"Method":"aes-128"}`), "Value null at 'playlists.1.member.hlsContentProtection.keyStoragePolicy'"},
		"key without md5":          {protected(HLSv3, `"HlsContentProtection":{`+hlsCP+`,"Key":"`+wrapped+`"}`), "must give Key, KeyMd5 and InitializationVector together, or none"},
		"plaintext key":            {protected(HLSv3, `"HlsContentProtection":{`+hlsCP+`,"Key":"`+plaintext+`"}`), "Value (not shown) at 'playlists.1.member.hlsContentProtection.key' failed to satisfy constraint: Member must be the base64 of what KMS"},
		"iv of 8 bytes":            {protected(HLSv3, `"HlsContentProtection":{`+hlsCP+`,"InitializationVector":"AAAAAAAAAAA="}`), "Member must be the base64 of 16 bytes"},
		"no url":                   {protected(HLSv3, `"HlsContentProtection":{"Method":"aes-128","KeyStoragePolicy":"NoStore"}`), "must be given with the KeyStoragePolicy NoStore"},
		"url beside the key":       {protected(HLSv3, `"HlsContentProtection":{`+hlsCP+`,"LicenseAcquisitionUrl":"https://x.example/"}`), "must be left blank with the KeyStoragePolicy WithVariantPlaylists"},
		"relative url":             {protected(HLSv3, `"HlsContentProtection":{"Method":"aes-128","KeyStoragePolicy":"NoStore","LicenseAcquisitionUrl":"/key"}`), "must be an absolute URL"},
		"hls in smooth":            {protected(Smooth, `"HlsContentProtection":{`+hlsCP+`}`), "available only for playlists of the Format HLSv3 or HLSv4"},
		"drm without key":          {protected(HLSv3, `"PlayReadyDrm":{`+strings.Replace(drm, wrapped, "", 1)+`}`), "Value null at 'playlists.1.member.playReadyDrm.key'"},
		"drm nearly blank":         {protected(HLSv3, `"PlayReadyDrm":{"Format":"microsoft"}`), "Value null at 'playlists.1.member.playReadyDrm.keyId'"},
		"drm key id":               {protected(HLSv3, `"PlayReadyDrm":{`+strings.Replace(drm, "0123456789abcdef", "0123", 1)+`}`), "at 'playlists.1.member.playReadyDrm.keyId'"},
		"drm iv":                   {protected(HLSv3, `"PlayReadyDrm":{`+drm+`,"InitializationVector":"AAAAAAAAAAAAAAAAAAAAAA=="}`), "Member must be the base64 of 8 bytes"},
		"drm format":               {protected(HLSv3, `"PlayReadyDrm":{`+strings.Replace(drm, "discretix-3.0", "microsoft", 1)+`}`), "Value 'microsoft' at 'playlists.1.member.playReadyDrm.format'"},
		"drm in dash":              {protected(DASH, `"PlayReadyDrm":{`+drm+`}`), "at 'playlists.1.member.playReadyDrm.format'"},
		"drm and protection":       {protected(HLSv3, `"PlayReadyDrm":{`+drm+`},"HlsContentProtection":{`+hlsCP+`}`), "PlayReady DRM, HLS content protection, and output encryption are mutually exclusive"},
		"protection and file":      {sealed, "Output 'f/a' and its captions must have no Encryption"},
		"protection and captions":  {sealedCaptions, "Output 'f/a' and its captions must have no Encryption"},
		"protected output shared":  {playlist(`[{"Name":"x","Format":"HLSv3","OutputKeys":["f/a"]},{"Name":"y","Format":"HLSv3","OutputKeys":["f/a"],"HlsContentProtection":{` + hlsCP + `}}]`), "Value 'f/a' at 'playlists.2.member.outputKeys.1.member' failed to satisfy constraint: Member must not be an output of 'playlists.1.member' as well"},
	} {
		_, err := ParseRequest(request(c.members))
		var invalid *ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got  %v\n want ...%s...", name, err, c.want)
		} else if strings.Contains(err.Error(), plaintext) {
			t.Errorf("%s: the error shows a key: %v", name, err)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]rational.Rational{
		"0": rational.Int(0), "7.": rational.Int(7), "12345.678": rational.New(12345678, 1000), "99999": rational.Int(99999),
		"1:30": rational.Int(90), "59:59": rational.Int(3599), "1:02:03.5": rational.New(37235, 10), "23:59:59.999": latestTime,
	} {
		if got, err := ParseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "24:00:00", "1:60", "60:00", "123456", "1.0001", "1:2:3:4", "x", " 1", "1\n"} {
		if got, err := ParseTime(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

// TestUnsupported: what this version can't do is refused by name, and nothing
// else is.
func TestUnsupported(t *testing.T) {
	for name, c := range map[string]struct {
		members map[string]string
		want    string // "" for nothing
	}{
		"nothing special":      {nil, ""},
		"overrides of no work": {input(`"FrameRate":"auto","Interlaced":"false","AspectRatio":"16:9","Container":"mp4"`), ""},
		"segments and sealing": {output(`"SegmentDuration":"10","Rotate":"auto","Encryption":{"Mode":"aes-ctr"}`), ""},
		"no turn":              {output(`"Rotate":"0"`), ""},
		"two inputs":           {map[string]string{"Input": "", "Inputs": `[{"Key":"a"},{"Key":"b"}]`}, ""},
		"time span":            {span(`"StartTime":"1"`), ""},
		"frame rate":           {input(`"FrameRate":"25"`), ""},
		"interlaced":           {input(`"Interlaced":"true"`), ""},
		"rotate":               {output(`"Rotate":"270"`), ""},
		"thumbnails":           {output(`"ThumbnailPattern":"{count}","ThumbnailEncryption":{"Mode":"s3"}`), ""},
		"watermarks":           {watermark("a.png"), ""},
		"album art":            {output(`"AlbumArt":{"MergePolicy":"Replace"}`), ""},
		"composition":          {output(`"Composition":[{"TimeSpan":{"StartTime":"1"}}]`), ""},
		"captions":             {formats(`{"Format":"mov-text"},{"Format":"srt","Pattern":"{language}"}`), ""},
		"captions for tuners":  {formats(`{"Format":"srt","Pattern":"{language}"},{"Format":"cea-708"}`), "Value 'cea-708' at 'outputs.1.member.captions.captionFormats.2.member.format'"},
		"format":               {protected(DASH, `"PlayReadyDrm":null`), "Value 'MPEG-DASH' at 'playlists.1.member.format' failed to satisfy constraint: this version of Sealreel can't do playlists of the Format MPEG-DASH yet"},
		"content protection":   {protected(HLSv3, `"HlsContentProtection":{`+hlsCP+`}`), "'playlists.1.member.hlsContentProtection': "},
		"play ready":           {protected(HLSv3, `"PlayReadyDrm":{`+drm+`}`), "'playlists.1.member.playReadyDrm': "},
	} {
		req, err := ParseRequest(request(c.members))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		err = Unsupported(req)
		var invalid *ValidationError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &invalid) || len(invalid.Problems) != 1 || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got  %v\n want ...%s...", name, err, c.want)
		}
	}
	req, err := ParseRequest(fullRequest())
	if err != nil {
		t.Fatal(err)
	}
	var invalid *ValidationError
	if !errors.As(Unsupported(req), &invalid) || len(invalid.Problems) != 3 {
		t.Errorf("of every member: %v", invalid)
	}
}

// TestMarshalWireParts: what a request has shows up in the job that reading it
// answers, and reading that again gives the same.
func TestMarshalWireParts(t *testing.T) {
	req, err := ParseRequest(fullRequest())
	if err != nil {
		t.Fatal(err)
	}
	body, err := MarshalWire(New("1700000000000-abc123", req, at(0)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"TimeSpan":{"StartTime":"00:01:02.5","Duration":"30"}`,
		`"InputCaptions":{"MergePolicy":"MergeRetain","CaptionSources":[{"Key":"a.srt","Language":"en","TimeOffset":"-1.5","Label":"English","Encryption":{"Mode":"aes-gcm",`,
		`{"Key":"d.vtt","Language":"ger","TimeOffset":null,"Label":null,"Encryption":null}]}`,
		`"ThumbnailEncryption":{"Mode":"aes-ctr","Key":null`,
		`"Watermarks":[{"PresetWatermarkId":"TopLeft","InputKey":"logo.png","Encryption":{`,
		`"AlbumArt":{"MergePolicy":"Prepend","Artwork":[{"InputKey":"front.jpg","MaxWidth":"auto","MaxHeight":"600","SizingPolicy":"Fit","PaddingPolicy":"Pad","AlbumArtFormat":"png"`,
		`"Captions":{"MergePolicy":null,"CaptionSources":[],"CaptionFormats":[{"Format":"srt","Pattern":"c-{language}","Encryption":{"Mode":"aes-cbc-pkcs7"`,
		`"HlsContentProtection":{"Method":"aes-128","Key":"QUJD`,
		`"PlayReadyDrm":{"Format":"discretix-3.0","Key":"QUJD`,
		`"KeyId":"0123456789abcdef0123456789ABCDEF","InitializationVector":"AAAAAAAAAAA=","LicenseAcquisitionUrl":"https://x.example/"}`,
	} {
		if !strings.Contains(string(body), part) {
			t.Errorf("%s lacks %s", body, part)
		}
	}
	clip := Job{Outputs: []Output{{Composition: []Clip{{TimeSpan: &TimeSpan{Duration: "1"}}}}}}
	if body, err := MarshalWire(clip, nil); err != nil || !strings.Contains(string(body), `"Composition":[{"TimeSpan":{"StartTime":null,"Duration":"1"}}]`) {
		t.Errorf("%s, %v", body, err)
	}
	if fmt.Sprint(CaptionFormat{Format: "cea-708"}.Embedded(), CaptionFormat{Format: "scc"}.Embedded()) != "true false" {
		t.Error("embedded formats are wrong")
	}
}
