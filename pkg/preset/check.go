package preset

import (
	"errors"
	"fmt"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// ErrNotFound is what a lookup answers for an id of no preset.
var ErrNotFound = errors.New("no such preset")

// ErrUnchecked is what a lookup answers that can't look for a preset. The rules
// about it are then left out.
var ErrUnchecked = errors.New("the preset was not looked for")

// Check holds the rules of a request that depend on its presets: each must
// exist and have what its output wants of it, those of a playlist must go
// together, and no two objects that the job writes may have the same key.
// Presets that this version can't do are refused here too, and such as Parse
// refuses. Broken rules give a *document.ValidationError; what else lookup
// answers other than ErrNotFound is returned as it is.
func Check(req *job.Request, lookup func(id string) (*Preset, error)) error {
	problems := &document.Problems{}
	var named []namedOutput
	used := map[string]*Preset{}
	for i, o := range req.Outputs {
		path := fmt.Sprintf("outputs.%d.member", i+1)
		p, err := lookup(o.PresetID)
		if errors.Is(err, ErrUnchecked) {
			continue
		}
		if errors.Is(err, ErrNotFound) {
			problems.Add(path+".presetId", o.PresetID, "The specified preset was not found; "+advice(o.PresetID))
			continue
		}
		if malformed(err) {
			problems.Add(path+".presetId", o.PresetID, fmt.Sprintf("The specified preset breaks rules of its own: %v", err))
			continue
		}
		if err != nil {
			return fmt.Errorf("preset %s of output %q: %w", o.PresetID, o.Key, err)
		}
		checkUse(problems, path, o, p)
		unsupportedUse(problems, path, o, p)
		used[o.Key] = p
		named = append(named, namedOutput{o, path, job.OutputNames(req.OutputKeyPrefix, o, p.Container), stills(o, p)})
	}
	checkPlaylists(problems, req, used)
	checkNames(problems, req, named)
	return problems.Err()
}

// malformed says whether an error is of a preset that was found, and that no
// trying again can mend.
func malformed(err error) bool {
	var (
		invalid *document.ValidationError
		syntax  *document.SyntaxError
		size    *document.SizeError
	)
	return errors.As(err, &invalid) || errors.As(err, &syntax) || errors.As(err, &size)
}

// advice helps whoever has an old id: the service withdrew some presets.
func advice(id string) string {
	if successor, ok := Successor(id); ok {
		return "Elastic Transcoder withdrew it in favour of " + successor
	}
	return "system presets have ids like 1351620000001-200010"
}

// namedOutput is an output with the keys that it writes to.
type namedOutput struct {
	job.Output
	path   string
	names  job.Names
	stills string // its thumbnails' names but for the counter, "" for none or when they have the size
}

// checkNames refuses keys that would be written twice. All fixed names are
// compared with each other, then with the segments of every output.
func checkNames(problems *document.Problems, req *job.Request, outputs []namedOutput) {
	taken := map[string]string{}
	claim := func(path, value, name, what string) {
		if other, twice := taken[name]; twice {
			problems.Add(path, value, fmt.Sprintf("Member gives the name '%s' to %s, which is also that of %s", name, what, other))
			return
		}
		for _, o := range outputs {
			if o.names.IsSegment(name) {
				problems.Add(path, value, fmt.Sprintf("Member gives the name '%s' to %s, which is also that of a segment of output '%s'", name, what, o.Key))
				return
			}
		}
		taken[name] = what
	}
	for _, o := range outputs {
		name := o.names.Single
		if o.names.Segmented() {
			name = o.names.Playlist
		}
		claim(o.path+".key", o.Key, name, fmt.Sprintf("output '%s'", o.Key))
	}
	for _, o := range outputs {
		if o.stills != "" {
			claim(o.path+".thumbnailPattern", o.ThumbnailPattern, req.OutputKeyPrefix+o.stills, fmt.Sprintf("thumbnails of output '%s'", o.Key))
		}
	}
	for i, p := range req.Playlists {
		claim(fmt.Sprintf("playlists.%d.member.name", i+1), p.Name, job.MasterName(req.OutputKeyPrefix, p), fmt.Sprintf("playlist '%s'", p.Name))
	}
}

// stills names the thumbnails of an output. Names with {resolution} differ by
// what only the source can tell.
func stills(o job.Output, p *Preset) string {
	if o.ThumbnailPattern == "" || p.Thumbnails == nil || strings.Contains(o.ThumbnailPattern, "{resolution}") {
		return ""
	}
	return o.ThumbnailPattern + "." + p.Thumbnails.Format
}
