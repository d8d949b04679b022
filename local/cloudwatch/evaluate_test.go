package cloudwatch

import (
	"math"
	"strings"
	"testing"
	"time"
)

// pointsOf reads a row of AWS's tables: 0 is within the threshold, X breaches
// it, - is missing.
func pointsOf(row string) []point {
	var all []point
	for _, c := range strings.Fields(row) {
		all = append(all, point{real: c != "-", breaches: c == "X"})
	}
	return all
}

// TestMissingData is the two tables of AWS's documentation on how alarms treat
// missing data: three periods, of which three or two must breach, five looked
// at. "kept" is the state that the alarm had.
func TestMissingData(t *testing.T) {
	const kept = State("kept")
	for _, c := range []struct {
		row                                   string
		datapoints                            int
		missing, ignore, breaching, notBreach State
	}{
		{"0 - X - X", 3, OK, OK, OK, OK},
		{"0 - - - -", 3, OK, OK, OK, OK},
		{"- - - - -", 3, InsufficientData, kept, Alarming, OK},
		{"0 X X - X", 3, Alarming, Alarming, Alarming, Alarming},
		{"- - X - -", 3, Alarming, kept, Alarming, OK},

		{"0 - X - X", 2, Alarming, Alarming, Alarming, Alarming},
		{"0 0 X 0 X", 2, Alarming, Alarming, Alarming, Alarming},
		{"0 - X - -", 2, OK, OK, Alarming, OK},
		{"- - - - 0", 2, OK, OK, Alarming, OK},
		{"- - - X -", 2, Alarming, kept, Alarming, OK},
	} {
		for treat, want := range map[string]State{"missing": c.missing, "ignore": c.ignore, "breaching": c.breaching, "notBreaching": c.notBreach} {
			a := &alarm{Alarm: Alarm{Periods: 3, Datapoints: c.datapoints, TreatMissing: treat}, state: kept}
			if got, reason := a.judge(pointsOf(c.row)); got != want {
				t.Errorf("%s, %d of 3, %s: %s (%s), want %s", c.row, c.datapoints, treat, got, reason, want)
			}
		}
	}
}

