package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// Drop says which dropped files a pipeline takes and what job each becomes.
type Drop struct {
	// Prefix is what the keys of its files start with; "" takes every key.
	Prefix string `json:"Prefix"`
	// Template is a CreateJob request without PipelineId and Input. In its
	// output keys, prefix, playlist names, the names of thumbnails and captions
	// and the keys of caption sources {name} stands for the file's name, {stem}
	// for the name without extension and {prefix} for its folder with the slash,
	// or nothing.
	Template json.RawMessage `json:"Template"`
}

// ErrNoDrop is a file dropped where no pipeline has a Drop for it.
var ErrNoDrop = errors.New("the pipeline takes no dropped files: give it a Sealreel.Drop, or drop a job document (*.job.json)")

// ForDrop picks the pipeline of a dropped file: the one with the longest drop
// prefix that the key starts with, among equals the default or else the lowest
// id; the default one when none matches, or nil when that is not among them.
func ForDrop(pipelines []*Pipeline, defaultID, key string) *Pipeline {
	var best, fallback *Pipeline
	for _, p := range pipelines {
		if p.ID == defaultID {
			fallback = p
		}
		if p.takes(key) && (best == nil || p.precedes(best, defaultID)) {
			best = p
		}
	}
	if best == nil {
		return fallback
	}
	return best
}

func (p *Pipeline) takes(key string) bool {
	return p.Sealreel != nil && p.Sealreel.Drop != nil && strings.HasPrefix(key, p.Sealreel.Drop.Prefix)
}

func (p *Pipeline) precedes(q *Pipeline, defaultID string) bool {
	a, b := len(p.Sealreel.Drop.Prefix), len(q.Sealreel.Drop.Prefix)
	switch {
	case a != b:
		return a > b
	case (p.ID == defaultID) != (q.ID == defaultID):
		return p.ID == defaultID
	}
	return p.ID < q.ID
}

// DropRequest is the job that the dropped file with the key becomes. It answers
// ErrNoDrop for a pipeline that takes none, and a *document.ValidationError
// when the file's name makes the template break a rule, for instance by its
// length.
func (p *Pipeline) DropRequest(key string) (*job.Request, error) {
	if p.Sealreel == nil || p.Sealreel.Drop == nil {
		return nil, fmt.Errorf("pipeline %s: %w", p.ID, ErrNoDrop)
	}
	req, err := expand(p.Sealreel.Drop.Template, p.ID, key, p.Sealreel.InputEncryption)
	if err != nil {
		return req, fmt.Errorf("drop template of pipeline %s for %q: %w", p.ID, key, err)
	}
	return req, nil
}

// expand reads the template as a request for the file, replaces what stands
// for its name and reads the result again, so that every rule of a job holds
// for what came out.
func expand(template json.RawMessage, pipelineID, key string, encryption *job.Encryption) (*job.Request, error) {
	doc, err := withInput(template, pipelineID, job.Input{Key: key, Encryption: encryption})
	if err != nil {
		return nil, err
	}
	req, err := job.ParseRequest(doc)
	if err != nil {
		return req, err
	}
	if err := fill(req, key); err != nil {
		return req, err
	}
	filled, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	return job.ParseRequest(filled)
}

// withInput puts PipelineId and Input in front of the template's members,
// which have neither.
func withInput(template json.RawMessage, pipelineID string, in job.Input) ([]byte, error) {
	head, err := json.Marshal(struct {
		PipelineID string    `json:"PipelineId"`
		Input      job.Input `json:"Input"`
	}{pipelineID, in})
	if err != nil {
		return nil, err
	}
	body, isObject := bytes.CutPrefix(bytes.TrimSpace(template), []byte("{"))
	if !isObject {
		return nil, errors.New("the template must be a JSON object")
	}
	doc := head[:len(head)-1]
	if body = bytes.TrimSpace(body); !bytes.HasPrefix(body, []byte("}")) {
		doc = append(doc, ',')
	}
	return append(doc, body...), nil
}

// placeholder is what looks like one, so that a misspelt one is noticed.
var placeholder = regexp.MustCompile(`\{\w*\}`)

// fill replaces the placeholders in every text of the request that names an
// object of the job's own. Those of the API stay for the objects' names.
func fill(req *job.Request, key string) error {
	f := filler{key: key, problems: &document.Problems{}}
	f.set("outputKeyPrefix", &req.OutputKeyPrefix)
	for i := range req.Outputs {
		f.output(fmt.Sprintf("outputs.%d.member.", i+1), &req.Outputs[i])
	}
	for i := range req.Playlists {
		p := &req.Playlists[i]
		f.set(fmt.Sprintf("playlists.%d.member.name", i+1), &p.Name)
		for k := range p.OutputKeys {
			f.set(fmt.Sprintf("playlists.%d.member.outputKeys.%d.member", i+1, k+1), &p.OutputKeys[k])
		}
	}
	return f.problems.Err()
}

// filler puts the name of one dropped file into texts.
type filler struct {
	key      string
	problems *document.Problems
}

func (f filler) output(path string, o *job.Output) {
	f.set(path+"key", &o.Key)
	f.set(path+"thumbnailPattern", &o.ThumbnailPattern, "{count}", "{resolution}")
	if o.Captions == nil {
		return
	}
	for i := range o.Captions.CaptionSources {
		f.set(fmt.Sprintf("%scaptions.captionSources.%d.member.key", path, i+1), &o.Captions.CaptionSources[i].Key)
	}
	for i := range o.Captions.CaptionFormats {
		f.set(fmt.Sprintf("%scaptions.captionFormats.%d.member.pattern", path, i+1), &o.Captions.CaptionFormats[i].Pattern, "{language}")
	}
}

// set fills one text. Placeholders of the API that it may have are left alone.
func (f filler) set(where string, text *string, kept ...string) {
	folder, name := path.Split(f.key)
	stem := strings.TrimSuffix(name, path.Ext(name))
	if stem == "" { // a name like .mp4 is all extension
		stem = name
	}
	for _, found := range placeholder.FindAllString(*text, -1) {
		if found != "{name}" && found != "{stem}" && found != "{prefix}" && !slices.Contains(kept, found) {
			f.problems.Add(where, *text, found+" is none of {name}, {stem} and {prefix}")
		}
	}
	*text = strings.NewReplacer("{name}", name, "{stem}", stem, "{prefix}", folder).Replace(*text)
}
