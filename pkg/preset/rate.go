package preset

import (
	"math"

	"sealreel/pkg/rational"
)

// defaultMaxRate bounds a FrameRate of auto without MaxFrameRate (API:
// MaxFrameRate).
const defaultMaxRate = "30"

// nearlyTheSame is how far above the bound a source's rate may lie and still
// count as the bound: clocks of recorders are off by less than this, and 30
// against 29.97 by ten times as much.
var nearlyTheSame = rational.New(10001, 10000)

// FrameRateFor is the frame rate of the output, in frames a second.
//
// A fixed FrameRate is taken as it is. For auto it is the source's, or where
// that is above MaxFrameRate the highest rate not above it that divides the
// source's evenly: 50 becomes 25, 59.94 becomes 29.97. Without a known source
// rate it is MaxFrameRate. MPEG-2 has few rates: its auto is the nearest that it
// has.
func FrameRateFor(v *Video, source rational.Rational) rational.Rational {
	rate := frameRateFor(v, source)
	if v.Codec == "mpeg2" {
		return nearest(rate, mpeg2Rates)
	}
	return rate
}

// mpeg2Rates are those that every player of MPEG-2 has (ISO/IEC 13818-2, table
// 6-4), and those that presets may ask for besides, which need the extension of
// the sequence's header.
var mpeg2Rates = []rational.Rational{rational.Int(10), rational.Int(15), rational.New(24000, 1001), rational.Int(24),
	rational.Int(25), rational.New(30000, 1001), rational.Int(30), rational.Int(50), rational.New(60000, 1001), rational.Int(60)}

func nearest(rate rational.Rational, of []rational.Rational) rational.Rational {
	best := of[0]
	for _, r := range of[1:] {
		if math.Abs(r.Float64()-rate.Float64()) < math.Abs(best.Float64()-rate.Float64()) {
			best = r
		}
	}
	return best
}

func frameRateFor(v *Video, source rational.Rational) rational.Rational {
	if v.FrameRate != "" && v.FrameRate != "auto" {
		return rateNamed(v.FrameRate)
	}
	name := v.MaxFrameRate
	if name == "" {
		name = defaultMaxRate
	}
	most := rateNamed(name)
	switch {
	case source.Sign() <= 0:
		return most
	case source.Cmp(most) <= 0:
		return source
	case source.Cmp(most.Mul(nearlyTheSame)) <= 0:
		return most
	}
	return source.Div(rational.Int(source.Div(most).Ceil(1)))
}

// rateNamed is the rate that a preset writes: the decimals stand for the
// rates of colour television, 24000/1001 and 30000/1001.
func rateNamed(name string) rational.Rational {
	switch name {
	case "23.97":
		return rational.New(24000, 1001)
	case "29.97":
		return rational.New(30000, 1001)
	}
	r, err := rational.Parse(name)
	if err != nil || r.Sign() <= 0 {
		panic("preset: frame rate " + name + " was not checked by Parse")
	}
	return r
}
