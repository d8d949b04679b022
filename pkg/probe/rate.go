package probe

import (
	"math"
	"slices"

	"sealreel/pkg/rational"
)

// standardRates are the frame rates that a rate is rounded to when the frames
// alone do not fix it.
var standardRates = []rational.Rational{
	rational.Int(10), rational.Int(12), rational.New(25, 2), rational.Int(15), rational.Int(20),
	rational.New(24000, 1001), rational.Int(24), rational.Int(25),
	rational.New(30000, 1001), rational.Int(30), rational.Int(48), rational.Int(50),
	rational.New(60000, 1001), rational.Int(60), rational.Int(100),
	rational.New(120000, 1001), rational.Int(120),
}

// highest and slowest bound the rates that are taken on trust, where the frames
// do not prove them: a rate so slow that one frame fills a day makes a day's
// output of it.
const (
	highest = 120
	slowest = 0.001
)

// ticks is the length of a frame in units of the time base.
func ticks(rate, base rational.Rational) rational.Rational { return rate.Mul(base).Inv() }

// plausible says whether a rate that a container claims can be meant as one.
// 90000 is a time base and no frame rate.
func plausible(rate rational.Rational) bool {
	return rate.Sign() > 0 && rate.Float64() >= slowest && rate.Float64() <= highest
}

// frameRate finds the rate of frames shown at the given ascending times, and
// whether it is constant. The claims are tried first, since rounded times fit
// more than one rate; the length is that of a single frame, or 0, which a claim
// must not make twice as long.
func frameRate(times []int64, base rational.Rational, length int64, claims ...rational.Rational) (rate rational.Rational, constant bool) {
	candidates := slices.DeleteFunc(slices.Concat(claims, standardRates), func(r rational.Rational) bool {
		return r.Sign() <= 0
	})
	if len(times) < 2 {
		for _, r := range candidates[:len(candidates)-len(standardRates)] {
			if step := ticks(r, base); plausible(r) && (length == 0 || step.Float64() <= 2*float64(length)) {
				return r, true
			}
		}
		if length > 0 {
			return nearestRate(1 / (float64(length) * base.Float64())), true
		}
		return rational.Int(25), true
	}
	for _, r := range candidates {
		if evenly(times, ticks(r, base)) {
			return r, true
		}
	}
	return nearestRate(1 / (shortInterval(times) * base.Float64())), false
}

// evenly says whether times lie a step apart. Each may be off by a tick, having
// been rounded, if a tick is small against the step.
func evenly(times []int64, step rational.Rational) bool {
	if step.Less(rational.Int(1)) {
		return false
	}
	slack := int64(0)
	if !step.Less(rational.Int(4)) {
		slack = 1
	}
	for i, t := range times {
		if d := t - times[0] - step.Round(int64(i)); d < -slack || d > slack {
			return false
		}
	}
	return true
}

// shortInterval is the typical interval, in ticks, where frames follow each
// other fastest: the mean of those near the tenth percentile, so that neither
// pauses, nor a few frames in one place, nor jitter decide. The three fields of
// film's pulldown (1.5 times the two) are near; a frame left out (2) is not.
func shortInterval(times []int64) float64 {
	stride := len(times)/(1<<20) + 1
	var gaps []int64
	for i := 1; i < len(times); i += stride {
		if gap := times[i] - times[i-1]; gap > 0 {
			gaps = append(gaps, gap)
		}
	}
	if len(gaps) == 0 {
		return 1
	}
	slices.Sort(gaps)
	low := gaps[len(gaps)/10]
	sum, n := 0.0, 0
	for _, gap := range gaps {
		if low-low/2 <= gap && gap <= low+max(low*5/8, 1) {
			sum, n = sum+float64(gap), n+1
		}
	}
	return sum / float64(n)
}

// nearestRate is the standard rate nearest to f frames a second, or f to a
// thousandth if none is within 4 %; at most the highest, at least 1/1000.
func nearestRate(f float64) rational.Rational {
	best, off := rational.Rational{}, 0.04
	for _, r := range standardRates {
		if d := math.Abs(f/r.Float64() - 1); d <= off {
			best, off = r, d
		}
	}
	switch {
	case best.Sign() > 0:
		return best
	case !(f < highest):
		return rational.Int(highest)
	}
	return rational.New(max(int64(math.Round(f*1000)), 1), 1000)
}
