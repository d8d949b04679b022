package fragment

import "fmt"

// Flags of tfhd and trun (ISO/IEC 14496-12, 8.8.7 and 8.8.8) and of samples.
const (
	tfhdBaseDataOffset  = 0x000001
	tfhdDescription     = 0x000002
	tfhdDuration        = 0x000008
	tfhdSize            = 0x000010
	tfhdFlags           = 0x000020
	trunDataOffset      = 0x000001
	trunFirstFlags      = 0x000004
	trunDuration        = 0x000100
	trunSize            = 0x000200
	trunFlags           = 0x000400
	trunCompositionTime = 0x000800

	sampleIsNonSync = 0x00010000
)

// extent is where a sample's data lies, counted from the start of its moof.
type extent struct {
	offset, size int64
}

// run collects the samples of a moof.
type run struct {
	samples []Sample
	extents []extent
	bytes   int64
	dts     int64
	offset  int64 // of the next sample's data
}

// parseMoof reads the body of a moof: its samples without their data, and where
// that is.
func parseMoof(moof []byte, id uint32, d defaults) (*run, error) {
	traf, err := descend(moof, "traf")
	if err != nil {
		return nil, err
	}
	tfhd, err := descend(traf, "tfhd")
	if err != nil {
		return nil, err
	}
	if d, err = parseTfhd(tfhd, id, d); err != nil {
		return nil, err
	}
	r := &run{}
	tfdt, err := descend(traf, "tfdt")
	if err != nil {
		return nil, err
	}
	if r.dts, err = parseTfdt(tfdt); err != nil {
		return nil, err
	}
	truns, err := children(traf, "trun")
	if err != nil {
		return nil, err
	}
	for _, trun := range truns {
		if err := r.add(trun.body, d); err != nil {
			return nil, err
		}
	}
	if len(r.samples) == 0 {
		return nil, fmt.Errorf("%w: fragment without samples", ErrMalformed)
	}
	return r, nil
}

func parseTfhd(tfhd []byte, id uint32, d defaults) (defaults, error) {
	f := fields{b: tfhd}
	_, flags := f.full()
	if track := f.u32(); track != id && !f.short {
		return d, fmt.Errorf("%w: fragment of track %d in a stream of track %d", ErrMalformed, track, id)
	}
	if flags&tfhdBaseDataOffset != 0 {
		return d, fmt.Errorf("%w: data addressed from the start of the file: ask the muxer for default_base_moof", ErrMalformed)
	}
	if flags&tfhdDescription != 0 {
		f.u32()
	}
	if flags&tfhdDuration != 0 {
		d.duration = f.u32()
	}
	if flags&tfhdSize != 0 {
		d.size = f.u32()
	}
	if flags&tfhdFlags != 0 {
		d.flags = f.u32()
	}
	return d, f.err("tfhd")
}

func parseTfdt(tfdt []byte) (int64, error) {
	f := fields{b: tfdt}
	var dts uint64
	if version, _ := f.full(); version == 1 {
		dts = f.u64()
	} else {
		dts = uint64(f.u32())
	}
	if err := f.err("tfdt"); err != nil {
		return 0, err
	}
	if dts > maxTime {
		return 0, fmt.Errorf("%w: decode time %d is out of reach", ErrMalformed, dts)
	}
	return int64(dts), nil
}

// add appends the samples of one trun.
func (r *run) add(trun []byte, d defaults) error {
	f := fields{b: trun}
	version, flags := f.full()
	count := f.u32()
	if count > uint32(MaxSamples-len(r.samples)) {
		return fmt.Errorf("%w: more than %d samples", ErrTooLarge, MaxSamples)
	}
	if flags&trunDataOffset != 0 {
		r.offset = int64(int32(f.u32()))
	}
	first := d.flags
	if flags&trunFirstFlags != 0 {
		first = f.u32()
	}
	for i := range count {
		s := d
		if i == 0 {
			s.flags = first
		}
		if flags&trunDuration != 0 {
			s.duration = f.u32()
		}
		if flags&trunSize != 0 {
			s.size = f.u32()
		}
		if flags&trunFlags != 0 {
			s.flags = f.u32()
		}
		var composition int64
		if flags&trunCompositionTime != 0 {
			composition = compositionOffset(f.u32(), version)
		}
		if f.short {
			break
		}
		r.place(s, composition)
		if r.bytes > MaxFragment {
			return fmt.Errorf("%w: more than %d bytes of samples", ErrTooLarge, MaxFragment)
		}
	}
	return f.err("trun")
}

func (r *run) place(s defaults, composition int64) {
	r.samples = append(r.samples, Sample{
		DTS: r.dts, PTS: r.dts + composition, Duration: int64(s.duration),
		Key: s.flags&sampleIsNonSync == 0,
	})
	r.extents = append(r.extents, extent{r.offset, int64(s.size)})
	r.dts += int64(s.duration)
	r.offset += int64(s.size)
	r.bytes += int64(s.size)
}

// compositionOffset is unsigned in version 0 and signed in version 1.
func compositionOffset(v uint32, version byte) int64 {
	if version == 0 {
		return int64(v)
	}
	return int64(int32(v))
}
