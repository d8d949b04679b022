// Package metric counts what one invocation of a function did, and writes it as
// CloudWatch reads metrics out of logs: lines in the embedded metric format.
//
// It guarantees that each line is one JSON object within the format's limits,
// and that a metric has one name, one unit and few series: a dimension's value
// is never the name of a job, a task or an object. It sees numbers only, so no
// line can hold a byte of a key or of media.
//
// Counting is best effort: what an invocation counted is written when it ends,
// and is lost when it is killed. Nothing that must happen hangs on it.
package metric

import "slices"

// Namespace is that of all metrics.
const Namespace = "Sealreel"

// Units, as CloudWatch calls them.
const (
	Count        = "Count"
	Seconds      = "Seconds"
	Milliseconds = "Milliseconds"
	Bytes        = "Bytes"
	None         = "None"
)

// Names of the dimensions. Every series has that of the stack.
const (
	Stack    = "Stack"
	Function = "Function" // ingest, transcode, assemble or reconcile
	Outcome  = "Outcome"  // a job's last status
	Cause    = "Cause"    // why something was done again
)

// Metric is a metric. Sets are the sets of dimensions that its values are
// counted under, each beside that of the stack.
type Metric struct {
	Name string
	Unit string
	Sets [][]string
}

// labels are the dimensions whose values an invocation has several of.
var labels = []string{Outcome, Cause}

// label is the metric's dimension among labels, "" when it has none.
func (m Metric) label() string {
	for _, set := range m.Sets {
		for _, name := range set {
			if slices.Contains(labels, name) {
				return name
			}
		}
	}
	return ""
}

// summed says whether the values of an invocation add up to one; of the others
// each is a sample, so that percentiles mean something.
func (m Metric) summed() bool { return m.Unit == Count || m.Unit == Bytes }

var (
	byStack    = [][]string{{}}
	byFunction = [][]string{{Function}}
)

// The metrics.
var (
	// JobsSubmitted counts the jobs whose record was created.
	JobsSubmitted = Metric{"JobsSubmitted", Count, byStack}
	// JobsEnded counts the jobs that ended, by how: the write that ended a job
	// counts it.
	JobsEnded = Metric{"JobsEnded", Count, [][]string{{}, {Outcome}}}
	// JobErrors is 1 for each job that ended in Error and 0 for each that ended
	// otherwise, so that its average is the rate of errors.
	JobErrors = Metric{"JobErrors", Count, byStack}
	// IngestFailures is 1 for an invocation of ingest that failed, else 0.
	IngestFailures = Metric{"IngestFailures", Count, byStack}
	// ChunkSeconds is how long the task of a chunk took that made media.
	ChunkSeconds = Metric{"ChunkSeconds", Seconds, byStack}
	// MediaSeconds is how much of the programme it covers, counted once however
	// many outputs were made of it.
	MediaSeconds = Metric{"MediaSeconds", Seconds, byStack}
	// RealTimeFactor is MediaSeconds through ChunkSeconds of a task with pictures.
	RealTimeFactor = Metric{"RealTimeFactor", None, byStack}
	// QueueWait is the time from a message's sending to the beginning of the work
	// on it; of one that was given out before, the earlier attempts are part of it.
	QueueWait = Metric{"QueueWait", Milliseconds, byStack}
	// BytesIn and BytesOut are what came from storage and went to it.
	BytesIn  = Metric{"BytesIn", Bytes, byFunction}
	BytesOut = Metric{"BytesOut", Bytes, byFunction}
	// KMSCalls counts requests to KMS, KMSDenials those that it refused because of
	// rights or of the key's state.
	KMSCalls   = Metric{"KMSCalls", Count, byStack}
	KMSDenials = Metric{"KMSDenials", Count, byStack}
	// Receipts counts the receipts that were created.
	Receipts = Metric{"Receipts", Count, byStack}
	// ColdStarts is 1 for the first invocation of an environment, else 0.
	ColdStarts = Metric{"ColdStarts", Count, byFunction}
	// Retries counts requests that were made again and messages that were
	// delivered again, by cause.
	Retries = Metric{"Retries", Count, [][]string{{Cause}}}
	// TimeLeft is what was left of the time that Lambda gives the invocation.
	TimeLeft = Metric{"TimeLeft", Milliseconds, byFunction}
	// ReconcileRounds counts the rounds that came to their end; the others say what
	// they did: jobs that were ended, or set going again, drops without a job that
	// were taken up, and messages of the dead-letter queue that were handled.
	ReconcileRounds    = Metric{"ReconcileRounds", Count, byStack}
	ReconcileEnded     = Metric{"ReconcileEnded", Count, byStack}
	ReconcileRestarted = Metric{"ReconcileRestarted", Count, byStack}
	ReconcileLostDrops = Metric{"ReconcileLostDrops", Count, byStack}
	DeadLettersHandled = Metric{"DeadLettersHandled", Count, byStack}
)

// All are all metrics.
func All() []Metric {
	return []Metric{JobsSubmitted, JobsEnded, JobErrors, IngestFailures, ChunkSeconds, MediaSeconds, RealTimeFactor, QueueWait,
		BytesIn, BytesOut, KMSCalls, KMSDenials, Receipts, ColdStarts, Retries, TimeLeft,
		ReconcileRounds, ReconcileEnded, ReconcileRestarted, ReconcileLostDrops, DeadLettersHandled}
}
