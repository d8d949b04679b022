package account

import (
	"maps"
	"slices"
	"strings"
)

// quota is a number of requests a second that a service serves.
type quota struct {
	name  string
	limit float64

	asked   []float64 // by second
	total   float64
	peak    float64 // most in one second
	delayed float64 // seconds that all work together was held up
}

// ask makes n requests spread over a time and returns for how much longer they
// take as there are more than are served: twice as many take twice the time.
func (q *quota) ask(now, over, n float64) float64 {
	q.total += n
	first, last := int(now), int(now+over)
	for len(q.asked) <= last {
		q.asked = append(q.asked, 0)
	}
	longer := 0.0
	for second := first; second <= last; second++ {
		q.asked[second] += n / float64(last-first+1)
		q.peak = max(q.peak, q.asked[second])
		longer += max(0, q.asked[second]/q.limit-1)
	}
	q.delayed += longer
	return longer
}

// services are the quotas of an account, by name.
type services map[string]*quota

// newServices has a quota for each bucket, as if all its keys lay in one
// partition, which they do in a new bucket.
func newServices(q Quotas) services {
	s := services{}
	add := func(name string, limit float64) { s[name] = &quota{name: name, limit: limit} }
	for _, bucket := range []string{"ingest", "output", "state", "work"} {
		add("s3 put "+bucket, q.S3Put)
		add("s3 get "+bucket, q.S3Get)
	}
	add("kms", q.KMS)
	return s
}

// demand is how often a step asks each service. What has no quota to speak of
// (SQS, SNS) is left out.
type demand []struct {
	quota *quota
	n     float64
}

func (s services) demand(requests map[string]float64) demand {
	sums := map[*quota]float64{}
	var d demand
	for _, kind := range slices.Sorted(maps.Keys(requests)) {
		q := s[strings.Replace(kind, "s3 list ", "s3 get ", 1)]
		if q == nil {
			continue
		}
		if _, again := sums[q]; !again {
			d = append(d, struct {
				quota *quota
				n     float64
			}{quota: q})
		}
		sums[q] += requests[kind]
	}
	for i := range d {
		d[i].n = sums[d[i].quota]
	}
	return d
}

// ask makes the requests over a time and returns by how much the slowest of
// them prolong it.
func (d demand) ask(now, over float64) float64 {
	longest := 0.0
	for _, one := range d {
		longest = max(longest, one.quota.ask(now, over, one.n))
	}
	return longest
}
