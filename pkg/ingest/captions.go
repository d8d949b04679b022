package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sealreel/pkg/caption"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// captions reads the captions of a planned job, those beside its inputs and those
// in them, and puts them into the plan of each output that wants some. An output
// whose captions can't be made fails alone. What was read is kept as work files,
// so that nothing that comes later depends on what becomes of the sources.
func (i *Ingester) captions(ctx context.Context, v Vault, bucket string, j job.Job, probed []Probed, made *plan.Plan) error {
	c := &captioner{Ingester: i, vault: v, bucket: bucket, plan: made, probed: probed, read: map[string]readCaptions{}}
	for n, o := range j.Outputs {
		if planned := made.Outputs[n]; o.Captions == nil || len(o.Captions.CaptionFormats) == 0 || planned.Failure != nil || planned.Picture == nil {
			continue
		}
		captions, err := c.output(ctx, j, n)
		var failure *job.Failure
		switch {
		case errors.As(err, &failure):
			made.Fail(n, failure)
		case err != nil:
			return err
		default:
			made.Outputs[n].Captions = captions
		}
	}
	return nil
}

// captioner reads the captions of one job. What several outputs have is read
// once.
type captioner struct {
	*Ingester
	vault  Vault
	bucket string // of side-car files
	plan   *plan.Plan
	probed []Probed                // of the plan's inputs
	read   map[string]readCaptions // by what was asked for
}

// readCaptions are tracks that are stored, or why there are none.
type readCaptions struct {
	tracks  []storedTrack
	failure *job.Failure
}

// storedTrack is a track that is stored, and the formats that it can't be written
// in.
type storedTrack struct {
	language, label string
	piece           plan.CaptionPiece
	unfit           map[caption.Format]error
}

func languageOfTrack(t storedTrack) string { return t.language }

// output is what the plan has of an output's captions.
func (c *captioner) output(ctx context.Context, j job.Job, n int) (*plan.Captions, error) {
	o, planned := j.Outputs[n], &plan.Captions{}
	for _, f := range o.Captions.CaptionFormats {
		sealed, err := c.vault.Seal(ctx, f.Encryption)
		if err != nil {
			return nil, err
		}
		format := plan.CaptionFormat{Format: caption.Format(f.Format), Encryption: sealed}
		if !f.Embedded() {
			format.Prefix, format.Pattern = j.OutputKeyPrefix, f.Pattern
		}
		planned.Formats = append(planned.Formats, format)
	}
	takes := c.plan.Takes(c.plan.Outputs[n])
	parts := make([][]storedTrack, len(takes))
	for take, t := range takes { // the take of a place is of the Input of that place
		var err error
		if parts[take], err = c.tracks(ctx, o.CaptionsFrom(j.Inputs[take]), t.Input); err != nil {
			return nil, err
		}
	}
	for _, pieces := range caption.Stitch(parts, languageOfTrack) {
		track := plan.CaptionTrack{Language: pieces[0].Track.language, Label: pieces[0].Track.label}
		for _, p := range pieces {
			if err := p.Track.fit(planned.Formats); err != nil {
				return nil, err
			}
			p.Track.piece.Take = p.Part
			track.Pieces = append(track.Pieces, p.Track.piece)
		}
		planned.Tracks = append(planned.Tracks, track)
	}
	return planned, nil
}

// fit fails for a track that can't be written in one of the formats.
func (t storedTrack) fit(formats []plan.CaptionFormat) error {
	for _, f := range formats {
		if err := t.unfit[f.Format]; err != nil {
			return job.FailCause(err, job.CodeValidation, "the captions in the language %s can't be written in the format %s: %v; leave the format out", t.language, f.Format, err)
		}
	}
	return nil
}

// tracks are the captions that a policy makes of those beside and those in an
// input.
func (c *captioner) tracks(ctx context.Context, from job.InputCaptions, input int) ([]storedTrack, error) {
	var beside, within []storedTrack
	for _, s := range from.CaptionSources {
		found, err := c.once(s, func() ([]storedTrack, error) { return c.file(ctx, s) })
		if err != nil {
			return nil, err
		}
		beside = append(beside, found...)
	}
	policy := caption.MergeOverride // an output may ask for what is in the input without naming one
	if from.MergePolicy != "" {
		policy = caption.Policy(from.MergePolicy)
	}
	if policy != caption.Override {
		var err error
		if within, err = c.once(input, func() ([]storedTrack, error) { return c.embedded(ctx, input) }); err != nil {
			return nil, err
		}
	}
	return caption.Merge(policy, within, beside, languageOfTrack)
}

