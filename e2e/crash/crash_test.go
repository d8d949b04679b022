package crash

import "testing"

func TestEveryCrashPointOfAFilm(t *testing.T) { everyPoint(t, film(t), shares()) }

// shares is how points are shared out: where all is asked for, to a job each.
func shares() func([]point) [][]point {
	if full() {
		return apart
	}
	return together
}

func TestEveryCrashPointOfReconcile(t *testing.T) {
	s := song(t)
	all := breakdowns()
	if full() {
		all = append(all, takingUp()...)
	}
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) { everySweep(t, s, b) })
	}
}
