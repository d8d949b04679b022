package job

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxDetail is the longest StatusDetail in characters (API: Description).
const maxDetail = 255

// ErrNotCancelable is what Cancel answers for a job that is not Submitted.
var ErrNotCancelable = errors.New("only a job in Submitted can be canceled")

// Result is what became of a completed output. Sizes are bytes of plaintext
// media; Width, Height and FrameRate stay empty without video.
type Result struct {
	DurationMillis int64
	Width, Height  int
	FrameRate      string
	FileSize       int64
	Conversion     string // of colours; "" where the preset says nothing of them
	Warning        string // shown as StatusDetail, or ""
}

// New is the job that a request becomes: Submitted, with output ids from "1".
// A request that broke rules may be given, to show its failure.
func New(id string, req *Request, submitted time.Time) Job {
	j := Job{
		ID:              id,
		PipelineID:      req.PipelineID,
		Inputs:          req.Inputs,
		Outputs:         req.Outputs,
		OutputKeyPrefix: req.OutputKeyPrefix,
		Playlists:       req.Playlists,
		Status:          Submitted,
		UserMetadata:    req.UserMetadata,
		Timing:          Timing{SubmitTimeMillis: submitted.UnixMilli()},
	}.clone()
	for i := range j.Outputs {
		j.Outputs[i].ID = strconv.Itoa(i + 1)
		j.Outputs[i].Status = Submitted
	}
	for i := range j.Playlists {
		j.Playlists[i].Status = Submitted
	}
	return j
}

// The functions below advance a job by one event and return the new job; the
// one given is not changed. An event that arrives again, late or after the
// output has ended changes nothing, so that every order and number of
// deliveries ends in a job that is as final as the first ending made it.

// StartOutput records that work on an output began.
func StartOutput(j Job, outputID string, at time.Time) (Job, error) {
	return advance(j, outputID, at, func(o *Output) {
		if o.Status == Submitted {
			o.Status = Progressing
		}
	})
}

// CompleteOutput records that everything of an output is stored. When it is
// the last one, its playlists and the job become final with it: whatever can
// fail a playlist must be reported by FailPlaylist before.
func CompleteOutput(j Job, outputID string, r Result, at time.Time) (Job, error) {
	return advance(j, outputID, at, func(o *Output) {
		o.Status, o.StatusDetail = Complete, shorten(r.Warning)
		o.DurationMillis, o.Duration = r.DurationMillis, (r.DurationMillis+500)/1000
		o.Width, o.Height, o.FrameRate, o.FileSize = r.Width, r.Height, r.FrameRate, r.FileSize
		o.AppliedColorSpaceConversion = r.Conversion
	})
}

// FailOutput ends an output with a failure. Other outputs go on; playlists
// that need it end with 1001.
func FailOutput(j Job, outputID string, f *Failure, at time.Time) (Job, error) {
	return advance(j, outputID, at, func(o *Output) {
		o.Status, o.StatusDetail = Error, StatusDetail(j.ID, outputID, f)
	})
}

// FailJob ends every output that has not ended, and so the job. A job that has
// ended is left as it is.
func FailJob(j Job, f *Failure, at time.Time) Job {
	if Terminal(j.Status) {
		return j
	}
	j = j.clone()
	j.StatusDetail = StatusDetail(j.ID, "job", f)
	for i := range j.Outputs {
		if o := &j.Outputs[i]; !Terminal(o.Status) {
			o.Status, o.StatusDetail = Error, StatusDetail(j.ID, o.ID, f)
		}
	}
	if len(j.Outputs) == 0 {
		j.Status = Error
		j.Timing.finish(at)
	}
	return derive(j, at)
}

// FailPlaylist ends a playlist with a failure of its own, such as a name that
// exists already. The job ends in Error once its outputs have ended.
func FailPlaylist(j Job, name string, f *Failure, at time.Time) (Job, error) {
	j = j.clone()
	for i := range j.Playlists {
		if p := &j.Playlists[i]; p.Name == name {
			if !Terminal(p.Status) {
				p.Status, p.StatusDetail = Error, StatusDetail(j.ID, "playlist "+name, f)
			}
			return derive(j, at), nil
		}
	}
	return j, fmt.Errorf("job %s has no playlist %q", j.ID, name)
}

