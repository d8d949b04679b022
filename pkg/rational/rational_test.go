package rational

import (
	"math"
	"math/big"
	"testing"
	"testing/quick"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Rational
	}{
		{"25", Rational{25, 1}},
		{"0", Rational{0, 1}},
		{"-3", Rational{-3, 1}},
		{"29.97", Rational{2997, 100}},
		{"10.", Rational{10, 1}},
		{"10.0", Rational{10, 1}},
		{"-0.5", Rational{-1, 2}},
		{"30000/1001", Rational{30000, 1001}},
		{"60/2", Rational{30, 1}},
		{"16:9", Rational{16, 9}},
		{"-1/-2", Rational{1, 2}},
		{"9223372036854775807/1", Rational{math.MaxInt64, 1}},
	} {
		got, err := Parse(c.in)
		if err != nil || got != c.want {
			t.Errorf("Parse(%q) = %v, %v, want %v", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", ".", "x", "1/0", "1/", "/2", "1/2/3", "--1", "1e3", "+1", " 1", "1.2.3", ".5",
		"9223372036854775808", "1.0000000000000000001", "0/0", "N/A"} {
		if got, err := Parse(in); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", in, got)
		}
	}
}

func TestArithmetic(t *testing.T) {
	ntsc, half := New(30000, 1001), New(1, 2)
	for _, c := range []struct {
		name      string
		got, want Rational
	}{
		{"mul reduces", ntsc.Mul(Int(1001)), Int(30000)},
		{"mul half", ntsc.Mul(half), New(15000, 1001)},
		{"div", Int(1).Div(ntsc), New(1001, 30000)},
		{"inv of negative keeps the denominator positive", New(-2, 3).Inv(), Rational{-3, 2}},
		{"add", New(1, 3).Add(New(1, 6)), half},
		{"sub", half.Sub(half), Rational{0, 1}},
		{"zero value adds nothing", Rational{}.Add(half), half},
		{"min", ntsc.Min(Int(30)), ntsc},
		{"max", ntsc.Max(Int(30)), Int(30)},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	if !ntsc.Less(New(2997, 100).Add(New(1, 1000))) || ntsc.Equal(New(2997, 100)) {
		t.Error("30000/1001 must be just above 29.97 and below 29.971")
	}
	if New(-1, 2).Sign() != -1 || (Rational{}).Sign() != 0 || half.Sign() != 1 {
		t.Error("signs are wrong")
	}
	if s := ntsc.String() + " " + Int(25).String() + " " + (Rational{}).String(); s != "30000/1001 25 0" {
		t.Errorf("String: %q", s)
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct {
		r                  Rational
		v                  int64
		floor, ceil, round int64
	}{
		{New(30000, 1001), 10, 299, 300, 300},
		{New(1, 2), 3, 1, 2, 2},
		{New(1, 2), -3, -2, -1, -2},
		{New(-1, 2), 3, -2, -1, -2},
		{New(1, 3), 1, 0, 1, 0},
		{New(2, 3), -1, -1, 0, -1},
		{Int(1), math.MinInt64, math.MinInt64, math.MinInt64, math.MinInt64},
		{Int(2), math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64},
		{Int(-2), math.MaxInt64, math.MinInt64, math.MinInt64, math.MinInt64},
		{Rational{}, 7, 0, 0, 0},
	} {
		if f, ce, ro := c.r.Floor(c.v), c.r.Ceil(c.v), c.r.Round(c.v); f != c.floor || ce != c.ceil || ro != c.round {
			t.Errorf("%v * %d: floor %d ceil %d round %d, want %d %d %d", c.r, c.v, f, ce, ro, c.floor, c.ceil, c.round)
		}
	}
}

// TestAgainstBig compares every operation with math/big on random operands.
func TestAgainstBig(t *testing.T) {
	agree := func(an int32, ad int32, bn int32, bd int32, v int64) bool {
		if ad == 0 || bd == 0 {
			return true
		}
		a, b := New(int64(an), int64(ad)), New(int64(bn), int64(bd))
		ba, bb := big.NewRat(int64(an), int64(ad)), big.NewRat(int64(bn), int64(bd))
		same := func(r Rational, x *big.Rat) bool {
			return r.Den > 0 && x.Num().IsInt64() && r.Num == x.Num().Int64() && r.Den == x.Denom().Int64()
		}
		product := new(big.Rat).Mul(ba, new(big.Rat).SetInt64(v))
		floor := new(big.Int).Div(product.Num(), product.Denom())
		return same(a.Mul(b), new(big.Rat).Mul(ba, bb)) &&
			same(a.Add(b), new(big.Rat).Add(ba, bb)) &&
			same(a.Sub(b), new(big.Rat).Sub(ba, bb)) &&
			a.Cmp(b) == ba.Cmp(bb) &&
			(!floor.IsInt64() || a.Floor(v) == floor.Int64())
	}
	if err := quick.Check(agree, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

func TestPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"zero denominator": func() { New(1, 0) },
		"inverse of zero":  func() { Int(0).Inv() },
		"overflow":         func() { Int(math.MaxInt64).Mul(Int(2)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"25", "30000/1001", "29.97", "16:9", "-1/-2", "0/0", "9223372036854775807", "1/-9223372036854775808"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(r.String())
		if err != nil || again != r {
			t.Fatalf("Parse(%q) = %v, but reading its text again gives %v, %v", s, r, again, err)
		}
	})
}
