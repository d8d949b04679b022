package ts

import (
	"bytes"
	"errors"
	"testing"

	"sealreel/pkg/fragment"
)

func TestAnnexB(t *testing.T) {
	sets := [][]byte{{0x67, 1}, {0x68, 2}}
	begin := "\x00\x00\x00\x01\x09\xf0"
	for _, c := range []struct {
		name   string
		sample string
		sets   [][]byte
		want   string
	}{
		{"slice", "\x00\x00\x00\x02\x41\xaa", nil, begin + "\x00\x00\x01\x41\xaa"},
		{"keyframe", "\x00\x00\x00\x02\x65\xaa", sets, begin + "\x00\x00\x00\x01\x67\x01\x00\x00\x00\x01\x68\x02\x00\x00\x01\x65\xaa"},
		{"two units", "\x00\x00\x00\x01\x06\x00\x00\x00\x02\x65\xaa", nil, begin + "\x00\x00\x01\x06\x00\x00\x01\x65\xaa"},
		{"own delimiter", "\x00\x00\x00\x02\x09\x10\x00\x00\x00\x01\x41", nil, begin + "\x00\x00\x01\x41"},
		{"own parameter sets", "\x00\x00\x00\x02\x67\x09\x00\x00\x00\x02\x68\x09\x00\x00\x00\x01\x65", sets,
			begin + "\x00\x00\x00\x01\x67\x09\x00\x00\x00\x01\x68\x09\x00\x00\x01\x65"},
	} {
		got, err := appendAnnexB(nil, []byte(c.sample), c.sets)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: % x, %v, want % x", c.name, got, err, c.want)
		}
	}
}

func TestADTSHeader(t *testing.T) {
	a, err := newADTS(&fragment.Track{Kind: fragment.Audio, Coding: fragment.AAC, ObjectType: 2, SampleRate: 44100, Channels: 2})
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.append(nil, make([]byte, 0x155))
	if err != nil {
		t.Fatal(err)
	}
	// 0x155 + 7 = 0x15c = 0b0_0001_0101_1100 in 13 bits.
	if want := []byte{0xff, 0xf1, 0x50, 0x80, 0x2b, 0x9f, 0xfc}; !bytes.Equal(got[:7], want) || len(got) != 0x15c {
		t.Errorf("header % x, want % x", got[:7], want)
	}
}

func TestTableChecksum(t *testing.T) {
	if got := checksum([]byte("123456789")); got != 0x0376e6e7 {
		t.Errorf("CRC-32/MPEG-2 of the check string is %#x", got)
	}
}

// TestEveryPESSizeFillsWholePackets: whatever the size, the first packet, the
// number of packets and what the adaptation field holds, the payloads together
// are the data.
func TestEveryPESSizeFillsWholePackets(t *testing.T) {
	fields := map[string][]field{
		"nothing": nil, "access": {{randomAccess: true, clock: -1}}, "clock": {{clock: 5}},
		"both, later again": {{randomAccess: true, clock: 5}, none, {clock: 7}},
	}
	for name, fs := range fields {
		for size := ptsDTSHeader + 1; size < 1200; size++ {
			for _, least := range []int{1, packetsFor(size, fs...), packetsFor(size, fs...) + 15} {
				if err := roundTrip(size, least, fs); err != nil {
					t.Fatalf("%s, %d bytes over %d packets: %v", name, size, least, err)
				}
			}
		}
	}
}

func roundTrip(size, least int, fs []field) error {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i*7 + 1)
	}
	var out bytes.Buffer
	z := newPacketizer(&out)
	s := &stream{pid: 0x123}
	if err := errors.Join(z.pes(s, data, ptsDTSHeader, least, fs...), z.w.Flush()); err != nil {
		return err
	}
	packets := out.Len() / PacketSize
	if out.Len()%PacketSize != 0 || packets != max(packetsFor(size, fs...), min(least, size-ptsDTSHeader+1)) {
		return errors.New("wrong number of packets")
	}
	var got []byte
	for p := range packets {
		b := out.Bytes()[p*PacketSize:][:PacketSize]
		payload := b[4:]
		if b[3]&0x20 != 0 {
			payload = payload[1+int(payload[0]):]
		}
		if (b[1]&0x40 != 0) != (p == 0) || p == 0 && len(payload) < ptsDTSHeader || len(payload) == 0 || b[3]&0x1f != 0x10|byte(p&15) {
			return errors.New("wrong header")
		}
		got = append(got, payload...)
	}
	if !bytes.Equal(got, data) {
		return errors.New("other payload")
	}
	return nil
}

func FuzzWriteVideo(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02\x65\xaa"), true, int64(0), int64(-9))
	f.Add([]byte("\x00\x00\x00\x02\x09\x10\x00\x00\x00\x01\x41"), false, int64(1)<<40, int64(3))
	f.Fuzz(func(t *testing.T, data []byte, key bool, pts, dts int64) {
		var out bytes.Buffer
		w, err := NewWriter(&out, Config{Video: &fragment.Track{Kind: fragment.Video, SPS: [][]byte{{0x67}}, PPS: [][]byte{{0x68}}}})
		if err != nil {
			t.Fatal(err)
		}
		err = w.WriteVideo(fragment.Sample{Data: data, Key: key}, pts%(1<<50), dts%(1<<50))
		if err == nil {
			err = w.Close()
		}
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
		if err == nil && out.Len()%PacketSize != 0 {
			t.Fatalf("%d bytes", out.Len())
		}
	})
}
