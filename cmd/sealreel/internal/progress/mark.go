package progress

import (
	"fmt"
	"strings"
)

// mark is all that is shown of a state, so that two states with the same one
// look the same.
func mark(s State) string {
	var b strings.Builder
	fmt.Fprint(&b, s.Record.Job.Status, " ", s.Record.Waiting, " ", s.Done, "/", s.Total)
	for _, o := range s.Record.Job.Outputs {
		fmt.Fprint(&b, " ", o.ID, o.Status)
	}
	for _, p := range s.Record.Job.Playlists {
		fmt.Fprint(&b, " ", p.Name, p.Status)
	}
	return b.String()
}