// once reads what is asked for, or answers what it answered before. A failure
// that lasts is answered again.
func (c *captioner) once(asked any, read func() ([]storedTrack, error)) ([]storedTrack, error) {
	name, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	known, ok := c.read[string(name)]
	if !ok {
		known.tracks, err = read()
		if err != nil && !errors.As(err, &known.failure) {
			return nil, err
		}
		c.read[string(name)] = known
	}
	if known.failure != nil {
		return nil, known.failure
	}
	return known.tracks, nil
}

// file reads a side-car file.
func (c *captioner) file(ctx context.Context, s job.CaptionSource) ([]storedTrack, error) {
	offset, err := caption.ParseOffset(s.TimeOffset)
	if err != nil {
		return nil, job.FailCause(err, job.CodeValidation, "%v", err)
	}
	in, err := c.vault.Pin(ctx, c.bucket, s.Key, "", s.Encryption)
	if err != nil {
		return nil, pinFailure(err, c.bucket, s.Key)
	}
	if err := c.vault.Verify(ctx, in); err != nil {
		return nil, err
	}
	media, err := c.vault.Input(ctx, in, 1)
	if err != nil {
		return nil, err
	}
	defer media.Close()
	cues, _, err := caption.Read(io.NewSectionReader(media, 0, media.Size()))
	if err != nil {
		return nil, captionFailure(err, in)
	}
	stored, err := c.store(ctx, caption.Track{Language: s.Language, Label: s.Label, Cues: caption.Shift(cues, offset)})
	if err != nil {
		return nil, err
	}
	stored.piece.Source = &in
	return []storedTrack{stored}, nil
}

// captionFailure is what a caption file that can't be read comes to. One that is
// encrypted by no storage and turns out to hold no captions reads like a file
// that can't be decrypted: see probe.
func captionFailure(err error, in plan.Input) error {
	failure := caption.FileFailure(err, in.Bucket, in.Key)
	if failure != err && in.Encryption != nil && in.Encryption.InitializationVector != "" {
		return job.DecryptFailed(err, in.Key, in.Encryption.Mode)
	}
	return failure
}

// embedded reads the captions in an input of the plan.
func (c *captioner) embedded(ctx context.Context, input int) ([]storedTrack, error) {
	where, in := c.probed[input].Embedded, c.plan.Inputs[input]
	if len(where.Texts) == 0 && where.Picture == nil {
		return nil, nil
	}
	media, err := c.vault.Input(ctx, in, 1)
	if err != nil {
		return nil, err
	}
	defer media.Close()
	tracks, err := c.Captions(ctx, media, where)
	if err != nil {
		return nil, caption.TrackFailure(err, in.Key)
	}
	var all []storedTrack
	for _, t := range tracks {
		stored, err := c.store(ctx, t)
		if err != nil {
			return nil, err
		}
		all = append(all, stored)
	}
	return all, nil
}

// store keeps a track as a work file that no other attempt uses.
func (c *captioner) store(ctx context.Context, t caption.Track) (storedTrack, error) {
	packed, err := caption.Pack(t.Cues)
	if err != nil {
		return storedTrack{}, err
	}
	key := fmt.Sprintf("%s/captions-%s", c.plan.Job, rand.Text())
	size, err := c.vault.StoreWork(ctx, key, bytes.NewReader(packed))
	if err != nil {
		return storedTrack{}, err
	}
	stored := storedTrack{language: t.Language, label: t.Label, unfit: map[caption.Format]error{}}
	stored.piece.File = task.WorkFile{Key: key, Size: size}
	for _, f := range []caption.Format{caption.SCC, caption.MovText} {
		if err := caption.Check(f, caption.Clip(t.Cues, 0, -1)); err != nil {
			stored.unfit[f] = err
		}
	}
	return stored, nil
}
