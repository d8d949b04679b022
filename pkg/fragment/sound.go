package fragment

import (
	"bytes"
	"fmt"

	"github.com/Eyevinn/mp4ff/aac"
	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// aac reads an mp4a.
func (t *Track) aac([]byte) error {
	decoded, err := mp4.DecodeBoxSR(0, bits.NewFixedSliceReader(t.SampleEntry))
	if err != nil {
		return err
	}
	entry, ok := decoded.(*mp4.AudioSampleEntryBox)
	if !ok || entry.Esds == nil || entry.Esds.DecConfigDescriptor == nil || entry.Esds.DecConfigDescriptor.DecSpecificInfo == nil {
		return fmt.Errorf("mp4a without a decoder's configuration")
	}
	t.Config = entry.Esds.DecConfigDescriptor.DecSpecificInfo.DecConfig
	asc, err := aac.DecodeAudioSpecificConfig(bytes.NewReader(t.Config))
	if err != nil {
		return fmt.Errorf("AudioSpecificConfig: %w", err)
	}
	t.Kind, t.Coding = Audio, AAC
	t.ObjectType = int(asc.ObjectType)
	t.Codec = fmt.Sprintf("mp4a.40.%d", asc.ObjectType)
	t.SampleRate = asc.SamplingFrequency
	t.Channels = int(asc.ChannelConfiguration)
	if t.Channels == 7 {
		t.Channels = 8
	}
	if t.SampleRate <= 0 || t.Channels < 1 || t.Channels > 8 {
		return fmt.Errorf("AudioSpecificConfig: %d Hz, channel configuration %d", t.SampleRate, asc.ChannelConfiguration)
	}
	return nil
}
