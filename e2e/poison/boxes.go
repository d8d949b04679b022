package poison

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// box is an MP4 box of the parts.
func box(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return slices.Concat(be32(uint32(len(body)+8)), []byte(kind), body)
}

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// patched overwrites bytes of each box of a kind, at an offset from the box's
// type.
func patched(data []byte, kind string, offset int, with ...byte) []byte {
	data = slices.Clone(data)
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte(kind))
		if i < 0 {
			return data
		}
		at += i + 4
		if to := at - 4 + offset; to >= 0 && to+len(with) <= len(data) {
			copy(data[to:], with)
		}
	}
}

// renamed calls boxes of a kind by another name, so that they are not found.
func renamed(data []byte, kind, as string) []byte {
	return bytes.ReplaceAll(data, []byte(kind), []byte(as))
}

// withinMovie changes the last box of a file, which is its moov.
func withinMovie(data []byte, change func(body []byte) []byte) []byte {
	at := bytes.LastIndex(data, []byte("moov")) - 4
	return slices.Concat(data[:at], box("moov", change(data[at+8:])))
}

// nested is a box within a box, so many deep, with a core.
func nested(kind string, deep int, core []byte) []byte {
	head := make([]byte, 0, 8*deep)
	for i := range deep {
		head = binary.BigEndian.AppendUint32(head, uint32(8*(deep-i)+len(core)))
		head = append(head, kind...)
	}
	return slices.Concat(head, core)
}

