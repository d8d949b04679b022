package fragment

import "fmt"

// defaults are of a track's samples where a fragment says nothing else (trex).
type defaults struct {
	duration, size, flags uint32
}

// parseInit reads the body of a moov with one track.
func parseInit(moov []byte) (*Track, uint32, defaults, error) {
	fail := func(err error) (*Track, uint32, defaults, error) { return nil, 0, defaults{}, err }
	traks, err := children(moov, "trak")
	if err != nil {
		return fail(err)
	}
	if len(traks) != 1 {
		return fail(fmt.Errorf("%w: %d tracks: each stream carries one", ErrMalformed, len(traks)))
	}
	id, err := trackID(traks[0].body)
	if err != nil {
		return fail(err)
	}
	timescale, err := mediaTimescale(traks[0].body)
	if err != nil {
		return fail(err)
	}
	entry, err := sampleEntry(traks[0].body)
	if err != nil {
		return fail(err)
	}
	track, err := NewTrack(timescale, entry)
	if err != nil {
		return fail(err)
	}
	d, err := trackDefaults(moov, id)
	if err != nil {
		return fail(err)
	}
	return track, id, d, nil
}

func trackID(trak []byte) (uint32, error) {
	tkhd, err := descend(trak, "tkhd")
	if err != nil {
		return 0, err
	}
	f := fields{b: tkhd}
	if version, _ := f.full(); version == 1 {
		f.take(16)
	} else {
		f.take(8)
	}
	return f.u32(), f.err("tkhd")
}

func mediaTimescale(trak []byte) (uint32, error) {
	mdhd, err := descend(trak, "mdia", "mdhd")
	if err != nil {
		return 0, err
	}
	f := fields{b: mdhd}
	if version, _ := f.full(); version == 1 {
		f.take(16)
	} else {
		f.take(8)
	}
	return f.u32(), f.err("mdhd")
}

// sampleEntry returns the raw box of the only sample description.
func sampleEntry(trak []byte) ([]byte, error) {
	stsd, err := descend(trak, "mdia", "minf", "stbl", "stsd")
	if err != nil {
		return nil, err
	}
	f := fields{b: stsd}
	f.full()
	count := f.u32()
	if err := f.err("stsd"); err != nil {
		return nil, err
	}
	if count != 1 {
		return nil, fmt.Errorf("%w: %d sample descriptions where one must be", ErrMalformed, count)
	}
	if len(f.b) == 0 {
		return nil, fmt.Errorf("%w: empty stsd", ErrMalformed)
	}
	entry, _, err := cut(f.b)
	return entry.raw, err
}

func trackDefaults(moov []byte, id uint32) (defaults, error) {
	mvex, err := descend(moov, "mvex")
	if err != nil {
		return defaults{}, err
	}
	all, err := children(mvex, "trex")
	if err != nil {
		return defaults{}, err
	}
	for _, trex := range all {
		f := fields{b: trex.body}
		f.full()
		track := f.u32()
		f.u32() // sample description: there is only one
		d := defaults{duration: f.u32(), size: f.u32(), flags: f.u32()}
		if err := f.err("trex"); err != nil {
			return defaults{}, err
		}
		if track == id {
			return d, nil
		}
	}
	return defaults{}, fmt.Errorf("%w: no trex of track %d", ErrMalformed, id)
}
