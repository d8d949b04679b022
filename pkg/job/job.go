// Package job models a transcoding job in the JSON shapes of Amazon Elastic
// Transcoder's API (version 2012-09-25): the CreateJob request a user drops,
// the Job that reading it answers, and the closed set of failures a job can
// end with. It holds rules only and imports no AWS SDK.
package job

// Formats of a playlist (API: PlaylistFormat).
const (
	HLSv3  = "HLSv3"
	HLSv4  = "HLSv4"
	Smooth = "Smooth"
	DASH   = "MPEG-DASH"
)

// Statuses of a job, an output and a playlist (API: JobStatus).
const (
	Submitted   = "Submitted"
	Progressing = "Progressing"
	Complete    = "Complete"
	Canceled    = "Canceled"
	Error       = "Error"
)

// Encryption says how one object is encrypted (API: Encryption). Key,
// KeyMd5 and InitializationVector are base64; Key is the KMS ciphertext of
// the raw AES key, never the key itself.
type Encryption struct {
	Mode                 string `json:"Mode,omitempty"`
	Key                  string `json:"Key,omitempty"`
	KeyMd5               string `json:"KeyMd5,omitempty"`
	InitializationVector string `json:"InitializationVector,omitempty"`
}

// DetectedProperties are what the probe found in an input (API:
// DetectedProperties): pixels, frames a second, bytes and milliseconds.
type DetectedProperties struct {
	Width          int    `json:"Width,omitempty"`
	Height         int    `json:"Height,omitempty"`
	FrameRate      string `json:"FrameRate,omitempty"`
	FileSize       int64  `json:"FileSize,omitempty"`
	DurationMillis int64  `json:"DurationMillis,omitempty"`
}

// Input is one media file of a job (API: JobInput).
type Input struct {
	Key                string              `json:"Key"`
	FrameRate          string              `json:"FrameRate,omitempty"`
	Resolution         string              `json:"Resolution,omitempty"`
	AspectRatio        string              `json:"AspectRatio,omitempty"`
	Interlaced         string              `json:"Interlaced,omitempty"`
	Container          string              `json:"Container,omitempty"`
	Encryption         *Encryption         `json:"Encryption,omitempty"`
	TimeSpan           *TimeSpan           `json:"TimeSpan,omitempty"`
	InputCaptions      *InputCaptions      `json:"InputCaptions,omitempty"`
	DetectedProperties *DetectedProperties `json:"DetectedProperties,omitempty"`
}

// Output is one rendition of a job: what CreateJob asks for (API:
// CreateJobOutput) and, in a Job, what became of it (API: JobOutput).
// Duration is in whole seconds, DurationMillis in milliseconds, FileSize in
// bytes of plaintext media.
type Output struct {
	ID                          string      `json:"Id,omitempty"`
	Key                         string      `json:"Key"`
	ThumbnailPattern            string      `json:"ThumbnailPattern,omitempty"`
	ThumbnailEncryption         *Encryption `json:"ThumbnailEncryption,omitempty"`
	Rotate                      string      `json:"Rotate,omitempty"`
	PresetID                    string      `json:"PresetId"`
	SegmentDuration             string      `json:"SegmentDuration,omitempty"`
	Watermarks                  []Watermark `json:"Watermarks,omitempty"`
	AlbumArt                    *AlbumArt   `json:"AlbumArt,omitempty"`
	Composition                 []Clip      `json:"Composition,omitempty"`
	Captions                    *Captions   `json:"Captions,omitempty"`
	Encryption                  *Encryption `json:"Encryption,omitempty"`
	Status                      string      `json:"Status,omitempty"`
	StatusDetail                string      `json:"StatusDetail,omitempty"`
	Duration                    int64       `json:"Duration,omitempty"`
	DurationMillis              int64       `json:"DurationMillis,omitempty"`
	Width                       int         `json:"Width,omitempty"`
	Height                      int         `json:"Height,omitempty"`
	FrameRate                   string      `json:"FrameRate,omitempty"`
	FileSize                    int64       `json:"FileSize,omitempty"`
	AppliedColorSpaceConversion string      `json:"AppliedColorSpaceConversion,omitempty"`
}

// Playlist is a master playlist over outputs of the job (API:
// CreateJobPlaylist, Playlist). Name has no extension.
type Playlist struct {
	Name                 string                `json:"Name"`
	Format               string                `json:"Format"`
	OutputKeys           []string              `json:"OutputKeys"`
	HlsContentProtection *HlsContentProtection `json:"HlsContentProtection,omitempty"`
	PlayReadyDrm         *PlayReadyDrm         `json:"PlayReadyDrm,omitempty"`
	Status               string                `json:"Status,omitempty"`
	StatusDetail         string                `json:"StatusDetail,omitempty"`
}

// Timing is when a job was submitted, started and finished, in milliseconds
// since 1970 (API: Timing).
type Timing struct {
	SubmitTimeMillis int64 `json:"SubmitTimeMillis,omitempty"`
	StartTimeMillis  int64 `json:"StartTimeMillis,omitempty"`
	FinishTimeMillis int64 `json:"FinishTimeMillis,omitempty"`
}

// Request is a CreateJob request: the body of a *.job.json document. After
// ParseRequest the plural forms are filled: Inputs has one element or more,
// Outputs one or more, whichever form the document used.
type Request struct {
	PipelineID      string            `json:"PipelineId"`
	Inputs          []Input           `json:"Inputs,omitempty"`
	Outputs         []Output          `json:"Outputs,omitempty"`
	OutputKeyPrefix string            `json:"OutputKeyPrefix,omitempty"`
	Playlists       []Playlist        `json:"Playlists,omitempty"`
	UserMetadata    map[string]string `json:"UserMetadata,omitempty"`
}

// Job is a job as reading it shows it (API: Job). It has no singular Input
// and Output; MarshalWire adds them for jobs that have one of each.
type Job struct {
	ID              string            `json:"Id"`
	Arn             string            `json:"Arn,omitempty"`
	PipelineID      string            `json:"PipelineId"`
	Inputs          []Input           `json:"Inputs"`
	Outputs         []Output          `json:"Outputs"`
	OutputKeyPrefix string            `json:"OutputKeyPrefix,omitempty"`
	Playlists       []Playlist        `json:"Playlists"`
	Status          string            `json:"Status"`
	UserMetadata    map[string]string `json:"UserMetadata,omitempty"`
	Timing          Timing            `json:"Timing"`
	// StatusDetail is why the job failed as a whole, in the form of an output's.
	// The API's Job has no such member: its notifications show it.
	StatusDetail string `json:"StatusDetail,omitempty"`
}
