package poison

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

func le32(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }
func le16(n uint16) string { return string(binary.LittleEndian.AppendUint16(nil, n)) }

// riff is a chunk of RIFF, with the padding that an odd one has.
func riff(id, data string) string {
	return id + le32(uint32(len(data))) + data + strings.Repeat("\x00", len(data)%2)
}

// headers are files of other containers whose headers lie.
func (c *corpus) headers() {
	c.waves()
	c.aviLies()
	c.flvLies()
	c.tagged()
	ogg := c.of("s.ogg").data
	c.add("ogg that lies", "serial.ogg", Sound, patched(ogg, "OggS", 14, 1, 2, 3, 4))
	c.add("ogg that lies", "granule.ogg", Sound, patched(ogg, "OggS", 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))
	c.add("ogg that lies", "lacing.ogg", Sound, patched(ogg, "OggS", 26, 255))
	c.add("ogg that lies", "rate.ogg", Sound, patched(ogg, "\x01vorbis", 12, 0xff, 0xff, 0xff, 0x7f))
	var streams []byte
	first := ogg[:bytes.Index(ogg[4:], []byte("OggS"))+4]
	for n := range 5000 {
		streams = append(streams, patched(first, "OggS", 14, byte(n), byte(n>>8), 7, 7)...)
	}
	c.add("ogg that lies", "streams.ogg", Sound, slices.Concat(streams, ogg))
	flac := c.of("s.flac").data
	c.add("flac that lies", "rate.flac", Sound, patched(flac, "fLaC", 18, 0, 0, 0))
	c.add("flac that lies", "length.flac", Sound, patched(flac, "fLaC", 21, 0xff, 0xff, 0xff, 0xff, 0xff))
	c.add("flac that lies", "blocks.flac", Sound, slices.Concat(flac[:4], slices.Repeat([]byte{1, 0, 0, 0}, 300_000), flac[4:]))
	c.add("flac that lies", "padding.flac", Sound, slices.Concat(flac[:4], []byte{1, 0xff, 0xff, 0xff}, flac[4:]))
	mxf := c.of("a.mxf").data
	key := []byte{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x53}
	for n, length := range [][]byte{{0x80}, {0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x84, 0x7f, 0xff, 0xff, 0xff}} {
		c.add("mxf that lies", fmt.Sprintf("length-%d.mxf", n), Picture, patched(mxf, string(key), 16, length...))
	}
	c.add("mxf that lies", "partitions.mxf", Picture, slices.Repeat(mxf[:4096], 200))
	ivf := c.of("a.ivf").data
	c.add("ivf that lies", "rate.ivf", Picture, patched(ivf, "DKIF", 16, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0))
	c.add("ivf that lies", "none.ivf", Picture, patched(ivf, "DKIF", 16, 0, 0, 0, 0, 0, 0, 0, 0))
	c.add("ivf that lies", "frame.ivf", Picture, patched(ivf, "DKIF", 32, 0xff, 0xff, 0xff, 0x7f))
	asf := c.of("a.wmv").data
	c.add("asf that lies", "size.wmv", Picture, patched(asf, "\x30\x26\xb2\x75", 16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))
	c.add("asf that lies", "objects.wmv", Picture, patched(asf, "\x30\x26\xb2\x75", 24, 0xff, 0xff, 0xff, 0xff))
	c.add("asf that lies", "packet.wmv", Picture, patched(asf, "\xa1\xdc\xab\x8c", 92, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f))
}

