package ingest

import (
	"context"
	"errors"
	"slices"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/logs"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/trace"
	"sealreel/pkg/usage"
)

// Resume takes a job as far as its first tasks. It may be called at any time
// and any number of times; a job that has ended is left alone. A failure that
// trying again can't mend ends the job.
func (i *Ingester) Resume(ctx context.Context, rec *ledger.Record) error {
	return i.resume(ctx, rec, "")
}

// resume is Resume on the event of the input that arrived, whose mark the caller
// removes when the job is started.
func (i *Ingester) resume(ctx context.Context, rec *ledger.Record, arrived string) (err error) {
	usage.From(ctx).For(rec.Job.ID, "")
	if job.Terminal(rec.Job.Status) {
		return nil
	}
	ctx, end := trace.Work(logs.With(ctx, logs.Job, rec.Job.ID), rec.Job.ID, "ingest")
	defer func() { end(err) }()
	p, err := i.Ledger.Plan(ctx, rec.Job.ID)
	if errors.Is(err, object.ErrNotExist) {
		p, err = i.plan(ctx, rec, arrived)
	}
	var failure *job.Failure
	switch {
	case errors.Is(err, errWaiting), errors.Is(err, errPlanned):
		return nil
	case errors.As(err, &failure):
		i.Log.WarnContext(ctx, "job failed", "err", err)
		rec, err = i.Ledger.UpdateJob(ctx, rec.Job.ID, func(r *ledger.Record) error {
			job.HideDigests(&r.Job)
			r.Job, r.Waiting = job.FailJob(r.Job, failure, time.Now()), false
			return nil
		})
		if err == nil {
			i.Herald.Announce(ctx, rec)
		}
		return err
	case err != nil:
		return err
	}
	if rec, err = i.Ledger.ShowPlan(ctx, p); err != nil || job.Terminal(rec.Job.Status) {
		return err // it may have been canceled meanwhile
	}
	return i.start(ctx, p)
}

// errWaiting says that the input is not there yet, or the pipeline is paused.
var errWaiting = errors.New("the input is not there yet")

// errPlanned says that another invocation made the job's plan at the same time,
// such as those of a document and its media: it sets the job going, and would
// be repeated if it could not.
var errPlanned = errors.New("the job was planned by another invocation")

// plan makes the job's plan.
func (i *Ingester) plan(ctx context.Context, rec *ledger.Record, arrived string) (*plan.Plan, error) {
	p, presets, err := i.settings(ctx, rec)
	if err != nil {
		return nil, err
	}
	keys := i.keysOf(p, rec.Job)
	v, err := i.Open(ctx, keys)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	where := i.regions(ctx, v, p)
	if err := i.warn(ctx, rec, p.Warnings(where)); err != nil {
		return nil, err
	}
	in, err := i.pinAll(ctx, v, p, rec, arrived)
	if err != nil {
		return nil, err
	}
	sealed, refused, err := sealOutputs(ctx, v, rec.Job)
	if err != nil {
		return nil, err
	}
	refuseApart(rec.Job, p, where, refused)
	pictures, err := i.stills(ctx, v, p, rec.Job, refused)
	if err != nil {
		return nil, err
	}
	probed, err := i.probeAll(ctx, v, rec.Job, in)
	if err != nil {
		return nil, err
	}
	made, err := i.stitch(rec.Job, in, probed, wishes(rec.Job, p, presets, sealed, pictures))
	if err != nil {
		return nil, err
	}
	made.Job, made.Inputs, made.Keys = rec.Job.ID, in.pinned, keys
	for n := range made.Outputs {
		made.Outputs[n].Job = rec.Job.ID
		if f := refused[n]; f != nil {
			made.Fail(n, f)
		}
	}
	if made.Keys.Work, err = v.WorkKey(ctx); err != nil {
		return nil, err
	}
	if err := i.captions(ctx, v, p.InputBucket, rec.Job, probed, made); err != nil {
		return nil, err
	}
	return i.store(ctx, v, made)
}

// store claims the names and the pairs of key and IV that a plan is about to use,
// and stores it.
func (i *Ingester) store(ctx context.Context, v Vault, made *plan.Plan) (*plan.Plan, error) {
	if err := i.claimNames(ctx, v, made); err != nil {
		return nil, err
	}
	if err := i.claimPairs(ctx, v, made); err != nil {
		return nil, err
	}
	first, err := i.Ledger.CreatePlan(ctx, made)
	if err != nil {
		return nil, err
	}
	if first.Keys.Work != made.Keys.Work { // a key that no other plan has
		return nil, errPlanned
	}
	return first, nil
}

