package price

import (
	"maps"
	"slices"

	"sealreel/pkg/usage"
)

// pollsAndDeletes are the requests that Lambda makes of SQS to hand a task to its
// function, which no record of ours can count: one that receives the message and
// one that deletes it. Empty polls cost the same with and without jobs.
const pollsAndDeletes = 2

// Bill is what a job cost.
type Bill struct {
	Lines    []Line   `json:"functions"` // by function, in the order they work
	Total    Line     `json:"total"`
	Compared []Output `json:"outputs"`
	// Minutes of all complete outputs together, and what one cost; 0 where there
	// is none.
	Minutes   float64 `json:"outputMinutes"`
	PerMinute float64 `json:"perOutputMinute"`
	// Lost are attempts at tasks that left no record, since they were killed: what
	// they cost is in no figure.
	Lost int `json:"attemptsWithoutRecord"`
}

// Line is what the invocations of a function used and cost. Where an invocation
// worked for several jobs its numbers are divided among them.
type Line struct {
	Function    string  `json:"function,omitempty"`
	Invocations float64 `json:"invocations"`
	Failed      float64 `json:"failed"`
	Seconds     float64 `json:"seconds"`    // billed: with the time to start
	CPUSeconds  float64 `json:"cpuSeconds"` // of processor time, within Seconds
	GBSeconds   float64 `json:"gbSeconds"`
	S3Writes    float64 `json:"s3Writes"`
	S3Reads     float64 `json:"s3Reads"`
	S3In        float64 `json:"s3BytesIn"`
	S3Out       float64 `json:"s3BytesOut"`
	KMS         float64 `json:"kms"`
	SQS         float64 `json:"sqs"` // with what Lambda asks of the queue, estimated
	SNS         float64 `json:"sns"`
	Retries     float64 `json:"retries"`
	Cost        Cost    `json:"cost"`
}

// Cost is money by service.
type Cost struct {
	Lambda float64 `json:"lambda"`
	S3     float64 `json:"s3"`
	KMS    float64 `json:"kms"`
	SQS    float64 `json:"sqs"`
	SNS    float64 `json:"sns"`
	Total  float64 `json:"total"`
}

// Bill is what the records of a job cost.
func (l List) Bill(records []usage.Record, outputs []Output) Bill {
	by := map[string]Line{}
	for _, r := range records {
		by[r.Function] = by[r.Function].plus(l.line(r))
	}
	b := Bill{Compared: outputs, Lost: lost(records)}
	for _, function := range slices.Sorted(maps.Keys(by)) {
		if !slices.Contains(usage.Functions, function) {
			b.Lines = append(b.Lines, by[function])
		}
	}
	for _, function := range slices.Backward(usage.Functions) {
		if line, ok := by[function]; ok {
			b.Lines = slices.Insert(b.Lines, 0, line)
		}
	}
	for _, line := range b.Lines {
		b.Total = b.Total.plus(line)
	}
	b.Total.Function = ""
	for _, o := range outputs {
		b.Minutes += o.Minutes
	}
	if b.Minutes > 0 {
		b.PerMinute = b.Total.Cost.Total / b.Minutes
	}
	return b
}

// line is what one invocation cost.
func (l List) line(r usage.Record) Line {
	share := r.Share()
	line := Line{
		Function: r.Function, Invocations: share,
		Seconds: float64(r.Milliseconds+r.InitMilliseconds) / 1000 * share, CPUSeconds: float64(r.CPUMilliseconds) / 1000 * share, GBSeconds: r.GBSeconds() * share,
		S3Writes: float64(r.S3Writes) * share, S3Reads: float64(r.S3Reads) * share, S3In: float64(r.S3In) * share, S3Out: float64(r.S3Out) * share,
		KMS: float64(r.KMS) * share, SQS: float64(r.SQS) * share, SNS: float64(r.SNS) * share,
	}
	for _, n := range r.Retries {
		line.Retries += float64(n) * share
	}
	if r.Failed {
		line.Failed = share
	}
	if r.Function == usage.Transcode {
		line.SQS += pollsAndDeletes * share
		if r.Failed { // its message is not deleted
			line.SQS -= share
		}
	}
	line.Cost = Cost{
		Lambda: line.GBSeconds*l.Lambda.GBSecond[r.Architecture] + line.Invocations*l.Lambda.Request,
		S3:     line.S3Writes*l.S3.Write + line.S3Reads*l.S3.Read,
		KMS:    line.KMS * l.KMS, SQS: line.SQS * l.SQS, SNS: line.SNS * l.SNS,
	}
	line.Cost.Total = line.Cost.Lambda + line.Cost.S3 + line.Cost.KMS + line.Cost.SQS + line.Cost.SNS
	return line
}

func (a Line) plus(b Line) Line {
	a.Function = b.Function
	a.Invocations += b.Invocations
	a.Failed += b.Failed
	a.Seconds += b.Seconds
	a.CPUSeconds += b.CPUSeconds
	a.GBSeconds += b.GBSeconds
	a.S3Writes += b.S3Writes
	a.S3Reads += b.S3Reads
	a.S3In += b.S3In
	a.S3Out += b.S3Out
	a.KMS += b.KMS
	a.SQS += b.SQS
	a.SNS += b.SNS
	a.Retries += b.Retries
	a.Cost.Lambda += b.Cost.Lambda
	a.Cost.S3 += b.Cost.S3
	a.Cost.KMS += b.Cost.KMS
	a.Cost.SQS += b.Cost.SQS
	a.Cost.SNS += b.Cost.SNS
	a.Cost.Total += b.Cost.Total
	return a
}

// lost are the attempts that the queue knows of and that left no record.
func lost(records []usage.Record) (n int) {
	attempts, recorded := map[string]int{}, map[string]int{}
	for _, r := range records {
		if r.Attempt > 0 {
			attempts[r.Task] = max(attempts[r.Task], r.Attempt)
			recorded[r.Task]++
		}
	}
	for task, most := range attempts {
		n += max(0, most-recorded[task])
	}
	return n
}
