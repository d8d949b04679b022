package poison

import (
	"bytes"
	"compress/zlib"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
)

// pngChunk is a chunk of PNG with the right checksum.
func pngChunk(kind string, data []byte) []byte {
	sum := crc32.ChecksumIEEE(slices.Concat([]byte(kind), data))
	return slices.Concat(be32(uint32(len(data))), []byte(kind), data, be32(sum))
}

// pngOf is a grey PNG that claims a size and has so many bytes of nought for its
// pixels.
func pngOf(width, height uint32, pixels int, more ...[]byte) []byte {
	var packed bytes.Buffer
	z, _ := zlib.NewWriterLevel(&packed, zlib.BestSpeed) // the level is a valid one
	for chunk := make([]byte, 1<<20); pixels > 0; pixels -= len(chunk) {
		_, _ = z.Write(chunk[:min(pixels, len(chunk))]) // into memory
	}
	_ = z.Close()
	header := slices.Concat(be32(width), be32(height), []byte{8, 0, 0, 0, 0})
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), slices.Concat(more...), pngChunk("IDAT", packed.Bytes()), pngChunk("IEND", nil))
}

// packed is text that zlib made small.
func packed(size int) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(make([]byte, size)) // into memory
	_ = z.Close()
	return b.Bytes()
}

// bombs are pictures that cost much, or lie, by name.
func bombs() map[string][]byte {
	var good, photo bytes.Buffer
	m := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	_ = png.Encode(&good, m) // into memory
	_ = jpeg.Encode(&photo, m, nil)
	wide := image.NewPaletted(image.Rect(0, 0, 4096, 1), color.Palette{color.White})
	var line bytes.Buffer
	_ = png.Encode(&line, wide)
	jpg := photo.Bytes()
	sof := bytes.Index(jpg, []byte{0xff, 0xc0})
	sos := bytes.Index(jpg, []byte{0xff, 0xda})
	dimensions := func(w, h uint16) []byte {
		changed := slices.Clone(jpg)
		copy(changed[sof+5:], []byte{byte(h >> 8), byte(h), byte(w >> 8), byte(w)})
		return changed
	}
	return map[string][]byte{
		"whole.png": good.Bytes(), "line.png": line.Bytes(), "largest.png": pngOf(4096, 3072, 4097*3072),
		"claims.png": pngOf(1<<31-1, 1<<31-1, 1000), "claims-zero.png": pngOf(0, 0, 0), "too-large.png": pngOf(30000, 30000, 1000),
		"short.png": pngOf(4096, 3072, 1000), "long.png": pngOf(16, 16, 64<<20), "cut.png": good.Bytes()[:good.Len()/2],
		"text.png":  pngOf(16, 16, 17*16, slices.Repeat(pngChunk("zTXt", append([]byte("k\x00\x00"), packed(4<<20)...)), 20)),
		"icc.png":   pngOf(16, 16, 17*16, pngChunk("iCCP", append([]byte("k\x00\x00"), packed(256<<20)...))),
		"apng.png":  pngOf(16, 16, 17*16, pngChunk("acTL", slices.Concat(be32(0xffffffff), be32(0)))),
		"many.png":  pngOf(16, 16, 17*16, slices.Repeat(pngChunk("tEXt", []byte("k\x00v")), 200_000)),
		"whole.jpg": jpg, "cut.jpg": jpg[:len(jpg)*2/3], "claims.jpg": dimensions(65535, 65535), "largest.jpg": dimensions(4096, 3072),
		"zero.jpg": dimensions(0, 0), "scans.jpg": scans(2000), "segments.jpg": slices.Concat(jpg[:sos], slices.Repeat([]byte("\xff\xe1\xff\xffExif"+strings.Repeat("\x00", 0xfffd-4)), 100), jpg[sos:]),
		"gif.png": []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00;"), "svg.png": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>`),
		"empty.png": {}, "pdf.jpg": []byte("%PDF-1.7"), "m3u8.png": []byte("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
	}
}

// scans is a progressive JPEG of the largest size whose picture is gone over so
// many times, each time for a few bytes.
func scans(times int) []byte {
	var b bytes.Buffer
	b.WriteString("\xff\xd8")
	b.WriteString("\xff\xdb\x00\x43\x00" + strings.Repeat("\x01", 64))
	b.WriteString("\xff\xc2\x00\x0b\x08\x0c\x00\x10\x00\x01\x01\x11\x00") // progressive, 3072 lines of 4096, grey
	// Two Huffman tables with one code each, of one bit: a difference of nought,
	// and a run of 32767 blocks without a change.
	b.WriteString("\xff\xc4\x00\x14\x00\x01" + strings.Repeat("\x00", 15) + "\x00")
	b.WriteString("\xff\xc4\x00\x14\x10\x01" + strings.Repeat("\x00", 15) + "\xe0")
	const blocks = 4096 / 8 * 3072 / 8
	b.WriteString("\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + strings.Repeat("\x00", blocks/8)) // DC
	for range times {
		// A run's code and 14 more bits, each nought: runs of 16384 blocks.
		b.WriteString("\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00" + strings.Repeat("\x00", blocks/16384*15/8+3))
	}
	b.WriteString("\xff\xd9")
	return b.Bytes()
}

// pictures are given to jobs as watermarks, as those of albums, and as media.
func (c *corpus) pictures() {
	for name, data := range bombs() {
		c.add("watermarks that hurt", name, Mark, data)
		c.add("art that hurts", name, Album, data)
		c.add("pictures as media", name, Picture, data)
	}
}