// settings reads the job's pipeline and presets.
func (i *Ingester) settings(ctx context.Context, rec *ledger.Record) (*pipeline.Pipeline, map[string]*preset.Preset, error) {
	if rec.Job.PipelineID == i.DefaultID {
		if err := i.EnsureDefault(ctx); err != nil {
			return nil, nil, err
		}
	}
	p, err := i.Ledger.Pipeline(ctx, rec.Job.PipelineID)
	switch {
	case errors.Is(err, object.ErrNotExist):
		return nil, nil, job.Fail(job.CodeValidation, "The specified pipeline was not found: pipelineId=%s; use the id of a pipeline in the state bucket", rec.Job.PipelineID)
	case err != nil:
		return nil, nil, err
	}
	if p.Status == pipeline.Paused {
		i.Log.InfoContext(ctx, "the pipeline is paused: the job waits", "pipeline", p.ID)
		return nil, nil, errWaiting
	}
	presets := map[string]*preset.Preset{}
	err = preset.Check(&job.Request{Inputs: rec.Job.Inputs, Outputs: rec.Job.Outputs, Playlists: rec.Job.Playlists, OutputKeyPrefix: rec.Job.OutputKeyPrefix}, func(id string) (*preset.Preset, error) {
		ps, err := i.Ledger.Preset(ctx, id)
		if errors.Is(err, object.ErrNotExist) {
			return nil, preset.ErrNotFound
		}
		presets[id] = ps
		return ps, err
	})
	var invalid *job.ValidationError // a mistake in the job, in contrast to storage that failed
	switch {
	case errors.As(err, &invalid):
		return nil, nil, job.Fail(job.CodeValidation, "%v", err)
	case err != nil:
		return nil, nil, err
	}
	return p, presets, nil
}

// pin finds one of the job's inputs, or records that the job waits for it.
func (i *Ingester) pin(ctx context.Context, v Vault, p *pipeline.Pipeline, rec *ledger.Record, wanted job.Input) (plan.Input, error) {
	version := ""
	if rec.Drop.Key == wanted.Key {
		version = rec.Drop.VersionID
	}
	in, err := v.Pin(ctx, p.InputBucket, wanted.Key, version, wanted.Encryption)
	if errors.Is(err, object.ErrNotExist) && version == "" {
		// The file may have come between this look and the record of the wait:
		// whoever brings it looks for the record, so look once more behind it.
		if err := i.await(ctx, p.InputBucket, wanted.Key, rec); err != nil {
			return plan.Input{}, err
		}
		in, err = v.Pin(ctx, p.InputBucket, wanted.Key, version, wanted.Encryption)
		switch {
		case errors.Is(err, object.ErrNotExist):
			return plan.Input{}, errWaiting
		case err == nil: // this event goes on, and needs no other to find the job
			err = i.Ledger.Arrived(ctx, p.InputBucket, wanted.Key, rec.Job.ID)
		}
	}
	switch {
	case err != nil:
		return plan.Input{}, pinFailure(err, p.InputBucket, wanted.Key)
	case in.Size == 0:
		return plan.Input{}, job.Fail(job.CodeBadInput, "the input is empty: bucket=%s, key=%s; upload the file again", p.InputBucket, wanted.Key)
	}
	return in, nil
}

// pinFailure is what an object that can't be pinned comes to.
func pinFailure(err error, bucket, key string) error {
	switch {
	case errors.Is(err, object.ErrNotExist):
		return job.InputMissing(bucket, key)
	case errors.Is(err, object.ErrNoBucket):
		return job.BucketMissing(bucket)
	case errors.Is(err, object.ErrNeedsKey):
		return job.DecryptFailed(err, key, job.ModeSSEC)
	case errors.Is(err, object.ErrAccess):
		return job.NoReadPermission(err, bucket, key)
	}
	return err
}

func (i *Ingester) await(ctx context.Context, bucket, key string, rec *ledger.Record) error {
	if err := i.Ledger.Await(ctx, bucket, key, rec.Job.ID); err != nil {
		return err
	}
	_, err := i.Ledger.UpdateJob(ctx, rec.Job.ID, func(r *ledger.Record) error {
		r.Waiting = !job.Terminal(r.Job.Status)
		return nil
	})
	return err
}

// probe verifies what can be verified of the input, and probes it. A file that
// is encrypted by no storage and turns out to be no media was most likely opened
// with another key or IV, or cut: that reads like a file that can't be
// decrypted, so that nobody learns more of a key by trying.
func (i *Ingester) probe(ctx context.Context, v Vault, in plan.Input) (Probed, error) {
	if err := v.Verify(ctx, in); err != nil {
		return Probed{}, err
	}
	input, err := v.Input(ctx, in, 2)
	if err != nil {
		return Probed{}, err
	}
	defer input.Close()
	ctx, end := trace.Start(ctx, "probe")
	probed, err := i.Probe(ctx, input)
	end(err)
	var failure *job.Failure
	if errors.As(err, &failure) && in.Encryption != nil && in.Encryption.InitializationVector != "" {
		err = job.DecryptFailed(err, in.Key, in.Encryption.Mode)
	}
	return probed, err
}

