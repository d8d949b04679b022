package plan

import (
	"testing"

	"sealreel/pkg/task"
)

// TestFirstTasksOfAWindow: as many as may wait, and all that are missing once any
// has been done. The sound is one task, and plans without a window have none.
func TestFirstTasksOfAWindow(t *testing.T) {
	groups := []Group{{Picture: true, Chunks: make([]Chunk, 5), Outputs: []int{0}}, {Picture: true, Chunks: make([]Chunk, 2), Outputs: []int{1}}}
	outputs := []Output{{ID: "1", Group: 0, Sound: -1}, {ID: "2", Group: 1, Sound: 0}}
	for _, c := range []struct {
		window int
		done   map[string]bool
		want   int
	}{
		{0, nil, 6}, {3, nil, 4}, {9, nil, 6}, {3, map[string]bool{task.Chunk(0, 1): true}, 5}, {3, map[string]bool{task.Chunk(1, 0): true}, 4},
	} {
		p := &Plan{Window: c.window, Sounds: []Sound{{}}, Groups: groups, Outputs: outputs}
		if got := p.FirstTasks(c.done); len(got) != c.want {
			t.Errorf("window %d, %v: %v, want %d messages", c.window, c.done, got, c.want)
		}
	}
}
