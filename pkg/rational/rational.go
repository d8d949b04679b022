// Package rational holds exact fractions of 64-bit integers for frame rates,
// time bases and aspect ratios, where a float would drift by a frame an hour.
//
// Every result is exact and in lowest terms with a positive denominator. A
// result that does not fit panics: the fractions of media are pairs of 32-bit
// integers, and the product or the sum of two such pairs always fits. Where
// one operand is a free 64-bit count, use Floor, Ceil or Round, which go
// through 128 bits and saturate.
package rational

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Rational is Num/Den. Values made by this package are in lowest terms with
// Den > 0; the zero value, 0/0, is "unknown" and counts as zero everywhere.
type Rational struct {
	Num, Den int64
}

// ErrSyntax is what Parse wraps for text that is no fraction.
var ErrSyntax = errors.New("not a fraction: want a number like 25, 29.97 or 30000/1001")

// New returns num/den in lowest terms. It panics when den is 0.
func New(num, den int64) Rational {
	if den == 0 {
		panic("rational: denominator is zero")
	}
	return fromBig(big.NewInt(num), big.NewInt(den))
}

// Int returns n/1.
func Int(n int64) Rational { return Rational{n, 1} }

// Parse reads "25", "29.97", "30000/1001" or "16:9" exactly. A fraction with
// the denominator 0, as ffprobe prints for an unknown rate, is an error.
func Parse(s string) (Rational, error) {
	num, den, fraction := strings.Cut(s, "/")
	if !fraction {
		num, den, fraction = strings.Cut(s, ":")
	}
	if fraction {
		n, err1 := strconv.ParseInt(num, 10, 64)
		d, err2 := strconv.ParseInt(den, 10, 64)
		if err1 != nil || err2 != nil || d == 0 || d == math.MinInt64 || n == math.MinInt64 {
			return Rational{}, fmt.Errorf("%.40q is %w", s, ErrSyntax)
		}
		return New(n, d), nil
	}
	return parseDecimal(s)
}

