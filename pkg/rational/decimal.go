package rational

import (
	"strconv"
	"strings"
)

// Decimal writes r with at most three decimals and none that is not needed, as
// the API's FloatString: "25", "29.97", "23.976".
func (r Rational) Decimal() string {
	s := strconv.FormatFloat(r.Float64(), 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
