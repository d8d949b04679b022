package cover

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"sealreel/pkg/still"
)

// MP4 is the box udta with the pictures, as iTunes has them and players read
// them: moov/udta/meta/ilst/covr.
func MP4(covers []Cover) (Block, error) {
	var items Block
	for i, c := range covers {
		const jpeg, png = 13, 14 // types of data
		kind := uint32(jpeg)
		if c.Format == still.PNG {
			kind = png
		}
		data := binary.BigEndian.AppendUint32(nil, kind)
		data = binary.BigEndian.AppendUint32(data, 0) // no locale
		items = append(items, box("data", Block{{bytes: data}, {cover: &covers[i]}})...)
	}
	handler := append(make([]byte, 8), "mdirappl"...)
	handler = append(handler, make([]byte, 9)...) // reserved, and no name
	meta := Block{{bytes: make([]byte, 4)}}       // version and flags
	meta = append(meta, box("hdlr", Block{{bytes: handler}})...)
	meta = append(meta, box("ilst", box("covr", items))...)
	b := box("udta", box("meta", meta))
	if size := b.Size(); size > math.MaxInt32 {
		return nil, fmt.Errorf("%w: mp4, %d bytes in all", ErrTooLarge, size)
	}
	return b, nil
}

// box puts a header in front. What is too long for its size is refused by whoever
// makes the outermost.
func box(name string, content Block) Block {
	header := append(binary.BigEndian.AppendUint32(nil, uint32(8+content.Size())), name...)
	return append(Block{{bytes: header}}, content...)
}

// maxFLAC is the length of a metadata block, which has 24 bits.
const maxFLAC = 1<<24 - 1

// FLAC are metadata blocks of pictures (FLAC format, METADATA_BLOCK_PICTURE),
// none of which is the file's last metadata block.
func FLAC(covers []Cover) (Block, error) {
	var all Block
	for i, c := range covers {
		const picture, depth = 6, 24 // bits of a pixel; of a PNG with transparency it is 32
		head := binary.BigEndian.AppendUint32(nil, uint32(kind(i)))
		head = text(head, mime(c.Format))
		head = text(head, "") // no description
		for _, n := range []int{c.Width, c.Height, depth, 0} {
			head = binary.BigEndian.AppendUint32(head, uint32(n))
		}
		head = binary.BigEndian.AppendUint32(head, uint32(c.Size))
		size := int64(len(head)) + c.Size
		if size > maxFLAC {
			return nil, fmt.Errorf("%w: flac, picture %d of %d bytes", ErrTooLarge, i+1, c.Size)
		}
		header := binary.BigEndian.AppendUint32(nil, picture<<24|uint32(size))
		all = append(all, piece{bytes: append(header, head...)}, piece{cover: &covers[i]})
	}
	return all, nil
}

// text is a string with its length in front.
func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// maxID3 is the length of a tag, which has 28 bits.
const maxID3 = 1<<28 - 1

// ID3 is a tag of version 2.3 with the pictures, which goes in front of an MP3.
// It is the version that every player reads.
func ID3(covers []Cover) (Block, error) {
	var frames Block
	for i, c := range covers {
		description := ""
		if i > 0 { // no two may have the same
			description = strconv.Itoa(i + 1)
		}
		head := append([]byte{0}, mime(c.Format)...) // in ISO 8859-1
		head = append(head, 0, kind(i))
		head = append(append(head, description...), 0)
		header := append([]byte("APIC"), binary.BigEndian.AppendUint32(nil, uint32(int64(len(head))+c.Size))...)
		header = append(header, 0, 0) // no flags
		frames = append(frames, piece{bytes: append(header, head...)}, piece{cover: &covers[i]})
	}
	size := frames.Size()
	if size > maxID3 {
		return nil, fmt.Errorf("%w: mp3, %d bytes in all", ErrTooLarge, size)
	}
	header := []byte{'I', 'D', '3', 3, 0, 0, byte(size >> 21 & 0x7f), byte(size >> 14 & 0x7f), byte(size >> 7 & 0x7f), byte(size & 0x7f)}
	return append(Block{{bytes: header}}, frames...), nil
}
