package account

const (
	minute = 60.0
	hour   = 3600.0
	day    = 24 * hour
)

// Template are the rules of template.yaml and of the functions as they are.
func Template() Rules {
	return Rules{
		MaximumConcurrency: 20, IngestTimeout: 900, Visibility: 5400, Retention: 14 * day, WorkExpiry: 15 * day, Fair: true, Window: true,
		Reconcile: Reconcile{Parallel: 16, Goes: true, Lost: 20 * minute, Stalled: 30 * minute, Patient: true},
	}
}

// Before are the rules that the simulation showed to be wrong.
func Before() Rules {
	return Rules{
		MaximumConcurrency: 20, IngestTimeout: 600, Visibility: 5400, Retention: 4 * day, WorkExpiry: 2 * day, Fair: true,
		Reconcile: Reconcile{Parallel: 1, Resumes: true, Lost: 5 * minute, Stalled: 30 * minute},
	}
}

// at are rules with a number of workers.
func (r Rules) at(workers int) Rules {
	r.MaximumConcurrency = workers
	return r
}

// granted are quotas with a concurrency.
func granted(concurrency int) Quotas {
	q := Published
	q.Concurrency = concurrency
	return q
}

// titles are so many titles of an hour, dropped within ten minutes.
func titles(n int) []Batch {
	return []Batch{{Titles: n, Seconds: hour, Mbps: 8, Over: 10 * minute}}
}

// Large are the scenarios of a large account: jobs of an hour each that are
// there at once.
func Large(jobs int) []Scenario {
	all := []Scenario{
		{Name: "before: 20 workers", Rules: Before()},
		{Name: "20 workers", Rules: Template()},
		{Name: "before: 1,000 workers of 1,000", Rules: Before().at(1000)},
		{Name: "1,000 workers of 1,000", Rules: Template().at(1000)},
		{Name: "900 workers of 1,000", Rules: Template().at(900)},
		{Name: "1,000 workers of 1,200", Rules: Template().at(1000), Quotas: granted(1200)},
		{Name: "1,000 workers of 3,000", Rules: Template().at(1000), Quotas: granted(3000)},
	}
	for i := range all {
		all[i].Kind, all[i].Batches, all[i].Longest = "ladder", titles(jobs), 60*day
		if all[i].Quotas.Concurrency == 0 {
			all[i].Quotas = Published
		}
	}
	return all
}

// Mixed is one long title and then, while it is worked on, short ones, on the few
// workers of a new account.
func Mixed() []Scenario {
	batches := []Batch{{Titles: 1, Seconds: 8 * hour, Mbps: 8}, {Titles: 20, Seconds: minute, Mbps: 8, At: 20 * minute, Over: 10 * minute}}
	grouped := Template().at(8)
	grouped.Window = false
	plain := grouped
	plain.Fair = false
	var all []Scenario
	for _, one := range []Scenario{
		{Name: "all chunks at once, no groups", Rules: plain, Batches: batches},
		{Name: "all chunks at once, a group for each job", Rules: grouped, Batches: batches},
		{Name: "as it is: as many chunks as workers", Rules: Template().at(8), Batches: batches},
		{Name: "no long one", Rules: Template().at(8), Batches: batches[1:]},
	} {
		one.Kind, one.Longest, one.Quotas = "ladder", 60*day, granted(10)
		all = append(all, one)
	}
	return all
}
