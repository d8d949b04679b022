package poison

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// element is one of EBML: its id as written, then its size in eight bytes.
func element(id uint32, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return slices.Concat(idOf(id), be64(1<<56|uint64(len(body))), body)
}

func idOf(id uint32) []byte { return bytes.TrimLeft(be32(id), "\x00") }

// unsigned is an element that holds a number.
func unsigned(id uint32, n uint64) []byte { return element(id, be64(n)) }

// vp8Film is a Matroska file of VP8 that says these things of its track and has
// these further elements. Its only frame is that of the good WebM file.
func (c *corpus) vp8Film(track []byte, info []byte, more ...[]byte) []byte {
	head := element(0x1a45dfa3, element(0x4282, []byte("matroska")), unsigned(0x4287, 4), unsigned(0x4285, 2))
	entry := element(0xae, unsigned(0xd7, 1), unsigned(0x73c5, 1), unsigned(0x83, 1), element(0x86, []byte("V_VP8")), track)
	frames := c.vp8()
	var blocks []byte
	for i, f := range frames {
		block := slices.Concat([]byte{0x81}, binary.BigEndian.AppendUint16(nil, uint16(i*40)), []byte{0x80}, f)
		blocks = append(blocks, element(0xa3, block)...)
	}
	cluster := element(0x1f43b675, unsigned(0xe7, 0), blocks)
	return slices.Concat(head, element(0x18538067, element(0x1549a966, unsigned(0x2ad7b1, 1_000_000), info), element(0x1654ae6b, entry), slices.Concat(more...), cluster))
}

// vp8 are the frames of the good IVF file.
func (c *corpus) vp8() (frames [][]byte) {
	data := c.of("a.ivf").data[32:]
	for len(data) >= 12 {
		size := int(binary.LittleEndian.Uint32(data))
		frames, data = append(frames, data[12:12+size]), data[12+size:]
	}
	return frames
}

