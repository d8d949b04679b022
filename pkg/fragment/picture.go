package fragment

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/Eyevinn/mp4ff/avc"
)

// visualHead is the length of a visual sample entry in front of the boxes in it
// (ISO/IEC 14496-12, 12.1.3.2), without its own header.
const visualHead = 78

// picture reads what all visual sample entries have, and returns the boxes in
// it.
func (t *Track) picture(body []byte) ([]byte, error) {
	if len(body) < visualHead {
		return nil, fmt.Errorf("sample entry of %d bytes", len(body))
	}
	t.Kind = Video
	t.Width, t.Height = int(binary.BigEndian.Uint16(body[24:])), int(binary.BigEndian.Uint16(body[26:]))
	if t.Width == 0 || t.Height == 0 {
		return nil, fmt.Errorf("a picture of %d x %d", t.Width, t.Height)
	}
	inner := body[visualHead:]
	t.SARWidth, t.SARHeight = 1, 1
	shapes, err := children(inner, "pasp")
	if err != nil {
		return nil, err
	}
	for _, pasp := range shapes {
		f := fields{b: pasp.body}
		if w, h := f.u32(), f.u32(); !f.short && w > 0 && h > 0 {
			t.SARWidth, t.SARHeight = w, h
		}
	}
	return inner, nil
}

// only is the body of the one box of a name that a sample entry must have.
func only(inner []byte, name string) ([]byte, error) {
	found, err := children(inner, name)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("sample entry with %d boxes %q where one must be", len(found), name)
	}
	return found[0].body, nil
}

// h264 reads an avc1 (ISO/IEC 14496-15, 5.4.2).
func (t *Track) h264(body []byte) error {
	inner, err := t.picture(body)
	if err != nil {
		return err
	}
	config, err := only(inner, "avcC")
	if err != nil {
		return err
	}
	c, err := avc.DecodeAVCDecConfRec(config)
	if err != nil {
		return fmt.Errorf("avcC: %w", err)
	}
	if len(c.SPSnalus) == 0 || len(c.PPSnalus) == 0 {
		return fmt.Errorf("avcC has %d SPS and %d PPS: both must be in front of the stream", len(c.SPSnalus), len(c.PPSnalus))
	}
	for _, nalu := range slices.Concat(c.SPSnalus, c.PPSnalus) {
		if len(nalu) == 0 {
			return fmt.Errorf("empty parameter set in avcC")
		}
	}
	t.Coding = H264
	t.Codec = fmt.Sprintf("avc1.%02X%02X%02X", c.AVCProfileIndication, c.ProfileCompatibility, c.AVCLevelIndication)
	t.Config, t.SPS, t.PPS = config, c.SPSnalus, c.PPSnalus
	return nil
}

// objectTypes are the codings of mp4v by the object types of its stream descriptor:
// MPEG-2 video of any profile, and still pictures (ISO/IEC 14496-1, table 5, and
// the types that the registration authority of MP4 adds).
var objectTypes = map[byte]Coding{
	0x60: MPEG2, 0x61: MPEG2, 0x62: MPEG2, 0x63: MPEG2, 0x64: MPEG2, 0x65: MPEG2,
	0x6C: JPEG, 0x6D: PNG,
}

// described reads an mp4v, which says what is in it by its stream descriptor.
func (t *Track) described(body []byte) error {
	inner, err := t.picture(body)
	if err != nil {
		return err
	}
	esds, err := only(inner, "esds")
	if err != nil {
		return err
	}
	object, err := objectType(esds)
	if err != nil {
		return err
	}
	coding, known := objectTypes[object]
	if !known {
		return fmt.Errorf("mp4v of object type %#x, which is neither MPEG-2 video nor still pictures", object)
	}
	t.Coding = coding
	t.Codec = fmt.Sprintf("mp4v.%02x", object)
	return nil
}

// vp8 and vp9 read what the VP codecs' binding to MP4 defines.
func (t *Track) vp8(body []byte) error { return t.vp(body, VP8, "vp08") }
func (t *Track) vp9(body []byte) error { return t.vp(body, VP9, "vp09") }

func (t *Track) vp(body []byte, coding Coding, name string) error {
	inner, err := t.picture(body)
	if err != nil {
		return err
	}
	config, err := only(inner, "vpcC")
	if err != nil {
		return err
	}
	// Version and flags, then profile, level and, in four bits, the depth.
	if len(config) < 7 || config[0] != 1 {
		return fmt.Errorf("vpcC of %d bytes, or of another version than 1", len(config))
	}
	t.Coding, t.Config = coding, config
	t.Codec = fmt.Sprintf("%s.%02d.%02d.%02d", name, config[4], config[5], config[6]>>4)
	return nil
}
