package job

import (
	"fmt"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/rational"
)

// Shortest and longest SegmentDuration in seconds.
const (
	minSegment = 1
	maxSegment = 60
)

func segmentRange(value string) string {
	d, err := rational.Parse(value)
	if err != nil || d.Less(rational.Int(minSegment)) || rational.Int(maxSegment).Less(d) {
		return fmt.Sprintf("Member must be a number of seconds from %d to %d", minSegment, maxSegment)
	}
	return ""
}

// SegmentSeconds is the output's SegmentDuration in seconds, and false when it
// has none.
func (o Output) SegmentSeconds() (rational.Rational, bool) {
	d, err := rational.Parse(o.SegmentDuration)
	return d, err == nil && d.Sign() > 0
}

// checkOutputs refuses two outputs of one key. That the names made from
// different keys differ too depends on the presets' containers.
func checkOutputs(problems *document.Problems, prefix string, outputs []locatedOutput) {
	first := map[string]string{}
	for _, o := range outputs {
		if o.Key == "" {
			continue // reported already
		}
		if other, twice := first[o.Key]; twice {
			problems.Add(o.path+".key", o.Key, fmt.Sprintf("Member must differ from the key of '%s'", other))
		}
		first[o.Key] = o.path
		if len(prefix)+len(o.Key)+longestSuffix > MaxOutputName {
			problems.Add(o.path+".key", o.Key, fmt.Sprintf("Member with OutputKeyPrefix in front must have at most %d bytes in UTF-8",
				MaxOutputName-longestSuffix))
		}
	}
}

func checkPlaylists(problems *document.Problems, playlists []locatedPlaylist, outputs []locatedOutput) {
	byKey := map[string]Output{}
	for _, o := range outputs {
		byKey[o.Key] = o.Output
	}
	first := map[string]string{}
	for _, p := range playlists {
		if other, twice := first[p.Name]; twice && p.Name != "" {
			problems.Add(p.path+".name", p.Name, fmt.Sprintf("Member must differ from the name of '%s'", other))
		}
		first[p.Name] = p.path
		if p.Name != "" && folder(p.Name) != folder(playlists[0].Name) && playlists[0].Name != "" {
			problems.Add(p.path+".name", p.Name, "All playlist names must be identical up to the last / character.")
		}
		checkMembers(problems, p, byKey)
	}
}

// checkMembers holds the rules between a playlist and its outputs.
func checkMembers(problems *document.Problems, p locatedPlaylist, outputs map[string]Output) {
	var shared *Output
	seen := map[string]bool{}
	for i, key := range p.OutputKeys {
		path := fmt.Sprintf("%s.outputKeys.%d.member", p.path, i+1)
		o, known := outputs[key]
		switch {
		case seen[key]:
			problems.Add(path, key, "Member must be given once only")
			continue
		case !known:
			problems.Add(path, key, "Member must be the Key of one of the job's outputs")
			continue
		}
		seen[key] = true
		if p.Name != "" && !strings.HasPrefix(key, folder(p.Name)) {
			problems.Add(path, key, "All outputs in a playlist must begin identically to the playlist name up to the last / character.")
		}
		d, segmented := o.SegmentSeconds()
		if !segmented {
			problems.Addf(path, "Output '%s' must have a SegmentDuration since it is part of a playlist. SegmentDuration is available only for 'ts' containers.", key)
			continue
		}
		if shared == nil {
			shared = &o
		} else if want, _ := shared.SegmentSeconds(); !d.Equal(want) {
			problems.Addf(path, "Outputs '%s' and '%s' must have the same SegmentDuration since they are part of playlist '%s'.", shared.Key, key, p.Name)
		}
	}
}

// folder is a key up to and with its last '/'.
func folder(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }
