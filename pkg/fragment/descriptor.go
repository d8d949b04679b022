package fragment

import "fmt"

// Tags of descriptors in esds (ISO/IEC 14496-1, table 1).
const (
	elementaryStream = 0x03
	decoderConfig    = 0x04
	decoderSpecific  = 0x05
)

// objectType is what an esds says of the stream's format.
func objectType(esds []byte) (byte, error) {
	object, _, err := decoder(esds)
	return object, err
}

// decoder is what an esds says of the stream's format, and the configuration of
// its decoder, nil where there is none.
func decoder(esds []byte) (object byte, config []byte, err error) {
	f := fields{b: esds}
	f.full()
	stream, err := descriptor(f.b, elementaryStream)
	if err != nil {
		return 0, nil, err
	}
	f = fields{b: stream}
	f.take(2) // the stream's number
	flags := f.take(1)[0]
	if flags&0x80 != 0 {
		f.take(2) // of the stream that it depends on
	}
	if flags&0x40 != 0 {
		f.take(int(f.take(1)[0])) // URL
	}
	if flags&0x20 != 0 {
		f.take(2) // clock
	}
	said, err := descriptor(f.b, decoderConfig)
	if err != nil {
		return 0, nil, err
	}
	f = fields{b: said}
	object = f.take(1)[0]
	f.take(12) // kind of stream, buffer and bit rates
	if f.short {
		return 0, nil, fmt.Errorf("esds whose decoder's descriptor ends too early")
	}
	if len(f.b) > 0 && f.b[0] == decoderSpecific {
		config, err = descriptor(f.b, decoderSpecific)
	}
	return object, config, err
}

// descriptor is the body of the first descriptor in b, which must have the tag.
// Its length is written in at most four bytes of seven bits.
func descriptor(b []byte, tag byte) ([]byte, error) {
	if len(b) == 0 || b[0] != tag {
		return nil, fmt.Errorf("esds without its descriptor %d", tag)
	}
	length := 0
	for i := 1; i <= 4 && i < len(b); i++ {
		length = length<<7 | int(b[i]&0x7f)
		if b[i]&0x80 != 0 {
			continue
		}
		if length > len(b)-i-1 {
			break
		}
		return b[i+1 : i+1+length], nil
	}
	return nil, fmt.Errorf("esds whose descriptor %d ends too early", tag)
}