func TestExpressions(t *testing.T) {
	values := map[string]float64{"errors": 3, "ended": 12, "zero": 0, "m1": 5}
	missing := math.NaN()
	for text, want := range map[string]float64{
		"IF(ended >= 5, 100 * errors / ended, 0)": 25,
		"IF(ended >= 13, 100, 7)":                 7,
		"1 + 2 * 3 - 4 / 2":                       5,
		"(1 + 2) * -3":                            -9,
		"errors / zero":                           missing,
		"errors + absent":                         missing,
		"FILL(absent, 2) + errors":                5,
		"FILL(absent, absent)":                    missing,
		"SUM([errors, absent, m1])":               8,
		"MAX([errors, absent, m1])":               5,
		"MIN([absent])":                           missing,
		"MIN([m1, errors])":                       3,
		"errors > 1 AND ended < 5 OR zero == 0":   1,
		"errors != 3 || m1 <= 4 && 1":             0,
		"1.5e1":                                   15,
	} {
		e, err := parseExpression(text)
		if err != nil {
			t.Error(err)
			continue
		}
		if got, ok := e.eval(values); ok == math.IsNaN(want) || ok && got != want {
			t.Errorf("%s = %v, %t, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "1 +", "(1", "1 2", "RATE(m1)", "SUM(m1)", "SUM([m1)", "IF(1, 2)", "m1 ! 2", "\"a\"", strings.Repeat("(", 1000), strings.Repeat("-", 1000) + "1", "METRICS()"} {
		if _, err := parseExpression(text); err == nil {
			t.Errorf("%.20q is taken", text)
		}
	}
}

func TestRules(t *testing.T) {
	states := map[string]State{"a": Alarming, "b": OK, "c d": InsufficientData}
	for text, want := range map[string]bool{
		`ALARM(a)`:                            true,
		`ALARM("a") OR ALARM("b")`:            true,
		`ALARM(b) OR ALARM("c d")`:            false,
		`OK(b) AND INSUFFICIENT_DATA('c d')`:  true,
		`NOT ALARM(a) OR ALARM(b)`:            false,
		`ALARM(b) AND ALARM(b) OR ALARM(a)`:   true,
		`ALARM(b) AND (ALARM(b) OR ALARM(a))`: false,
		"TRUE AND\n NOT FALSE":                true,
		`((alarm(a)))`:                        true,
	} {
		r, err := parseRule(text)
		if err != nil {
			t.Error(err)
		} else if got := r.holds(func(name string) State { return states[name] }); got != want {
			t.Errorf("%s is %t", text, got)
		}
	}
	for _, text := range []string{"", "ALARM", "ALARM(", "ALARM()", "a", "ALARM(a) ALARM(b)", "ALARM(a) OR", "(ALARM(a)", "NOT", strings.Repeat("(", 1000), strings.Repeat("NOT ", 1000) + "TRUE"} {
		if _, err := parseRule(text); err == nil {
			t.Errorf("%.20q is taken", text)
		}
	}
}

func FuzzExpression(f *testing.F) {
	f.Add("IF(a >= 5, 100 * b / a, 0)")
	f.Add("SUM([a, FILL(b, 0)])")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseExpression(text)
		if err != nil {
			return
		}
		if v, ok := e.eval(map[string]float64{"a": 1, "b": 2}); ok && (math.IsNaN(v) || math.IsInf(v, 0)) && !strings.ContainsAny(text, "eE0123456789") {
			t.Errorf("%q is %v", text, v)
		}
	})
}

func FuzzRule(f *testing.F) {
	f.Add(`ALARM("a") OR NOT (OK(b) AND TRUE)`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRule(text)
		if err == nil && r.holds(func(string) State { return OK }) && len(r.alarms) == 0 && !strings.Contains(strings.ToUpper(text), "TRUE") && !strings.Contains(strings.ToUpper(text), "NOT") {
			t.Errorf("%q holds", text)
		}
	})
}

func TestStatistics(t *testing.T) {
	s, at := newStore(), time.Unix(600, 0)
	m := Metric{"N", "M", map[string]string{"D": "d"}}
	for i := range 100 {
		s.put(Datum{Metric: m, Unit: "Count", Time: at, Values: []float64{float64(i + 1)}})
	}
	s.put(Datum{Metric: m, Unit: "Seconds", Time: at, Values: []float64{1000}})
	s.put(Datum{Metric: m, Unit: "Count", Time: at.Add(time.Minute), Values: []float64{-7}})
	for stat, want := range map[string]float64{"Sum": 5050, "SampleCount": 100, "Average": 50.5, "Minimum": 1, "Maximum": 100, "p90": 90, "p99.5": 100, "p0": 1} {
		if got, ok := s.statistic(m, "Count", stat, 10, 11); !ok || got != want {
			t.Errorf("%s is %v, %t", stat, got, ok)
		}
	}
	if got, _ := s.statistic(m, "", "Sum", 10, 12); got != 5050+1000-7 {
		t.Errorf("in any unit, of two minutes: %v", got)
	}
	for _, c := range []struct {
		m           Metric
		unit        string
		from, until minute
	}{{m, "Bytes", 10, 12}, {m, "", 12, 20}, {Metric{"N", "M", nil}, "", 10, 12}, {Metric{"N", "M", map[string]string{"D": "e"}}, "", 10, 12}} {
		if v, ok := s.statistic(c.m, c.unit, "Sum", c.from, c.until); ok {
			t.Errorf("%+v: %v", c, v)
		}
	}
	s.forget(time.Unix(660, 0))
	if _, ok := s.statistic(m, "Seconds", "Sum", 10, 12); ok {
		t.Error("nothing was forgotten")
	}
	if got, ok := s.statistic(m, "Count", "Sum", 10, 12); !ok || got != -7 {
		t.Errorf("too much was forgotten: %v, %t", got, ok)
	}
	for _, stat := range []string{"", "p", "p101", "Median", "tm99"} {
		if checkStat(stat) == nil {
			t.Errorf("%q is taken", stat)
		}
	}
}
