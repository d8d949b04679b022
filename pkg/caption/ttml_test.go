package caption

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const ttmlNames = ` xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"`

func ttml(attributes, body string) string {
	return `<?xml version="1.0" encoding="utf-8"?>` + "\n<tt" + ttmlNames + " " + attributes + "><head><styling/></head><body>" + body + "</body></tt>"
}

func TestDecodeTTML(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		doc  string
		want []Cue
	}{
		"text": {ttml("", `<div><p begin="1s" end="2.5s">One<br/>two &amp; <span>three</span>  four
			five</p><p begin="00:00:03.250" dur="500ms" xml:space="preserve">six  seven`+"\n"+`eight</p></div>`), []Cue{
			{s, 2500 * ms, "One\ntwo & three four five"}, {3250 * ms, 3750 * ms, "six  seven\neight"}}},
		"times of parents": {ttml("", `<div begin="10s" end="20s"><p begin="1s" end="2s">a</p><p begin="9s" end="15s">b</p><p begin="11s">never</p><p>c</p></div>`), []Cue{
			{10 * s, 20 * s, "c"}, {11 * s, 12 * s, "a"}, {19 * s, 20 * s, "b"}}},
		"sequence": {ttml("", `<div timeContainer="seq"><p dur="1s">a</p><p begin="1s" dur="2s">b</p><p dur="1s">c</p></div>`), []Cue{
			{0, s, "a"}, {2 * s, 4 * s, "b"}, {4 * s, 5 * s, "c"}}},
		"no end":         {ttml("", `<div><p begin="1s">a</p><p begin="1s" end="2s">b</p><p begin="4s">c</p></div>`), []Cue{{s, 4 * s, "a"}, {s, 2 * s, "b"}, {4 * s, 9 * s, "c"}}},
		"timed spans":    {ttml("", `<div><p begin="1s" end="9s"> <span begin="0s" end="1s">a</span> <span begin="1s" end="2s">b</span> </p></div>`), []Cue{{s, 2 * s, "a"}, {2 * s, 3 * s, "b"}}},
		"first language": {ttml(`xml:lang="en"`, `<div><p end="1s">a</p></div><div xml:lang="fr"><p end="1s">b</p></div><div><p begin="1s" end="2s">c</p></div>`), []Cue{{0, s, "a"}, {s, 2 * s, "c"}}},
		"frames":         {ttml(`ttp:frameRate="25"`, `<div><p begin="00:00:01:05" end="50f">a</p></div>`), []Cue{{1200 * ms, 2 * s, "a"}}},
		"ticks":          {ttml(`ttp:tickRate="10000000"`, `<div><p begin="12340000t" end="20000000t">a</p></div>`), []Cue{{1234 * ms, 2 * s, "a"}}},
		"time code": {ttml(`ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" ttp:dropMode="nonDrop"`,
			`<div><p begin="00:00:10:00" end="00:00:20:00">a</p></div>`), []Cue{{10010 * ms, 20020 * ms, "a"}}},
		"drop-frame time code": {ttml(`ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000:1001" ttp:dropMode="dropNTSC"`,
			`<div><p begin="00:10:00:00" end="01:00:00:00">a</p></div>`), []Cue{{599999400 * time.Microsecond, 3599996400 * time.Microsecond, "a"}}},
		"things that are not shown": {ttml("", `<div><ttm:desc>x</ttm:desc><metadata>y</metadata><p end="1s"><ttm:desc>z</ttm:desc><set begin="0s"/>a<foreign xmlns="urn:x">w</foreign></p>v</div>`), []Cue{{0, s, "a"}}},
		"DFXP of 2006": {`<tt xmlns="http://www.w3.org/2006/10/ttaf1"><body><div><p begin="00:00:01.00" end="00:00:02.00">a&nbsp;b</p></div></body></tt>`,
			[]Cue{{s, 2 * s, "a\u00a0b"}}},
		"EBU-TT": {`<tt:tt xmlns:tt="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:timeBase="media" xmlns:ebuttm="urn:ebu:tt:metadata">` +
			`<tt:head><tt:metadata><ebuttm:documentMetadata>EBU</ebuttm:documentMetadata></tt:metadata></tt:head><tt:body><tt:div>` +
			`<tt:p xml:id="s1" begin="00:00:01.000" end="00:00:02.000"><tt:span style="x">a</tt:span><tt:br/><tt:span>b</tt:span></tt:p></tt:div></tt:body></tt:tt>`,
			[]Cue{{s, 2 * s, "a\nb"}}},
		"another declared encoding": {strings.Replace(ttml("", `<div><p end="1s">é</p></div>`), "utf-8", "ISO-8859-1", 1), []Cue{{0, s, "é"}}},
		"no cue":                    {ttml("", `<div/>`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, format, err := Read(strings.NewReader(c.doc))
			if err != nil || format != DFXP || !slices.Equal(got, c.want) {
				t.Errorf("%s, %v:\n%swant\n%s", format, err, show(got), show(c.want))
			}
		})
	}
}

func TestDecodeTTMLRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		doc, want string
	}{
		"HTML":             {"<html><p>x</p></html>", "the document's root is no element tt"},
		"another tt":       {`<tt xmlns="urn:x"/>`, "the document's root is no element tt"},
		"a comment":        {"<!-- -->", "the document has no element tt"},
		"not closed":       {"<tt><body>", "not well-formed XML"},
		"two roots":        {"<tt/><tt/>", "the document's root is no element tt"},
		"an entity":        {`<!DOCTYPE tt [<!ENTITY a "aaaa">]><tt><body><div><p end="1s">&a;</p></div></body></tt>`, "not well-formed XML"},
		"deep":             {"<tt>" + strings.Repeat("<div>", 100), "elements are nested deeper than 64"},
		"a time":           {ttml("", `<div><p begin="soon">a</p></div>`), "attribute begin is no time"},
		"a negative time":  {ttml("", `<div><p begin="-1s">a</p></div>`), "attribute begin is no time"},
		"a short clock":    {ttml("", `<div><p end="00:01">a</p></div>`), "attribute end is no time"},
		"a frame too many": {ttml("", `<div><p end="00:00:01:30">a</p></div>`), "attribute end is no time"},
		"an early end":     {ttml("", `<div><p begin="2s" end="1s">a</p></div>`), "an element ends before it begins"},
		"a late time":      {ttml("", `<div><p begin="1s" end="101h">a</p></div>`), "a time is beyond 100 hours"},
		"a huge time":      {ttml("", `<div begin="99h"><div begin="99h"><div begin="99h"/></div></div>`), "a time is beyond 100 hours"},
		"a frame rate":     {ttml(`ttp:frameRate="0"`, ""), "attribute frameRate"},
		"a multiplier":     {ttml(`ttp:frameRateMultiplier="1 0"`, ""), "attribute frameRateMultiplier"},
		"ticks":            {ttml(`ttp:tickRate="x"`, ""), "attribute tickRate"},
		"the time of day":  {ttml(`ttp:timeBase="clock"`, ""), "attribute timeBase"},
		"PAL drop frames":  {ttml(`ttp:dropMode="dropPAL"`, ""), "attribute dropMode"},
		"pictures":         {ttml(`xmlns:smpte="urn:smpte"`, `<div begin="1s" end="2s" smpte:backgroundImage="#x"/>`), "the captions are pictures"},
		"long text":        {ttml("", `<div><p end="1s">`+strings.Repeat("a", MaxText+1)+`</p></div>`), "a caption has 4097 bytes"},
		"endless text":     {ttml("", `<div><p end="1s">`+strings.Repeat("<br/>", 20*MaxText)+`</p></div>`), "a caption has more than 4096"},
	} {
		t.Run(name, func(t *testing.T) {
			cues, _, err := Read(strings.NewReader(c.doc))
			if err == nil || !strings.HasPrefix(err.Error(), "dfxp, line ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v with\n%s, want %s", err, show(cues), c.want)
			}
		})
	}
}
