package preset

import (
	"errors"
	"fmt"

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
		named = append(named, nameOutput(req, o, path, p))
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
