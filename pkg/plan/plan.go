// Package plan decides how a job is cut into tasks: which frames each chunk
// encodes, where segments end, and which sound goes with which picture.
//
// Everything is counted in places of a constant output grid, so that the frames
// of all chunks together are exactly those of one encode of the whole file, and
// a segment ends at a frame's number, not at a rounded time. A Plan is written
// once and never changed: a worker needs nothing but the plan and its task's
// name. The package holds rules only and imports no AWS SDK.
package plan

import (
	"slices"
	"time"

	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/rational"
	"sealreel/pkg/role"
	"sealreel/pkg/still"
	"sealreel/pkg/task"
)

// Version is the version of plans that this code writes. It reads no newer one.
const Version = 2

// Plan is all that the tasks of a job need to know.
type Plan struct {
	Version int     `json:"version"`
	Job     string  `json:"job"`
	Inputs  []Input `json:"inputs"` // each object once, whatever is taken of it
	Keys    Keys    `json:"keys"`
	// Programmes are what outputs play, each in takes. The first has a take for
	// each of the job's inputs; others are of outputs with a clip of their own.
	Programmes [][]Take `json:"programmes"`
	Sounds     []Sound  `json:"sounds,omitempty"`
	Stills     []Still  `json:"stills,omitempty"` // what outputs draw on their frames
	Groups     []Group  `json:"groups"`
	Outputs    []Output `json:"outputs"`
	// Window is how many chunks of a group may wait in the queue at once; 0, as
	// in plans that older functions made, knows no bound.
	Window int `json:"window,omitempty"`
}

// Input is the pinned version of an object: later reads carry VersionID and
// ETag, so that what was probed is what is transcoded. Size is of plaintext.
type Input struct {
	Bucket     string          `json:"bucket"`
	Key        string          `json:"key"`
	VersionID  string          `json:"versionId"`
	ETag       string          `json:"eTag"`
	Size       int64           `json:"size"`
	Encryption *job.Encryption `json:"encryption,omitempty"`
	// Envelope is that of the version, in mode s3-encryption-client: later reads
	// use this one, whatever the object's metadata says then.
	Envelope *envelope.Envelope `json:"envelope,omitempty"`
	// Detected is what the probe found, for the job to show.
	Detected job.DetectedProperties `json:"detected"`
}

// Still is a picture that a user gave, pinned as an Input is.
type Still struct {
	Input      Input `json:"input"`
	still.Info       // its format, and its size in pixels
}

// Keys say how the job's keys are unwrapped and new ones are wrapped, and hold
// the wrapped data key of its work files.
type Keys struct {
	KeyARN     string            `json:"keyArn,omitempty"` // the pipeline's
	WorkKeyARN string            `json:"workKeyArn,omitempty"`
	Context    map[string]string `json:"context"`
	Work       job.Encryption    `json:"work"`
	// Role is the pipeline's, under which the job's objects and keys are used; nil
	// where the functions use their own.
	Role *role.Role `json:"role,omitempty"`
}

// Video is the stream that pictures come from. Times are in units of TimeBase.
type Video struct {
	Stream   int               `json:"stream"`
	TimeBase rational.Rational `json:"timeBase"`
	Start    int64             `json:"start"` // the input's time zero
	// Reset says that the input's clock is set anew somewhere, so that ffmpeg has
	// to make times continuous; then the first frame is shown at First.
	Reset bool  `json:"reset,omitempty"`
	First int64 `json:"first,omitempty"`
	// Deinterlace says which of its pictures are of two fields: Flagged or All, "" for
	// none.
	Deinterlace string `json:"deinterlace,omitempty"`
	// Join is what the take needs beside others; nil for a take that comes alone.
	Join *Join `json:"join,omitempty"`
}

// Audio is the stream that sound comes from, with the Tracks that are further
// channels of it. Start is the input's time zero in
// seconds of the stream's clock.
type Audio struct {
	Stream int               `json:"stream"`
	Tracks []int             `json:"tracks,omitempty"`
	Start  rational.Rational `json:"start"`
	Reset  bool              `json:"reset,omitempty"`  // as for Video
	Begins time.Duration     `json:"begins,omitempty"` // after time zero
	// Seek is where to look for the sound of a take, after time zero; nil is from
	// the beginning.
	Seek   *time.Duration `json:"seek,omitempty"`
	Silent bool           `json:"silent,omitempty"` // the take begins after the sound has ended
}

// Group is a set of outputs that one decode feeds: they share rate and chunks.
// Without Picture its grid is of frames of sound and nothing is decoded for it.
type Group struct {
	Programme int               `json:"programme,omitempty"`
	Picture   bool              `json:"picture"`
	Fields    bool              `json:"fields,omitempty"` // its pictures are of two fields: places of reads are those of fields, two a frame
	Rate      rational.Rational `json:"rate"`
	Frames    int64             `json:"frames"`
	Chunks    []Chunk           `json:"chunks"`
	Outputs   []int             `json:"outputs"`
}

