package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
)

// States that topics hear of, as messages call them.
const (
	Progressing = "PROGRESSING"
	Completed   = "COMPLETED"
	Warning     = "WARNING"
	Error       = "ERROR"
)

// apiVersion is that of Elastic Transcoder's API, in each message.
const apiVersion = "2012-09-25"

// States are the states that a job has reached, in the order in which it did. A
// job that was canceled or waits has reached none, and what a job is warned of
// is told when it has ended, all at once.
func States(rec *ledger.Record) []string {
	j := rec.Job
	var all []string
	began := j.Timing.StartTimeMillis > 0
	if began {
		all = append(all, Progressing)
	}
	if began && job.Terminal(j.Status) && len(warnings(rec)) > 0 {
		all = append(all, Warning)
	}
	switch j.Status {
	case job.Complete:
		all = append(all, Completed)
	case job.Error:
		all = append(all, Error)
	}
	return all
}

// warnings are those of the outputs, then those of the pipeline. The record of a
// job that was refused keeps the reasons in their place, so it is not asked.
func warnings(rec *ledger.Record) []string {
	var all []string
	for _, o := range rec.Job.Outputs {
		if warned(o) {
			all = append(all, o.StatusDetail)
		}
	}
	return append(all, rec.Warnings...)
}

// warned says whether an output is complete with a warning.
func warned(o job.Output) bool { return o.Status == job.Complete && o.StatusDetail != "" }

// Subject is the subject of a message, in Elastic Transcoder's words; those of a
// warning are not on record and ours. It has at most 100 characters of ASCII, as
// SNS demands.
func Subject(state, jobID string) string {
	form := map[string]string{
		Progressing: "Amazon Elastic Transcoder has scheduled job %s for transcoding.",
		Completed:   "Amazon Elastic Transcoder has finished transcoding job %s.",
		Warning:     "Amazon Elastic Transcoder has a warning about job %s.",
		Error:       "The Amazon Elastic Transcoder job %s has failed.",
	}[state]
	return fmt.Sprintf(form, jobID)
}

// The wire types are the whole of what a message can hold: Encryption, in
// whatever object of a job, has no place in them. Members that are unset are
// left out.
type (
	message struct {
		State           string            `json:"state"`
		ErrorCode       int               `json:"errorCode,omitempty"`
		MessageDetails  string            `json:"messageDetails,omitempty"`
		Version         string            `json:"version"`
		JobID           string            `json:"jobId"`
		PipelineID      string            `json:"pipelineId,omitempty"`
		Input           *input            `json:"input,omitempty"` // the first
		InputCount      int               `json:"inputCount"`
		OutputKeyPrefix string            `json:"outputKeyPrefix,omitempty"`
		Outputs         []output          `json:"outputs,omitempty"`
		Playlists       []playlist        `json:"playlists,omitempty"`
		UserMetadata    map[string]string `json:"userMetadata,omitempty"`
	}
	input struct {
		Key         string `json:"key"`
		FrameRate   string `json:"frameRate,omitempty"`
		Resolution  string `json:"resolution,omitempty"`
		AspectRatio string `json:"aspectRatio,omitempty"`
		Interlaced  string `json:"interlaced,omitempty"`
		Container   string `json:"container,omitempty"`
	}
	output struct {
		ID               string  `json:"id"`
		PresetID         string  `json:"presetId"`
		Key              string  `json:"key"`
		ThumbnailPattern string  `json:"thumbnailPattern,omitempty"`
		Rotate           string  `json:"rotate,omitempty"`
		SegmentDuration  float64 `json:"segmentDuration,omitempty"` // seconds
		Status           string  `json:"status"`                    // Progressing, Complete, Warning or Error
		StatusDetail     string  `json:"statusDetail,omitempty"`
		ErrorCode        int     `json:"errorCode,omitempty"`
		Duration         int64   `json:"duration,omitempty"` // whole seconds
		Width            int     `json:"width,omitempty"`
		Height           int     `json:"height,omitempty"`
	}
	playlist struct {
		Name         string   `json:"name"`
		Format       string   `json:"format"`
		OutputKeys   []string `json:"outputKeys"`
		Status       string   `json:"status"`
		StatusDetail string   `json:"statusDetail,omitempty"`
		ErrorCode    int      `json:"errorCode,omitempty"`
	}
)

// Message is the text of a message: JSON with Elastic Transcoder's members, over
// several lines as it had them. The message of PROGRESSING is the same whenever
// it is made: it shows all outputs as they begin.
func Message(state string, rec *ledger.Record) string {
	j := rec.Job
	m := message{
		State: state, Version: apiVersion, JobID: j.ID, PipelineID: j.PipelineID,
		InputCount: len(j.Inputs), OutputKeyPrefix: j.OutputKeyPrefix, UserMetadata: j.UserMetadata,
	}
	switch state {
	case Error:
		m.ErrorCode, m.MessageDetails = codeOf(j.StatusDetail), clean(j.StatusDetail)
	case Warning:
		m.MessageDetails = clean(warnings(rec)[0])
	}
	if len(j.Inputs) > 0 {
		in := j.Inputs[0]
		m.Input = &input{in.Key, in.FrameRate, in.Resolution, in.AspectRatio, in.Interlaced, in.Container}
	}
	for _, o := range j.Outputs {
		m.Outputs = append(m.Outputs, outputOf(state, o))
	}
	for _, p := range j.Playlists {
		shown := playlist{Name: p.Name, Format: p.Format, OutputKeys: p.OutputKeys, Status: job.Progressing}
		if state != Progressing {
			shown.Status, shown.StatusDetail, shown.ErrorCode = p.Status, clean(p.StatusDetail), codeOf(p.StatusDetail)
		}
		m.Playlists = append(m.Playlists, shown)
	}
	return encode(m)
}

func outputOf(state string, o job.Output) output {
	seconds, _ := o.SegmentSeconds()
	shown := output{ID: o.ID, PresetID: o.PresetID, Key: o.Key, ThumbnailPattern: o.ThumbnailPattern, Rotate: o.Rotate,
		SegmentDuration: float64(seconds.Num) / float64(max(seconds.Den, 1)), Status: job.Progressing}
	if state == Progressing {
		return shown
	}
	shown.Status, shown.StatusDetail = o.Status, clean(o.StatusDetail)
	shown.Duration, shown.Width, shown.Height = o.Duration, o.Width, o.Height
	if warned(o) {
		shown.Status = "Warning"
	} else {
		shown.ErrorCode = codeOf(o.StatusDetail)
	}
	return shown
}

// digest is the base64 of an MD5, as failures of keys name the key by. A cut
// text may have but its beginning.
var digest = regexp.MustCompile(`[0-9A-Za-z+/]{22}==`)

// clean takes the digest of a key out of a text: whoever may hear of jobs need
// not learn which share a key. The job itself shows it.
func clean(detail string) string { return digest.ReplaceAllString(detail, "(shown by the job)") }

// codeOf is the code that a StatusDetail of a failure begins with.
func codeOf(detail string) int {
	number, _, _ := strings.Cut(detail, " ")
	code, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return code
}

func encode(m message) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		panic(fmt.Sprintf("notify: encode a message: %v", err)) // texts and numbers always can be
	}
	return strings.TrimSuffix(b.String(), "\n")
}
