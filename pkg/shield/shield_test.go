package shield

import "testing"

func TestDoCallsOnceAndLetsPanicsThrough(t *testing.T) {
	called := 0
	Do(func() { called++ })
	if called != 1 {
		t.Errorf("called %d times", called)
	}
	defer func() {
		if got := recover(); got != "x" {
			t.Errorf("recovered %v", got)
		}
	}()
	Do(func() { panic("x") })
}
