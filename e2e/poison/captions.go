package poison

import (
	"fmt"
	"strings"
)

// captions are side-car files that hurt, each format's under each other's name
// too.
func (c *corpus) captions() {
	many := func(n int, line func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i))
		}
		return b.String()
	}
	srt := func(i int) string {
		return fmt.Sprintf("%d\n%02d:%02d:%02d,000 --> %02d:%02d:%02d,900\nx\n\n", i, i/3600, i/60%60, i%60, i/3600, i/60%60, i%60)
	}
	const head, tail = `<tt xmlns="http://www.w3.org/ns/ttml"><body><div>`, `</div></body></tt>`
	for name, text := range map[string]string{
		"many.srt": many(60_000, srt), "long-line.srt": "1\n00:00:00,000 --> 00:00:01,000\n" + strings.Repeat("x", 4<<20) + "\n",
		"lines.srt": "1\n00:00:00,000 --> 00:00:01,000\n" + strings.Repeat("x\n", 1<<20), "times.srt": "1\n99999999999:00:00,000 --> 00:00:01,000\nx\n",
		"backwards.srt": "1\n00:00:02,000 --> 00:00:01,000\nx\n\n2\n00:00:01,000 --> 00:00:00,000\ny\n", "overlap.srt": many(5000, func(i int) string { return fmt.Sprintf("%d\n00:00:00,000 --> 00:00:05,000\nx%d\n\n", i, i) }),
		"utf16.srt": "\xff\xfe1\x00\n\x000\x000\x00", "latin1.srt": "1\n00:00:00,000 --> 00:00:01,000\nGr\xfc\xdfe\n", "nul.srt": "1\n00:00:00,000 --> 00:00:01,000\n\x00\x01\x02\n",
		"tags.srt": "1\n00:00:00,000 --> 00:00:01,000\n" + strings.Repeat("<i>", 200_000) + "\n", "huge.srt": strings.Repeat("x", 40<<20), "empty.srt": "", "negative.srt": "1\n-00:00:01,000 --> 00:00:01,000\nx\n",
		"many.vtt":  "WEBVTT\n\n" + many(60_000, func(i int) string { return strings.ReplaceAll(strings.SplitN(srt(i), "\n", 2)[1], ",", ".") }),
		"notes.vtt": "WEBVTT\n\n" + strings.Repeat("NOTE x\n\n", 200_000), "regions.vtt": "WEBVTT\n\n" + strings.Repeat("REGION\nid:a width:1e309%\n\n", 50_000),
		"settings.vtt": "WEBVTT\n\n00:00.000 --> 00:01.000 line:-1e999% position:NaN% size:1e309%\nx\n", "inner.vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\n" + strings.Repeat("<99:99:99.999>", 100_000) + "\n", "header.vtt": "WEBVTT" + strings.Repeat(" x", 1<<20),
		"entities.ttml": strings.Replace(entities, "<a>", head+`<p begin="0s" end="1s">`, 1) + "</p>" + tail, "deep.ttml": strings.Repeat("<div>", 200_000),
		"spans.ttml": head + `<p begin="0s" end="1s">` + strings.Repeat("<span>", 50_000) + tail, "rate.ttml": `<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="0" ttp:tickRate="0"><body><div><p begin="1t" end="2f">x</p>` + tail,
		"times.ttml": head + `<p begin="1e999s" end="-1s">x</p><p begin="999999999999999999999h" dur="1s">x</p>` + tail, "external.ttml": `<!DOCTYPE tt SYSTEM "http://` + c.lures.Host + `/a.dtd">` + head + tail,
		"attributes.ttml": head + "<p " + many(50_000, func(i int) string { return fmt.Sprintf("a%d='x' ", i) }) + ">x</p>" + tail, "include.ttml": head + `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://` + c.lures.File + `"/>` + tail,
		"unclosed.ttml": head + `<p begin="0s" end="1s">x`, "many.ttml": head + many(60_000, func(i int) string { return fmt.Sprintf(`<p begin="%ds" end="%ds">x</p>`, i, i+1) }) + tail, "comment.ttml": head + "<!--" + strings.Repeat("-", 1<<20),
		"many.scc": "Scenarist_SCC V1.0\n\n" + many(60_000, func(i int) string {
			return fmt.Sprintf("%02d:%02d:%02d:00\t9420 9420 94ae 94ae c8e5 ecec ef80 942f 942f\n\n", i/3600, i/60%60, i%60)
		}),
		"long.scc": "Scenarist_SCC V1.0\n\n00:00:01:00\t" + strings.Repeat("c8e5 ", 500_000) + "\n", "odd.scc": "Scenarist_SCC V1.0\n\n00:00:01:00\t942 94zz ffff 0000\n", "times.scc": "Scenarist_SCC V1.0\n\n99:99:99:99\t9420\n",
		"codes.scc": "Scenarist_SCC V1.0\n\n00:00:01:00\t" + many(0x10000, func(i int) string { return fmt.Sprintf("%04x ", i) }) + "\n", "head.scc": "Scenarist_SCC V1.0",
		"m3u8.srt": strings.ReplaceAll(forms["m3u8"], "%s", "http://"+c.lures.Host), "ffconcat.vtt": strings.ReplaceAll(forms["ffconcat"], "%s", c.lures.File), "zip.ttml": "PK\x03\x04",
	} {
		c.add("captions that hurt ("+name[strings.LastIndexByte(name, '.')+1:]+")", name, Captions, []byte(text))
	}
	c.add("captions that hurt (others' names)", "media.srt", Captions, c.of("a.mp4").data)
	c.add("captions that hurt (others' names)", "ttml.srt", Captions, []byte(head+`<p begin="0s" end="1s">x</p>`+tail))
	c.add("captions that hurt (others' names)", "srt.ttml", Captions, []byte(srt(1)))
}