func (c *corpus) waves() {
	wave := c.of("s.wav").data
	format := func(tag, channels uint16, rate, perSecond uint32, align, bits uint16) []byte {
		fmtChunk := riff("fmt ", le16(tag)+le16(channels)+le32(rate)+le32(perSecond)+le16(align)+le16(bits))
		return []byte("RIFF" + le32(0xffffffff) + "WAVE" + fmtChunk + "data" + le32(0xffffffff) + strings.Repeat("\x01\x7f", 20_000))
	}
	for name, data := range map[string][]byte{
		"endless": patched(wave, "data", 4, 0xff, 0xff, 0xff, 0xff), "empty": patched(wave, "data", 4, 0, 0, 0, 0),
		"rate-none": format(1, 2, 0, 0, 4, 16), "rate-most": format(1, 2, math.MaxUint32, 4, 4, 16), "rate-high": format(1, 2, 100_000_000, 4, 4, 16), "rate-one": format(1, 1, 1, 2, 2, 16),
		"channels": format(1, 65535, 48000, 4, 4, 16), "channels-many": format(1, 64, 48000, 48000*128, 128, 16), "align": format(1, 2, 48000, 4, 0, 16),
		"bits": format(1, 2, 48000, 192000, 4, 4096), "adpcm": format(2, 2, 48000, 192000, 0xffff, 4), "unknown": format(0x7777, 2, 48000, 192000, 4, 16),
		"no-channels": format(1, 0, 48000, 192000, 4, 16), "mp3-within": format(0x55, 2, 48000, 16000, 1, 0), "g729": format(0x83, 1, 8000, 1000, 10, 1),
		"lists": []byte("RIFF" + le32(0xffffffff) + "WAVE" + strings.Repeat(riff("LIST", "INFO"+riff("INAM", "x")), 20_000) + string(wave[12:])),
		"rf64":  []byte("RF64" + le32(0xffffffff) + "WAVE" + riff("ds64", strings.Repeat("\xff", 28)) + string(wave[12:])),
	} {
		c.add("wav that lies", name+".wav", Sound, data)
	}
}

func (c *corpus) aviLies() {
	avi := c.of("a.avi").data
	for name, data := range map[string][]byte{
		"rate-none": patched(avi, "vids", 20, 0, 0, 0, 0), "scale-none": patched(avi, "vids", 16, 0, 0, 0, 0),
		"rate-most": patched(avi, "vids", 20, 0xff, 0xff, 0xff, 0xff), "length": patched(avi, "vids", 28, 0xff, 0xff, 0xff, 0xff),
		"start": patched(avi, "vids", 24, 0xff, 0xff, 0xff, 0x7f), "sample": patched(avi, "auds", 40, 0xff, 0xff, 0xff, 0x7f),
		"size": patched(avi, "strf", 12, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f), "index": patched(avi, "idx1", 4, 0xff, 0xff, 0xff, 0xff),
		"no-index": renamed(avi, "idx1", "JUNK"), "list": patched(avi, "movi", -4, 0xff, 0xff, 0xff, 0xff), "streams": patched(avi, "avih", 32, 0xff, 0xff, 0, 0),
		"chunk": patched(avi, "00dc", 4, 0xff, 0xff, 0xff, 0x7f), "nested": slices.Concat(avi[:12], []byte(strings.Repeat("LIST"+le32(0x7fffffff)+"hdrl", 20_000)), avi[12:]),
	} {
		c.add("avi that lies", name+".avi", Picture, data)
	}
}