// matroska are Matroska and WebM files that lie.
func (c *corpus) matroska() {
	size := func(w, h uint64) []byte { return element(0xe0, unsigned(0xb0, w), unsigned(0xba, h)) }
	normal := size(64, 48)
	float := func(id uint32, f float64) []byte { return element(id, be64(math.Float64bits(f))) }
	for name, data := range map[string][]byte{
		"wide": c.vp8Film(size(1<<31, 1<<31), nil), "flat": c.vp8Film(size(65535, 1), nil), "none": c.vp8Film(size(0, 0), nil), "crop": c.vp8Film(element(0xe0, unsigned(0xb0, 64), unsigned(0xba, 48), unsigned(0x54aa, 1<<40)), nil),
		"aspect": c.vp8Film(element(0xe0, unsigned(0xb0, 64), unsigned(0xba, 48), unsigned(0x54b0, 1<<40), unsigned(0x54ba, 1)), nil),
	} {
		c.add("absurd dimensions", name+".mkv", Picture, data)
	}
	for name, data := range map[string][]byte{
		"nan": c.vp8Film(normal, float(0x4489, math.NaN())), "infinite": c.vp8Film(normal, float(0x4489, math.Inf(1))), "years": c.vp8Film(normal, float(0x4489, 1e18)), "negative": c.vp8Film(normal, float(0x4489, -1e18)),
	} {
		c.add("absurd durations", name+".mkv", Picture, data)
	}
	for name, data := range map[string][]byte{
		"frame-none": c.vp8Film(slices.Concat(normal, unsigned(0x23e383, 0)), nil), "frame-nano": c.vp8Film(slices.Concat(normal, unsigned(0x23e383, 1)), nil), "frame-age": c.vp8Film(slices.Concat(normal, unsigned(0x23e383, 1<<62)), nil),
		"scale-none": c.vp8Film(normal, unsigned(0x2ad7b1, 0)), "scale-nano": c.vp8Film(normal, unsigned(0x2ad7b1, 1)), "scale-large": c.vp8Film(normal, unsigned(0x2ad7b1, 1<<62)), "scale-day": c.vp8Film(normal, unsigned(0x2ad7b1, 1<<40)),
	} {
		c.add("absurd rates", name+".mkv", Picture, data)
	}
	tag := func(deep int) []byte {
		inner := element(0x45a3, []byte("x"))
		for range deep {
			inner = element(0x67c8, element(0x45a3, []byte("x")), inner)
		}
		return element(0x1254c367, element(0x7373, inner))
	}
	c.add("deep boxes", "tags-1000.mkv", Picture, c.vp8Film(normal, nil, tag(1000)))
	c.add("deep boxes", "tags-4000.mkv", Picture, c.vp8Film(normal, nil, tag(4000)))
	c.add("enormous metadata", "title.mkv", Picture, c.vp8Film(normal, element(0x7ba9, bytes.Repeat([]byte("x"), 8<<20))))
	c.add("enormous metadata", "tags.mkv", Picture, c.vp8Film(normal, nil, element(0x1254c367, element(0x7373, bytes.Repeat(element(0x67c8, element(0x45a3, []byte("k")), element(0x4487, []byte("v"))), 30_000)))))
	c.add("enormous metadata", "chapters.mkv", Picture, c.vp8Film(normal, nil, element(0x1043a770, element(0x45b9, bytes.Repeat(element(0xb6, unsigned(0x73c4, 1), unsigned(0x91, 0), unsigned(0x92, 1<<62)), 20_000)))))
	entry := element(0xae, unsigned(0xd7, 2), unsigned(0x73c5, 2), unsigned(0x83, 1), element(0x86, []byte("V_VP8")), normal)
	for _, n := range []int{63, 5000} {
		c.add("too many tracks", fmt.Sprintf("tracks-%d.mkv", n), Picture, c.vp8Film(normal, nil, element(0x1654ae6b, bytes.Repeat(entry, n))))
	}
	encoding := func(settings []byte) []byte {
		return slices.Concat(normal, element(0x6d80, element(0x6240, unsigned(0x5031, 0), unsigned(0x5032, 1), unsigned(0x5033, 0), element(0x5034, settings))))
	}
	for name, data := range map[string][]byte{
		"unpack": c.vp8Film(encoding(unsigned(0x4254, 0)), nil), "strip": c.vp8Film(encoding(slices.Concat(unsigned(0x4254, 3), element(0x4255, bytes.Repeat([]byte("x"), 1<<20)))), nil),
		"bomb": renamedFrames(c, encoding(unsigned(0x4254, 0)), packed(512<<20)),
	} {
		c.add("packed frames", name+".mkv", Picture, data)
	}
	attachment := func(name, mime string, data []byte) []byte {
		return element(0x1941a469, element(0x61a7, element(0x466e, []byte(name)), element(0x4660, []byte(mime)), element(0x465c, data), unsigned(0x46ae, 1)))
	}
	for name, picture := range bombs() {
		if strings.HasSuffix(name, ".png") {
			c.add("attached pictures that hurt", strings.TrimSuffix(name, ".png")+".mkv", Picture, c.vp8Film(normal, nil, attachment("cover.png", "image/png", picture)))
		}
	}
	good := c.of("a.mkv").data
	for _, id := range []uint32{0x1549a966, 0x1654ae6b, 0x1f43b675, 0x1c53bb6b, 0x114d9b74} {
		c.add("missing index", fmt.Sprintf("no-%x.mkv", id), Picture, renamed(good, string(idOf(id)), "\xec\x00\x00\x00"))
		c.add("box sizes that lie", fmt.Sprintf("open-%x.mkv", id), Picture, patched(good, string(idOf(id)), 4, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
		c.add("box sizes that lie", fmt.Sprintf("large-%x.mkv", id), Picture, patched(good, string(idOf(id)), 4, 0x01, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	}
	c.add("no frames", "no-clusters.mkv", Picture, good[:bytes.Index(good, idOf(0x1f43b675))])
}

// renamedFrames is a film whose first frame is another.
func renamedFrames(c *corpus, track, frame []byte) []byte {
	whole := c.vp8Film(track, nil)
	block := element(0xa3, []byte{0x81, 0, 0, 0x80}, frame)
	return slices.Concat(whole, element(0x1f43b675, unsigned(0xe7, 1000), block))
}
