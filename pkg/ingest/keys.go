package ingest

import (
	"slices"
	"strings"

	"sealreel/pkg/job"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/plan"
	"sealreel/pkg/role"
)

// keysOf is how the keys of a pipeline's job are unwrapped and new ones are
// wrapped, and under which role. Of a file that is no job yet, j names the input
// alone.
func (i *Ingester) keysOf(p *pipeline.Pipeline, j job.Job) plan.Keys {
	k := plan.Keys{KeyARN: p.AwsKmsKeyArn, Context: p.Context(), WorkKeyARN: p.AwsKmsKeyArn}
	if k.WorkKeyARN == "" || pipeline.Apart(pipeline.ARNRegion(k.WorkKeyARN), i.Region) {
		k.WorkKeyARN = i.KeyARN // the functions can't use a KMS key of another region
	}
	if p.Role != "" && p.Role != i.RoleARN {
		k.Role = roleOf(p, j)
	}
	return k
}

// roleOf is the pipeline's role as the job needs it.
func roleOf(p *pipeline.Pipeline, j job.Job) *role.Role {
	r := &role.Role{ARN: p.Role, ExternalID: p.ID, Session: "sealreel"}
	if j.ID != "" {
		r.Session += "-" + j.ID
	}
	for _, in := range j.Inputs {
		r.Reads = append(r.Reads, role.Place{Bucket: p.InputBucket, Name: in.Key})
	}
	for _, o := range j.Outputs {
		for _, key := range append(picturesOf(o), captionsOf(j.Inputs, o)...) {
			if place := (role.Place{Bucket: p.InputBucket, Name: key}); !slices.Contains(r.Reads, place) {
				r.Reads = append(r.Reads, place)
			}
		}
		r.Writes = append(r.Writes, role.Place{Bucket: p.ContentBucket(), Name: j.OutputKeyPrefix + o.Key})
		if o.ThumbnailPattern != "" {
			r.Writes = append(r.Writes, role.Place{Bucket: p.ThumbnailBucket(), Name: job.ThumbnailBeginning(j.OutputKeyPrefix, o)})
		}
		for _, beginning := range captionBeginnings(o) {
			r.Writes = append(r.Writes, role.Place{Bucket: p.ContentBucket(), Name: j.OutputKeyPrefix + beginning})
		}
	}
	for _, list := range j.Playlists {
		r.Writes = append(r.Writes, role.Place{Bucket: p.ContentBucket(), Name: j.OutputKeyPrefix + list.Name})
	}
	r.Shares = len(p.ContentStorage().Permissions)+len(p.ThumbnailStorage().Permissions) > 0
	return r
}

// picturesOf are the keys of the pictures that an output names.
func picturesOf(o job.Output) []string {
	var keys []string
	for _, w := range o.Watermarks {
		keys = append(keys, w.InputKey)
	}
	if o.AlbumArt != nil {
		for _, a := range o.AlbumArt.Artwork {
			keys = append(keys, a.InputKey)
		}
	}
	return keys
}

// captionsOf are the keys of the side-car files that an output wants.
func captionsOf(inputs []job.Input, o job.Output) []string {
	if o.Captions == nil {
		return nil
	}
	var keys []string
	for _, in := range inputs {
		for _, s := range o.CaptionsFrom(in).CaptionSources {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// captionBeginnings are what the names of an output's caption files begin with,
// whatever the languages are.
func captionBeginnings(o job.Output) []string {
	if o.Captions == nil {
		return nil
	}
	var all []string
	for _, f := range o.Captions.CaptionFormats {
		if beginning, _, _ := strings.Cut(f.Pattern, "{language}"); !f.Embedded() && !slices.Contains(all, beginning) {
			all = append(all, beginning)
		}
	}
	return all
}