func (c *corpus) flvLies() {
	flv := c.of("a.flv").data
	at := bytes.Index(flv, []byte("onMetaData"))
	tag := func(body []byte) []byte { // a script tag before all others
		head := []byte{18, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body)), 0, 0, 0, 0, 0, 0, 0}
		return slices.Concat(flv[:13], head, body, be32(uint32(len(body)+11)), flv[13:])
	}
	name := slices.Concat([]byte{2, 0, 10}, []byte("onMetaData"))
	number := func(key string, v float64) []byte {
		return slices.Concat([]byte{0, byte(len(key))}, []byte(key), []byte{0}, be64(math.Float64bits(v)))
	}
	object := func(members ...[]byte) []byte {
		return slices.Concat(name, []byte{8, 0, 0, 0, 1}, slices.Concat(members...), []byte{0, 0, 9})
	}
	deep := bytes.Repeat([]byte{0, 1, 'x', 3}, 100_000)
	for name, data := range map[string][]byte{
		"nan":    tag(object(number("duration", math.NaN()), number("framerate", math.NaN()), number("width", math.Inf(1)))),
		"large":  tag(object(number("duration", 1e300), number("framerate", 1e300), number("width", 1e9), number("height", 1e9), number("filesize", -1))),
		"deep":   tag(slices.Concat(name, deep)),
		"array":  tag(slices.Concat(name, []byte{10, 0xff, 0xff, 0xff, 0xff})),
		"arrays": tag(slices.Concat(name, bytes.Repeat([]byte{10, 0, 0, 0, 1}, 50_000))),
		"string": tag(slices.Concat(name, []byte{12, 0xff, 0xff, 0xff, 0xff})),
		"times":  tag(slices.Concat(name, []byte{8, 0, 0, 0, 1, 0, 9}, []byte("keyframes"), []byte{3, 0, 5}, []byte("times"), []byte{10, 0x0f, 0xff, 0xff, 0xff})),
		"header": patched(flv, "FLV", 5, 0xff, 0xff, 0xff, 0xff), "cut-script": patched(flv, "onMetaData", -9, 0xff),
		"nothing": flv[:13], "script": flv[:at+40],
	} {
		c.add("flv that lies", name+".flv", Picture, data)
	}
}

// tagged are files of sound with tags that lie, and pictures that are none.
func (c *corpus) tagged() {
	mp3 := c.of("s.mp3").data
	if string(mp3[:3]) == "ID3" {
		mp3 = mp3[10+(int(mp3[6])<<21|int(mp3[7])<<14|int(mp3[8])<<7|int(mp3[9])):]
	}
	size := func(n int) []byte {
		return []byte{byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}
	}
	tag := func(frames []byte) []byte {
		return slices.Concat([]byte("ID3\x04\x00\x00"), size(len(frames)), frames, mp3)
	}
	frame := func(id string, body []byte) []byte {
		return slices.Concat([]byte(id), size(len(body)), []byte{0, 0}, body)
	}
	cover := func(mime string, data []byte) []byte {
		return tag(frame("APIC", slices.Concat([]byte{0}, []byte(mime), []byte{0, 3, 0}, data)))
	}
	for name, data := range map[string][]byte{
		"size": slices.Concat([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"), mp3), "frame": tag(slices.Concat([]byte("TIT2\x7f\x7f\x7f\x7f\x00\x00"), make([]byte, 64))),
		"long": tag(frame("TIT2", bytes.Repeat([]byte("x"), 8<<20))), "many": tag(bytes.Repeat(frame("TXXX", []byte("\x03k\x00v")), 50_000)),
		"tags": slices.Concat(bytes.Repeat([]byte("ID3\x04\x00\x00\x00\x00\x00\x00"), 50_000), mp3), "unsync": slices.Concat([]byte("ID3\x04\x00\x80"), size(1<<20), bytes.Repeat([]byte{0xff, 0}, 1<<19), mp3),
		"xing": patched(mp3, "Info", 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "chapters": tag(bytes.Repeat(frame("CHAP", append([]byte("c\x00"), bytes.Repeat([]byte{0xff}, 16)...)), 20_000)),
	} {
		c.add("tags that lie", name+".mp3", Sound, data)
	}
	for name, picture := range bombs() {
		mime := "image/png"
		if strings.HasSuffix(name, ".jpg") {
			mime = "image/jpeg"
		}
		c.add("attached pictures that hurt", strings.ReplaceAll(name, ".", "-")+".mp3", Album, cover(mime, picture))
	}
	c.add("attached pictures that hurt", "hls.mp3", Album, cover("image/png", []byte("#EXTM3U\n#EXTINF:1,\nhttp://"+c.lures.Host+"/\n")))
	c.add("attached pictures that hurt", "many.mp3", Album, tag(bytes.Repeat(frame("APIC", slices.Concat([]byte("\x00image/png\x00\x03\x00"), bombs()["whole.png"])), 200)))
}
