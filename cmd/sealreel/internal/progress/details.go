package progress

import (
	"fmt"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
)

// Details are all that a job says about how it ended, in full, one a line: the
// details of its outputs and playlists, and its warnings.
func Details(r *ledger.Record) []string {
	var all []string
	add := func(what, status, detail string) {
		if detail == "" && status != job.Error {
			return
		}
		if detail == "" {
			detail = "no reason was recorded"
		}
		all = append(all, fmt.Sprintf("%s: %s: %s", what, status, detail))
	}
	for _, o := range r.Job.Outputs {
		add(fmt.Sprintf("output %s (%s)", o.ID, o.Key), o.Status, o.StatusDetail)
	}
	for _, p := range r.Job.Playlists {
		add("playlist "+p.Name, p.Status, p.StatusDetail)
	}
	all = append(all, r.Warnings...)
	if len(all) == 0 && r.Job.Status == job.Error {
		all = append(all, "no reason was recorded; the functions' logs may tell")
	}
	return all
}
