package preset

import (
	"errors"
	"fmt"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// ErrNotFound is what a lookup answers for an id of no preset.
var ErrNotFound = errors.New("no such preset")

// Check holds the rules of a request that depend on its presets: each must
// exist, SegmentDuration goes with ts only, and no two objects that the job
// writes may have the same key. Broken rules give a *document.ValidationError;
// what lookup answers other than ErrNotFound is returned as it is.
func Check(req *job.Request, lookup func(id string) (*Preset, error)) error {
	problems := &document.Problems{}
	var named []namedOutput
	for i, o := range req.Outputs {
		path := fmt.Sprintf("outputs.%d.member", i+1)
		p, err := lookup(o.PresetID)
		if errors.Is(err, ErrNotFound) {
			problems.Add(path+".presetId", o.PresetID, "The specified preset was not found; system presets have ids like 1351620000001-200010")
			continue
		}
		if err != nil {
			return fmt.Errorf("preset %s of output %q: %w", o.PresetID, o.Key, err)
		}
		checkSegments(problems, path, o, p)
		named = append(named, namedOutput{path, o.Key, job.OutputNames(req.OutputKeyPrefix, o, p.Container)})
	}
	checkNames(problems, req, named)
	return problems.Err()
}

func checkSegments(problems *document.Problems, path string, o job.Output, p *Preset) {
	_, segmented := o.SegmentSeconds()
	switch {
	case segmented && p.Container != "ts":
		problems.Add(path+".segmentDuration", o.SegmentDuration,
			fmt.Sprintf("Member is available only for 'ts' containers, and preset %s has the container %s", p.ID, p.Container))
	case !segmented && p.Container == "ts":
		problems.Addf(path+".segmentDuration", "Output '%s' must have a SegmentDuration: this version of Sealreel can't write a single ts file yet, "+
			"which preset %s without a SegmentDuration asks for.", o.Key, p.ID)
	}
}

// namedOutput is an output with the keys that it writes to.
type namedOutput struct {
	path, key string
	names     job.Names
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
				problems.Add(path, value, fmt.Sprintf("Member gives the name '%s' to %s, which is also that of a segment of output '%s'", name, what, o.key))
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
		claim(o.path+".key", o.key, name, fmt.Sprintf("output '%s'", o.key))
	}
	for i, p := range req.Playlists {
		claim(fmt.Sprintf("playlists.%d.member.name", i+1), p.Name, job.MasterName(req.OutputKeyPrefix, p), fmt.Sprintf("playlist '%s'", p.Name))
	}
}
