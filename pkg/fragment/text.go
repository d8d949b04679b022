package fragment

import "fmt"

// leastTimedText is the length of a tx3g before the boxes in it (3GPP TS 26.245,
// 5.16).
const leastTimedText = 8 + 4 + 2 + 4 + 8 + 12

// timedText reads a tx3g. How texts look is left in SampleEntry.
func (t *Track) timedText(body []byte) error {
	if len(body) < leastTimedText {
		return fmt.Errorf("tx3g of %d bytes", len(body))
	}
	t.Kind, t.Coding, t.Codec = Text, TimedText, "tx3g"
	return nil
}