// sealOutputs gives each output, and its thumbnails where it has any, its key:
// one that is named is checked, else one is made. An output whose keys can't be
// used fails alone; refused has its failure at its place.
func sealOutputs(ctx context.Context, v Vault, j job.Job) (sealed []job.Output, refused map[int]*job.Failure, err error) {
	sealed, refused = slices.Clone(j.Outputs), map[int]*job.Failure{}
	for n := range sealed {
		elements := []**job.Encryption{&sealed[n].Encryption}
		if sealed[n].ThumbnailPattern != "" {
			elements = append(elements, &sealed[n].ThumbnailEncryption)
		}
		for _, element := range elements {
			e, err := v.Seal(ctx, *element)
			var f *job.Failure
			switch {
			case errors.As(err, &f):
				hidden := (*element).HideDigest()
				*element, refused[n] = &hidden, f
			case err != nil:
				return nil, nil, err
			default:
				*element = e
			}
		}
	}
	return sealed, refused, nil
}

func wishes(j job.Job, p *pipeline.Pipeline, presets map[string]*preset.Preset, sealed []job.Output, pictures []named) []plan.Wish {
	all := make([]plan.Wish, len(sealed))
	for n, o := range sealed {
		all[n] = plan.Wish{Output: o, Preset: presets[o.PresetID], Bucket: p.ContentBucket(), Thumbnails: p.ThumbnailBucket(),
			Prefix: j.OutputKeyPrefix, Key: j.OutputKeyPrefix + o.Key,
			Storage: plan.StorageOf(p.ContentStorage()), ThumbnailStorage: plan.StorageOf(p.ThumbnailStorage()),
			Watermarks: pictures[n].watermarks, Artwork: pictures[n].artwork}
	}
	return all
}

// claimNames fails each output whose name is taken: by an object, or by another
// job that will write it (3002). The others go on.
func (i *Ingester) claimNames(ctx context.Context, v Vault, p *plan.Plan) error {
	for n := range p.Outputs {
		o := p.Outputs[n]
		if o.Failure != nil {
			continue
		}
		names := []name{{o.Bucket, o.Key, o.MainKey()}}
		if t := o.Thumbnails; t != nil {
			names = append(names, name{t.Bucket, t.Names.All(), t.Names.Key(1)})
		}
		for _, c := range o.CaptionFiles() {
			names = append(names, name{o.Bucket, c.Set(), c.Key(0)})
		}
		for _, wanted := range names {
			taken, err := i.taken(ctx, v, ledger.Entry{Job: p.Job, Output: o.ID}, wanted)
			if err != nil {
				return err
			}
			if taken {
				p.Fail(n, job.OutputExists(wanted.bucket, wanted.object))
				break
			}
		}
	}
	return nil
}

// name is one that an output needs for itself: in the catalogue, and that of the
// object that stands for what is written under it.
type name struct{ bucket, catalogued, object string }

// claimPairs fails each output whose key and IV are those of another file, in
// the modes where two files under one pair could be read by their difference.
func (i *Ingester) claimPairs(ctx context.Context, v Vault, p *plan.Plan) error {
	for n := range p.Outputs {
		o := p.Outputs[n]
		if o.Failure != nil || o.Encryption == nil {
			continue
		}
		pair, err := v.Claim(ctx, o.Encryption, o.SegmentFrames > 0)
		if err != nil {
			return err
		}
		if pair == "" {
			continue
		}
		owner, err := i.Ledger.ClaimPair(ctx, pair, ledger.Entry{Job: p.Job, Output: o.ID})
		if err != nil {
			return err
		}
		if mine := (ledger.Entry{Job: p.Job, Output: o.ID}); owner != mine {
			p.Fail(n, job.Fail(job.CodeValidation, "the Key and InitializationVector were given to output %s of job %s already: in mode %s a pair must never encrypt two files; give another InitializationVector",
				owner.Output, owner.Job, o.Encryption.Mode))
		}
	}
	return nil
}

// taken says whether a name is: by an object, or by an output that is still going
// to write it. The claim of a job that has ended is taken over.
func (i *Ingester) taken(ctx context.Context, v Vault, mine ledger.Entry, wanted name) (bool, error) {
	owner, err := i.Ledger.Catalog(ctx, wanted.bucket, wanted.catalogued, mine, func(e ledger.Entry) (bool, error) {
		rec, err := i.Ledger.Job(ctx, e.Job)
		if errors.Is(err, object.ErrNotExist) {
			return true, nil
		}
		return err == nil && job.Terminal(rec.Job.Status), err
	})
	if err != nil || owner != mine {
		return true, err
	}
	return v.Exists(ctx, wanted.bucket, wanted.object)
}

// start queues the first tasks of a plan: the sound, which chunks with sound
// wait for, and the chunks without. An output that can't be made is handed to
// assemble at once.
func (i *Ingester) start(ctx context.Context, p *plan.Plan) error {
	for _, o := range p.Outputs {
		if o.Failure != nil {
			if err := i.Ledger.MarkReady(ctx, p.Job, o.ID); err != nil {
				return err
			}
		}
	}
	done, err := i.Ledger.Receipts(ctx, p.Job)
	if err != nil {
		return err
	}
	return i.Queue.Send(ctx, p.FirstTasks(done)...)
}
