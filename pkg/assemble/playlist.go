package assemble

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"sealreel/pkg/hls"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// playlistType is the media type of playlists (RFC 8216, 4).
const playlistType = "application/vnd.apple.mpegurl"

// playlist writes the media playlist over the output's segments.
func (m *making) playlist(ctx context.Context) (*ledger.Result, error) {
	var segments []task.Segment
	for _, made := range m.made {
		segments = append(segments, made.Segments...)
	}
	key := m.output.Names().Playlist
	text, err := hls.Media(key, listed(segments))
	if err != nil {
		return nil, job.FailCause(err, job.CodeSegmentsMismatch, "the playlist %s cannot be written over the segments that were made: %v", key, err)
	}
	owner := m.plan.Job + "/" + m.output.ID
	if _, err := m.vault.StorePlain(ctx, m.output, key, playlistType, owner, bytes.NewReader(text)); err != nil {
		return nil, err
	}
	result := &ledger.Result{Segments: segments}
	var ticks int64
	for _, s := range segments {
		ticks += s.Ticks
		result.Result.FileSize += s.Bytes
	}
	result.Result.DurationMillis = (ticks*1000 + hls.Clock/2) / hls.Clock
	return result, nil
}

func listed(segments []task.Segment) []hls.Segment {
	all := make([]hls.Segment, len(segments))
	for i, s := range segments {
		all[i] = hls.Segment{Key: s.Key, Ticks: s.Ticks, Bytes: s.Bytes, Break: s.Break}
	}
	return all
}

// masters writes the job's master playlists whose outputs all have a result. A
// playlist over an output that failed is not written: the job shows it as
// failed with its output. What keeps another from being written is returned by
// its name.
func (a *Assembler) masters(ctx context.Context, p *plan.Plan, rec *ledger.Record, results []*ledger.Result) (map[string]*job.Failure, error) {
	failed := map[string]*job.Failure{}
	for _, list := range rec.Job.Playlists {
		variants, ok := variantsOf(p, rec.Job, list, results)
		if !ok || job.Terminal(list.Status) {
			continue
		}
		key := job.MasterName(rec.Job.OutputKeyPrefix, list)
		err := a.master(ctx, p, key, variants)
		var failure *job.Failure
		if errors.As(err, &failure) {
			a.Log.WarnContext(ctx, "playlist failed", "playlist", list.Name, "err", err)
			failed[list.Name] = failure
		} else if err != nil {
			return nil, err
		}
	}
	return failed, nil
}

// variantsOf are the outputs of a playlist in its order; false when one failed
// or has no result yet.
func variantsOf(p *plan.Plan, j job.Job, list job.Playlist, results []*ledger.Result) ([]hls.Variant, bool) {
	var variants []hls.Variant
	for _, key := range list.OutputKeys {
		place := slices.IndexFunc(j.Outputs, func(o job.Output) bool { return o.Key == key })
		if place < 0 || results[place] == nil || results[place].Failure != nil {
			return nil, false
		}
		o, r := p.Outputs[place], results[place]
		v := hls.Variant{
			Key: o.Names().Playlist, Segments: listed(r.Segments), Codecs: r.Codecs,
			Width: r.Result.Width, Height: r.Result.Height,
		}
		if o.Picture != nil {
			v.FrameRate = p.Groups[o.Group].Rate
		}
		variants = append(variants, v)
	}
	return variants, true
}

func (a *Assembler) master(ctx context.Context, p *plan.Plan, key string, variants []hls.Variant) error {
	text, err := hls.Master(key, variants)
	if err != nil {
		return job.FailCause(err, job.CodeSegmentsMismatch, "the playlist %s cannot be written: %v", key, err)
	}
	vault, err := a.Open(ctx, p.Keys)
	if err != nil {
		return err
	}
	defer vault.Close()
	if _, err := vault.StorePlain(ctx, p.Outputs[0], key, playlistType, p.Job, bytes.NewReader(text)); err != nil {
		return err
	}
	return a.Ledger.Warn(ctx, p.Job, vault.Warnings()...)
}
