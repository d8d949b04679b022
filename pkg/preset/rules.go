package preset

import (
	"fmt"
	"strconv"

	"sealreel/pkg/document"
	"sealreel/pkg/rational"
)

// Rules of scalars, as the API's model and its texts have them.
var (
	sampleRates   = []string{"22050", "32000", "44100", "48000", "96000", "192000"}
	frameRates    = []string{"10", "15", "23.97", "24", "25", "29.97", "30", "50", "60"}
	aspectRatio   = document.OneOf("auto", "1:1", "4:3", "3:2", "16:9")
	sizingPolicy  = document.OneOf("Fit", "Fill", "Stretch", "Keep", "ShrinkToFit", "ShrinkToFill")
	paddingPolicy = document.OneOf("Pad", "NoPad")

	idRule          = document.Pattern(`^\d{13}-\w{6}$`)
	audioBitRate    = document.Pattern(`^\d{1,3}$`)
	resolutionForm  = document.Pattern(`(^auto$)|(^\d{1,5}x\d{1,5}$)`)
	sizeForm        = document.Pattern(`^\d{1,5}x\d{1,5}$`)
	interval        = document.Pattern(`^\d{1,5}$`)
	bitRate         = document.Pattern(`(^\d{2,5}$)|(^auto$)`)
	pixelsOrPercent = document.Pattern(`(^\d{1,3}(\.\d{0,5})?%$)|(^\d{1,4}?px$)`)
	opacity         = document.Pattern(`^\d{1,3}(\.\d{0,20})?$`)
)

// limits are the sizes in pixels that a member may have.
type limits struct{ leastWidth, mostWidth, leastHeight, mostHeight int }

var (
	sizeLimits      = limits{128, 4096, 96, 3072}
	thumbnailLimits = limits{32, 4096, 32, 3072}
)

func between(least, most int) document.Rule {
	return func(value string) string {
		if n, err := strconv.Atoi(value); err != nil || n < least || n > most || value[0] < '0' {
			return fmt.Sprintf("Member must be a whole number from %d to %d", least, most)
		}
		return ""
	}
}

func autoOrEven(least, most int) document.Rule {
	return func(value string) string {
		if value == "auto" {
			return ""
		}
		if between(least, most)(value) != "" || number(value)%2 != 0 {
			return fmt.Sprintf("Member must be auto or an even number of pixels from %d to %d", least, most)
		}
		return ""
	}
}

func resolution(l limits) document.Rule {
	return func(value string) string {
		if value == "auto" {
			return ""
		}
		w, h, ok := splitResolution(value)
		if !ok || autoOrEven(l.leastWidth, l.mostWidth)(strconv.Itoa(w)) != "" || autoOrEven(l.leastHeight, l.mostHeight)(strconv.Itoa(h)) != "" {
			return fmt.Sprintf("Member must be auto or WIDTHxHEIGHT, even numbers of pixels from %dx%d to %dx%d",
				l.leastWidth, l.leastHeight, l.mostWidth, l.mostHeight)
		}
		return ""
	}
}

// highestRateFactor is x264's for 8 bits a sample.
const highestRateFactor = 51

var rateFactorForm = document.Pattern(`^\d{1,2}(\.\d{1,2})?$`)

func rateFactor(value string) string {
	f, err := rational.Parse(value)
	if err != nil || rateFactorForm(value) != "" || rational.Int(highestRateFactor).Less(f) {
		return fmt.Sprintf("Member must be a number from 0 (lossless) to %d", highestRateFactor)
	}
	return ""
}