// boxes are MP4 and QuickTime files whose boxes lie.
func (c *corpus) boxes() {
	whole := c.of("a.mp4").data
	c.boxSizes(whole)
	c.boxFields(whole)
	c.boxesMissing(whole)
	c.boxesMany(whole)
	c.references(whole)
	frag := c.of("frag.mp4").data
	for name, changed := range map[string][]byte{
		"samples":  patched(frag, "trun", 8, 0xff, 0xff, 0xff, 0xff),
		"data":     patched(frag, "trun", 12, 0x7f, 0xff, 0xff, 0xff),
		"flags":    patched(frag, "trun", 5, 0, 0, 0),
		"track":    patched(frag, "tfhd", 8, 0, 0, 0, 99),
		"time":     patched(frag, "tfdt", 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"no trex":  renamed(frag, "trex", "free"),
		"no tfhd":  renamed(frag, "tfhd", "free"),
		"moof":     patched(frag, "moof", -4, 0, 0, 0, 8),
		"moof big": patched(frag, "moof", -4, 0x7f, 0xff, 0xff, 0xff),
	} {
		c.add("fragments that lie", strings.ReplaceAll(name, " ", "-")+".mp4", Picture, changed)
	}
}

func (c *corpus) boxSizes(whole []byte) {
	for _, kind := range []string{"moov", "trak", "mdia", "stbl", "stsd", "stts", "stsz", "stco", "mdat", "avcC", "esds"} {
		for n, size := range [][]byte{{0, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 0, 7}, {0, 0, 0, 8}, {0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff}} {
			c.add("box sizes that lie", fmt.Sprintf("%s-%d.mp4", kind, n), Picture, patched(whole, kind, -4, size...))
		}
	}
	long := slices.Concat(be32(1), []byte("mdat"), be64(1<<62))
	c.add("box sizes that lie", "long.mp4", Picture, slices.Concat(whole[:32], long, whole[32:]))
	for _, deep := range []int{100, 10_000, 200_000} {
		for _, kind := range []string{"moov", "trak", "udta", "meta", "wave", "sinf"} {
			c.add("deep boxes", fmt.Sprintf("%s-%d.mov", kind, deep), Picture, withinMovie(whole, func(body []byte) []byte {
				return slices.Concat(body, nested(kind, deep, nil))
			}))
		}
		c.add("deep boxes", fmt.Sprintf("moof-%d.mp4", deep), Picture, slices.Concat(whole, nested("moof", deep, nil)))
	}
}

// boxFields have absurd numbers: sizes, rates, durations, counts.
func (c *corpus) boxFields(whole []byte) {
	most, one := []byte{0xff, 0xff, 0xff, 0xff}, []byte{0, 0, 0, 1}
	large := []byte{0x7f, 0xff, 0xff, 0xff}
	for _, f := range []struct {
		kind, name, box string
		offset          int
		with            []byte
	}{
		{"absurd dimensions", "wide", "avc1", 28, []byte{0xff, 0xff, 0xff, 0xff}},
		{"absurd dimensions", "none", "avc1", 28, []byte{0, 0, 0, 0}},
		{"absurd dimensions", "flat", "avc1", 28, []byte{0xff, 0xff, 0, 1}},
		{"absurd dimensions", "tkhd", "tkhd", 80, slices.Concat(most, most)},
		{"absurd dimensions", "matrix", "tkhd", 44, slices.Repeat(large, 9)},
		{"absurd rates", "timescale none", "mdhd", 16, []byte{0, 0, 0, 0}},
		{"absurd rates", "timescale one", "mdhd", 16, one},
		{"absurd rates", "timescale large", "mdhd", 16, large},
		{"absurd rates", "timescale most", "mdhd", 16, most},
		{"absurd rates", "movie timescale", "mvhd", 16, []byte{0, 0, 0, 0}},
		{"absurd rates", "same time", "stts", 16, []byte{0, 0, 0, 0}},
		{"absurd rates", "age", "stts", 16, large},
		{"absurd rates", "back", "stts", 16, most},
		{"absurd rates", "sound rate", "mp4a", 28, most},
		{"absurd rates", "channels", "mp4a", 20, []byte{0xff, 0xff}},
		{"absurd durations", "movie", "mvhd", 20, most},
		{"absurd durations", "track", "mdhd", 20, most},
		{"absurd durations", "edit", "elst", 12, slices.Concat(large, large)},
		{"absurd durations", "edit before", "elst", 16, []byte{0x80, 0, 0, 0}},
		{"absurd durations", "edit rate", "elst", 20, []byte{0, 0, 0, 0}},
		{"absurd durations", "edit many", "elst", 8, most},
		{"counts that lie", "stts", "stts", 8, most},
		{"counts that lie", "stts run", "stts", 12, large},
		{"counts that lie", "stsc", "stsc", 8, most},
		{"counts that lie", "stsc none", "stsc", 8, []byte{0, 0, 0, 0}},
		{"counts that lie", "stsz", "stsz", 12, most},
		{"counts that lie", "stsz same", "stsz", 8, []byte{0, 0xff, 0xff, 0xff}},
		{"counts that lie", "stsz run", "stsz", 8, []byte{0, 0, 0, 1, 0x07, 0xff, 0xff, 0xff}},
		{"counts that lie", "stco", "stco", 8, most},
		{"counts that lie", "stss", "stss", 8, most},
		{"counts that lie", "stsd", "stsd", 8, most},
		{"offsets that lie", "far", "stco", 12, most},
		{"offsets that lie", "itself", "stco", 12, []byte{0, 0, 0, 0}},
		{"offsets that lie", "stsc", "stsc", 16, most},
		{"offsets that lie", "avcC", "avcC", 4, slices.Repeat(most, 8)},
		{"offsets that lie", "esds", "esds", 8, slices.Repeat([]byte{0x80}, 24)},
	} {
		c.add(f.kind, strings.ReplaceAll(f.name, " ", "-")+".mp4", Picture, patched(whole, f.box, f.offset, f.with...))
	}
}

func (c *corpus) boxesMissing(whole []byte) {
	for _, kind := range []string{"moov", "mvhd", "trak", "tkhd", "mdia", "mdhd", "hdlr", "minf", "stbl", "stsd", "stts", "stsc", "stsz", "stco", "stss", "avcC", "esds", "mdat"} {
		c.add("missing index", "no-"+kind+".mp4", Picture, renamed(whole, kind, "free"))
	}
	at := bytes.LastIndex(whole, []byte("moov")) - 4
	c.add("missing index", "moov-cut.mp4", Picture, whole[:at])
	c.add("missing index", "moov-alone.mp4", Picture, whole[at:])
	c.add("missing index", "moov-twice.mp4", Picture, slices.Concat(whole, whole[at:]))
	c.add("no frames", "moov-without-media.mp4", Picture, slices.Concat(whole[:32], whole[at:]))
	c.add("no frames", "fragments-without-any.mp4", Picture, c.of("frag.mp4").data[:bytes.Index(c.of("frag.mp4").data, []byte("moof"))-4])
}

// boxesMany are files with more tracks, metadata and chapters than anybody needs.
func (c *corpus) boxesMany(whole []byte) {
	at := bytes.Index(whole, []byte("trak")) - 4
	trak := whole[at : at+int(binary.BigEndian.Uint32(whole[at:]))]
	for _, n := range []int{60, 65, 1000, 20_000} {
		c.add("too many tracks", fmt.Sprintf("traks-%d.mp4", n), Picture, withinMovie(whole, func(body []byte) []byte {
			return slices.Concat(body, slices.Repeat(trak, n))
		}))
	}
	text := func(n int) []byte {
		return box("\xa9nam", box("data", be32(1), be32(0), bytes.Repeat([]byte("x"), n)))
	}
	metadata := func(list []byte) []byte {
		return withinMovie(whole, func(body []byte) []byte {
			handler := box("hdlr", make([]byte, 8), []byte("mdirappl"), make([]byte, 9))
			return slices.Concat(body, box("udta", box("meta", be32(0), handler, box("ilst", list))))
		})
	}
	c.add("enormous metadata", "long.mp4", Picture, metadata(text(8<<20)))
	c.add("enormous metadata", "many.mp4", Picture, metadata(slices.Repeat(text(10), 50_000)))
	c.add("enormous metadata", "chapters.mp4", Picture, withinMovie(whole, func(body []byte) []byte {
		list := slices.Repeat(slices.Concat(be64(1), []byte{3}, []byte("abc")), 255)
		return slices.Concat(body, box("udta", box("chpl", be32(0x01000000), be32(0), []byte{255}, list)))
	}))
}

// references are tracks whose media are said to be in other files.
func (c *corpus) references(whole []byte) {
	self := box("url ", be32(1))
	for name, entry := range map[string][]byte{
		"url-file":  box("url ", be32(0), []byte("file://"+c.lures.File+"\x00")),
		"url-http":  box("url ", be32(0), []byte("http://"+c.lures.Host+"/a.mp4\x00")),
		"urn":       box("urn ", be32(0), []byte("x\x00http://"+c.lures.Host+"/a.mp4\x00")),
		"alis-file": box("alis", be32(0), alias(c.lures.File)),
		"alis-http": box("alis", be32(0), alias("http://"+c.lures.Host+"/a.mp4")),
		"rsrc":      box("rsrc", be32(0), alias(c.lures.File)),
	} {
		changed := withinMovie(whole, func(body []byte) []byte { return regrown(body, self, entry) })
		c.add("media said to be elsewhere", name+".mov", Picture, changed)
	}
}

// alias is what QuickTime's alis holds for ffmpeg: a path, whole and relative.
func alias(path string) []byte {
	record := make([]byte, 150)
	record[51] = 1
	pad := func(s string) []byte { return append([]byte(s), make([]byte, len(s)%2)...) }
	entry := func(kind uint16, s string) []byte {
		head := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, kind), uint16(len(s)))
		return append(head, pad(s)...)
	}
	return slices.Concat(record, entry(2, path), entry(18, path), []byte{0xff, 0xff, 0, 0})
}

// regrown replaces a box wherever it is, and corrects the sizes of those around.
func regrown(data, old, with []byte) []byte {
	var out []byte
	for len(data) >= 8 {
		size := int(binary.BigEndian.Uint32(data))
		if size < 8 || size > len(data) {
			break
		}
		one := data[:size]
		switch kind := string(one[4:8]); {
		case bytes.Equal(one, old):
			one = with
		case kind == "dref":
			one = box(kind, one[8:16], regrown(one[16:], old, with))
		case slices.Contains([]string{"trak", "mdia", "minf", "dinf"}, kind):
			one = box(kind, regrown(one[8:], old, with))
		}
		out, data = append(out, one...), data[size:]
	}
	return append(out, data...)
}