// Output is one output of the job, by its place there.
type Output struct {
	Job           string    `json:"job"`
	ID            string    `json:"id"`
	Group         int       `json:"group"`
	Sound         int       `json:"sound"`                 // place in Sounds, -1 for none
	SoundTracks   int       `json:"soundTracks,omitempty"` // of one channel each; 0: one track of all channels
	Picture       *Picture  `json:"picture,omitempty"`
	Artwork       []Artwork `json:"artwork,omitempty"` // of the album, in order
	Container     string    `json:"container"`
	Bucket        string    `json:"bucket"`
	Key           string    `json:"key"`                     // with the prefix
	SegmentFrames int64     `json:"segmentFrames,omitempty"` // 0: a single file
	// FragmentFrames is the length of the fragments of a file that is one of them
	// after the other; 0: a group of pictures.
	FragmentFrames int64           `json:"fragmentFrames,omitempty"`
	Encryption     *job.Encryption `json:"encryption,omitempty"` // with the wrapped key, also when it was generated
	Storage
	Captions   *Captions     `json:"captions,omitempty"`   // nil for none
	Thumbnails *Thumbnails   `json:"thumbnails,omitempty"` // nil for none
	Conversion string        `json:"conversion,omitempty"` // of colours, for the job to show
	Warning    string        `json:"warning,omitempty"`    // for the completed output to show
	Failure    *task.Failure `json:"failure,omitempty"`    // known before anything was encoded

	set bool // see Set
}

// Storage is how objects are stored, as the pipeline has it for them.
type Storage struct {
	StorageClass string                `json:"storageClass,omitempty"` // "" for Standard
	Permissions  []pipeline.Permission `json:"permissions,omitempty"`
}

// StorageOf is that of a pipeline's configuration.
func StorageOf(c pipeline.OutputConfig) Storage {
	s := Storage{Permissions: c.Permissions}
	if c.StorageClass != pipeline.Standard {
		s.StorageClass = c.StorageClass
	}
	return s
}

// Tasks are the names of all chunks of the group with that place.
func (p *Plan) Tasks(group int) []string {
	names := make([]string, len(p.Groups[group].Chunks))
	for i := range names {
		names[i] = task.Chunk(group, i)
	}
	return names
}

// SoundsOf are the encodings that outputs of the group use, by their place in
// Sounds. The chunks of a group that uses any wait for the audio task.
func (p *Plan) SoundsOf(group int) []int {
	var places []int
	for _, o := range p.Groups[group].Outputs {
		if s := p.Outputs[o].Sound; s >= 0 && !slices.Contains(places, s) {
			places = append(places, s)
		}
	}
	return places
}

// Names are the keys of the output's objects.
func (o Output) Names() job.Names {
	named := job.Output{Key: o.Key}
	if o.SegmentFrames > 0 {
		named.SegmentDuration = "1" // whatever it is, it makes segments
	}
	return job.OutputNames("", named, o.Container)
}

// MainKey is the key of the object that stands for the output: the media
// playlist of a segmented one, else the file itself.
func (o Output) MainKey() string {
	if n := o.Names(); n.Segmented() {
		return n.Playlist
	}
	return o.Key
}

// FirstTasks are the messages that set a job going, less what has a receipt:
// the sound, which the chunks of groups with sound wait for, and the chunks of
// groups without. Of a group that has not begun it is as many as may wait at once;
// of one that has, all, since the receipts that were to let the others go are
// there already.
func (p *Plan) FirstTasks(done map[string]bool) []task.Message {
	var messages []task.Message
	ask := func(name string) {
		messages = append(messages, task.Message{Version: task.Version, Job: p.Job, Task: name})
	}
	sound := false
	for g := range p.Groups {
		if len(p.Groups[g].Outputs) == 0 {
			continue
		}
		if len(p.SoundsOf(g)) > 0 {
			for _, name := range p.Tasks(g) {
				sound = sound || !done[name]
			}
			continue
		}
		names := p.Tasks(g)
		if p.Window > 0 && !slices.ContainsFunc(names, func(name string) bool { return done[name] }) {
			names = names[:min(p.Window, len(names))]
		}
		for _, name := range names {
			if !done[name] {
				ask(name)
			}
		}
	}
	if sound {
		first := task.Message{Version: task.Version, Job: p.Job, Task: task.Audio}
		messages = slices.Insert(messages, 0, first)
	}
	return messages
}

// Fail takes an output out of its group, because it is known before anything
// was encoded that it can't be made.
func (p *Plan) Fail(place int, f *job.Failure) {
	o := &p.Outputs[place]
	o.Failure = task.Failed(f)
	if o.Group >= 0 {
		g := &p.Groups[o.Group]
		g.Outputs = slices.DeleteFunc(g.Outputs, func(other int) bool { return other == place })
	}
}