// Cancel ends a job that has not begun. It answers ErrNotCancelable for any
// other, except for one that is canceled already.
func Cancel(j Job, at time.Time) (Job, error) {
	if j.Status == Canceled {
		return j, nil
	}
	if j.Status != Submitted {
		return j, fmt.Errorf("job %s is %s: %w", j.ID, j.Status, ErrNotCancelable)
	}
	j = j.clone()
	for i := range j.Outputs {
		j.Outputs[i].Status = Canceled
	}
	for i := range j.Playlists {
		j.Playlists[i].Status = Canceled
	}
	j.Status = Canceled
	j.Timing.finish(at)
	return j, nil
}

// Terminal says whether a status is final.
func Terminal(status string) bool {
	return status == Complete || status == Canceled || status == Error
}

// StatusDetail is a failure as the job shows it: "<code> <uuid>: <text>", at
// most 255 characters. Part is the output's id; the same failure of the same
// part always gives the same text.
func StatusDetail(jobID, part string, f *Failure) string {
	return shorten(fmt.Sprintf("%d %s: %s", f.Code, statusUUID(jobID, part), f.Detail))
}

func advance(j Job, outputID string, at time.Time, change func(*Output)) (Job, error) {
	j = j.clone()
	for i := range j.Outputs {
		if o := &j.Outputs[i]; o.ID == outputID {
			if !Terminal(o.Status) {
				change(o)
			}
			return derive(j, at), nil
		}
	}
	return j, fmt.Errorf("job %s has no output %q", j.ID, outputID)
}

// derive sets what follows from the outputs' states: the playlists', the job's
// and the timing.
func derive(j Job, at time.Time) Job {
	if Terminal(j.Status) || len(j.Outputs) == 0 {
		return j
	}
	for i := range j.Playlists {
		derivePlaylist(&j, &j.Playlists[i])
	}
	begun, ended, failed := tally(j.Outputs)
	if begun > 0 && j.Timing.StartTimeMillis == 0 {
		j.Timing.StartTimeMillis = max(at.UnixMilli(), j.Timing.SubmitTimeMillis)
	}
	for _, p := range j.Playlists {
		if p.Status == Error {
			failed++
		}
	}
	switch {
	case ended < len(j.Outputs):
		if begun+failed > 0 {
			j.Status = Progressing
		}
		return j
	case failed > 0:
		j.Status = Error
	default:
		j.Status = Complete
	}
	j.Timing.finish(at)
	return j
}

// tally counts the outputs that began and did not fail, those that have ended in
// whatever way, and those that failed.
func tally(outputs []Output) (begun, ended, failed int) {
	for _, o := range outputs {
		switch {
		case o.Status == Error:
			failed++
		case o.Status != Submitted:
			begun++
		}
		if Terminal(o.Status) {
			ended++
		}
	}
	return begun, ended, failed
}

// derivePlaylist: a playlist begins with its first output, ends with its last
// and can't be made once one has failed.
func derivePlaylist(j *Job, p *Playlist) {
	if Terminal(p.Status) {
		return
	}
	begun, completed := false, 0
	for _, o := range j.Outputs {
		if !slices.Contains(p.OutputKeys, o.Key) {
			continue
		}
		switch o.Status {
		case Error:
			p.Status, p.StatusDetail = Error, StatusDetail(j.ID, "playlist "+p.Name, DependencyFailed())
			return
		case Complete:
			completed++
		}
		begun = begun || o.Status != Submitted
	}
	switch {
	case completed == len(p.OutputKeys):
		p.Status = Complete
	case begun:
		p.Status = Progressing
	}
}

// finish keeps the times in order whatever the clocks of two functions say.
func (t *Timing) finish(at time.Time) {
	t.FinishTimeMillis = max(at.UnixMilli(), t.StartTimeMillis, t.SubmitTimeMillis)
}

func (j Job) clone() Job {
	j.Inputs = slices.Clone(j.Inputs)
	j.Outputs = slices.Clone(j.Outputs)
	j.Playlists = slices.Clone(j.Playlists)
	for i := range j.Playlists {
		j.Playlists[i].OutputKeys = slices.Clone(j.Playlists[i].OutputKeys)
	}
	j.UserMetadata = maps.Clone(j.UserMetadata)
	return j
}

// shorten cuts a text to what a StatusDetail may have.
func shorten(text string) string {
	if utf8.RuneCountInString(text) <= maxDetail {
		return text
	}
	return string([]rune(text)[:maxDetail-3]) + "..."
}
