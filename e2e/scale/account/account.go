// Package account simulates the jobs of a large account: what Lambda, SQS, S3 and
// KMS let through, from the costs of steps that were measured (package cost).
//
// It is a discrete-event simulation: the same scenario and seed give the same
// figures. It follows the template's queue, mapping, timeouts and lifecycle, the
// functions' order of work, and reconcile's rules. It holds nothing of media.
package account

import (
	"math/rand/v2"

	"sealreel/e2e/scale/cost"
)

// Quotas are what AWS grants an account in one Region.
type Quotas struct {
	Concurrency int     // of Lambda
	S3Put       float64 // requests a second and partition that write, at least
	S3Get       float64 // and that read
	KMS         float64 // requests a second with symmetric keys
}

// Published are AWS's default quotas, in the Regions with the least of KMS.
var Published = Quotas{Concurrency: 1000, S3Put: 3500, S3Get: 5500, KMS: 10000}

// Rules are what a deployment sets; times in seconds.
type Rules struct {
	MaximumConcurrency int
	Reserved           map[string]int // concurrency set aside, by function
	IngestTimeout      float64
	Visibility         float64
	Retention          float64 // of messages
	WorkExpiry         float64 // of sealed files between functions
	Fair               bool    // messages have their job as group
	Window             bool    // no more chunks of a job wait than there are workers
	Reconcile          Reconcile
}

// Batch is a number of titles that are dropped together.
type Batch struct {
	Titles  int
	Seconds float64 // of media, each
	Mbps    float64 // of the input
	At      float64 // when the first is dropped
	Over    float64 // how long until the last is dropped
}

// Scenario is what is simulated.
type Scenario struct {
	Name    string
	Kind    string // of job, by its name in the measured costs
	Batches []Batch
	Quotas  Quotas
	Rules   Rules
	Longest float64 // seconds after which nobody waits any more
}

// Memory of the functions in MB, as in the template, of which Lambda gives a
// processor for each 1769; seconds that a small request takes; and bytes a second
// that reach a function.
const (
	processorMB = 1769.0
	ingestMB    = 1769.0
	transcodeMB = 3008.0
	assembleMB  = 1769.0
	oneRequest  = 0.02
	network     = 78e6
	functionMax = 900.0 // Lambda's longest
)

type outcome int

const (
	underWay outcome = iota
	complete
	failed
)

// title is one job.
type title struct {
	number  int
	batch   int
	seconds float64
	bytes   float64
	chunks  int

	group     group
	dropped   float64
	recorded  float64 // when the drop became a job, 0 before
	planned   bool
	piece     []float32 // when the sound of a chunk was stored, 0 while it is not
	pieces    int
	done      []bool
	busy      []int8 // workers at a chunk
	count     int    // chunks with a receipt
	assembled int
	outcome   outcome
	ended     float64
	watch     watch
}

// demands are those of the steps of a batch's titles.
type demands struct{ ingest, audio, chunk, assemble demand }

// simulation is one run.
type simulation struct {
	Scenario
	clock
	kind      cost.Title
	chunk     float64 // its seconds
	random    *rand.Rand
	services  services
	lambda    *concurrency
	queue     queue
	mapping   mapping
	growing   bool
	titles    []*title
	left      int
	demands   []demands // by batch
	reconcile round

	asyncWait float64 // longest that an event waited for room
	repeated  int     // deliveries that found the receipt there
	wasted    float64 // seconds of transcode for what another worker made too
	worked    float64 // seconds of transcode
	dead      int     // dead letters
	slow      int     // functions that ran out of time
	lost      int     // events that became too old
	gone      int     // titles whose work files had expired
}

// Run simulates a scenario.
func Run(c *cost.Costs, sc Scenario, seed uint64) (Result, error) {
	kind, err := c.Title(sc.Kind)
	if err != nil {
		return Result{}, err
	}
	s := &simulation{Scenario: sc, kind: kind, chunk: float64(c.ChunkSeconds), random: rand.New(rand.NewPCG(seed, 0)),
		services: newServices(sc.Quotas), lambda: newConcurrency(sc.Quotas.Concurrency, sc.Rules.Reserved),
		queue:   queue{fair: sc.Rules.Fair, retention: sc.Rules.Retention},
		mapping: mapping{maximum: sc.Rules.MaximumConcurrency}}
	for b, batch := range sc.Batches {
		s.demands = append(s.demands, demands{
			ingest: s.services.demand(kind.Ingest.Of(batch.Seconds).Requests), audio: s.services.demand(kind.Audio.Of(batch.Seconds).Requests),
			chunk: s.services.demand(kind.Chunk.Fixed.Requests), assemble: s.services.demand(kind.Assemble.Of(batch.Seconds).Requests)})
		for n := range batch.Titles {
			s.drop(b, batch, batch.At+batch.Over*float64(n)/float64(batch.Titles))
		}
	}
	s.left = len(s.titles)
	s.after(reconcilePeriod, s.round)
	s.run(sc.Longest, func() bool { return s.left == 0 })
	return s.result(), nil
}

func (s *simulation) drop(batch int, b Batch, at float64) {
	chunks := max(1, int(b.Seconds/s.chunk+0.999))
	t := &title{number: len(s.titles), batch: batch, seconds: b.Seconds, bytes: b.Mbps * 1e6 / 8 * b.Seconds, chunks: chunks, dropped: at,
		group: group{place: -1}, piece: make([]float32, chunks), done: make([]bool, chunks), busy: make([]int8, chunks)}
	s.titles = append(s.titles, t)
	s.after(at, func() { s.ingest(t) })
}

func (s *simulation) end(t *title, o outcome) {
	if t.outcome != underWay {
		return
	}
	t.outcome, t.ended = o, s.now
	s.left--
}