func parseDecimal(s string) (Rational, error) {
	whole, decimals, _ := strings.Cut(s, ".")
	if len(decimals) > 18 || whole == "" || !digits(strings.TrimPrefix(whole, "-")) || decimals != "" && !digits(decimals) {
		return Rational{}, fmt.Errorf("%.40q is %w", s, ErrSyntax)
	}
	n, err := strconv.ParseInt(whole+decimals, 10, 64)
	if err != nil || n == math.MinInt64 {
		return Rational{}, fmt.Errorf("%.40q is %w", s, ErrSyntax)
	}
	den := int64(1)
	for range decimals {
		den *= 10
	}
	return New(n, den), nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// String is "num/den", or "num" for a whole number, so that Parse reads it.
func (r Rational) String() string {
	if r.Den == 0 || r.Den == 1 {
		return strconv.FormatInt(r.Num, 10)
	}
	return fmt.Sprintf("%d/%d", r.Num, r.Den)
}

// Float64 is the nearest float, for display and logs only.
func (r Rational) Float64() float64 {
	if r.Den == 0 {
		return 0
	}
	return float64(r.Num) / float64(r.Den)
}

// Sign is -1, 0 or 1; the zero value has sign 0.
func (r Rational) Sign() int {
	if r.Den == 0 || r.Num == 0 {
		return 0
	}
	if (r.Num < 0) != (r.Den < 0) {
		return -1
	}
	return 1
}

// Cmp is -1, 0 or 1 as r is less than, equal to or greater than o.
func (r Rational) Cmp(o Rational) int {
	rn, rd := r.parts()
	on, od := o.parts()
	return new(big.Int).Mul(rn, od).Cmp(new(big.Int).Mul(on, rd))
}

// Less says whether r < o.
func (r Rational) Less(o Rational) bool { return r.Cmp(o) < 0 }

// Equal says whether r and o are the same number.
func (r Rational) Equal(o Rational) bool { return r.Cmp(o) == 0 }

// Min returns the lesser of r and o.
func (r Rational) Min(o Rational) Rational {
	if o.Less(r) {
		return o
	}
	return r
}

// Max returns the greater of r and o.
func (r Rational) Max(o Rational) Rational {
	if r.Less(o) {
		return o
	}
	return r
}

// Mul returns r * o.
func (r Rational) Mul(o Rational) Rational {
	rn, rd := r.parts()
	on, od := o.parts()
	return fromBig(rn.Mul(rn, on), rd.Mul(rd, od))
}

// Div returns r / o. It panics when o is zero.
func (r Rational) Div(o Rational) Rational { return r.Mul(o.Inv()) }

// Inv returns 1 / r: the time base of a rate. It panics when r is zero.
func (r Rational) Inv() Rational {
	if r.Sign() == 0 {
		panic("rational: division by zero")
	}
	return New(r.Den, r.Num)
}

// Add returns r + o.
func (r Rational) Add(o Rational) Rational {
	rn, rd := r.parts()
	on, od := o.parts()
	n := new(big.Int).Mul(rn, od)
	n.Add(n, on.Mul(on, rd))
	return fromBig(n, rd.Mul(rd, od))
}

// Sub returns r - o.
func (r Rational) Sub(o Rational) Rational { return r.Add(Rational{-o.Num, o.Den}) }

// Floor returns the greatest integer <= v*r: with a rate, the frames that fit
// in v seconds. It saturates at the limits of int64.
func (r Rational) Floor(v int64) int64 { return r.scale(v, roundDown) }

// Ceil returns the least integer >= v*r. It saturates.
func (r Rational) Ceil(v int64) int64 { return r.scale(v, roundUp) }

// Round returns the integer nearest to v*r, halves away from zero: with the
// quotient of two time bases, a timestamp's new value. It saturates.
func (r Rational) Round(v int64) int64 { return r.scale(v, roundNearest) }

type rounding int

const (
	roundDown rounding = iota
	roundUp
	roundNearest
)

// scale computes v*Num/Den over 128 bits of magnitude and a sign.
func (r Rational) scale(v int64, how rounding) int64 {
	sign := r.Sign()
	if v == 0 || sign == 0 {
		return 0
	}
	negative := (v < 0) != (sign < 0)
	den := magnitude(r.Den)
	hi, lo := bits.Mul64(magnitude(v), magnitude(r.Num))
	if hi >= den {
		return saturate(math.MaxUint64, negative)
	}
	q, rem := bits.Div64(hi, lo, den)
	away := false
	switch how {
	case roundDown:
		away = negative && rem != 0
	case roundUp:
		away = !negative && rem != 0
	case roundNearest:
		away = rem >= den-rem
	}
	if away && q != math.MaxUint64 {
		q++
	}
	return saturate(q, negative)
}

func saturate(q uint64, negative bool) int64 {
	switch {
	case negative && q >= 1<<63:
		return math.MinInt64
	case negative:
		return -int64(q)
	case q > math.MaxInt64:
		return math.MaxInt64
	}
	return int64(q)
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func (r Rational) parts() (num, den *big.Int) {
	if r.Den == 0 {
		return new(big.Int), big.NewInt(1)
	}
	if r.Den < 0 {
		return new(big.Int).Neg(big.NewInt(r.Num)), new(big.Int).Neg(big.NewInt(r.Den))
	}
	return big.NewInt(r.Num), big.NewInt(r.Den)
}

func fromBig(num, den *big.Int) Rational {
	if den.Sign() < 0 {
		num, den = num.Neg(num), den.Neg(den)
	}
	if g := new(big.Int).GCD(nil, nil, new(big.Int).Abs(num), den); g.Sign() > 0 {
		num, den = num.Quo(num, g), den.Quo(den, g)
	}
	if !num.IsInt64() || !den.IsInt64() {
		panic("rational: overflow: " + num.String() + "/" + den.String())
	}
	return Rational{num.Int64(), den.Int64()}
}
