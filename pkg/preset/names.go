package preset

import (
	"fmt"
	"slices"
	"strings"

	"sealreel/pkg/caption"
	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// namedOutput is an output with the keys that it writes to.
type namedOutput struct {
	job.Output
	path     string
	names    job.Names
	stills   string // its thumbnails' names but for the counter, "" for none or when they have the size
	captions []namedCaptions
}

// namedCaptions are the caption files of one format and language, or of the
// languages that only the input can tell, for which {language} stands.
type namedCaptions struct {
	caption.Names
	path, pattern string
}

func nameOutput(req *job.Request, o job.Output, path string, p *Preset) namedOutput {
	return namedOutput{o, path, job.OutputNames(req.OutputKeyPrefix, o, p.Container), stills(o, p), captionNames(req, o, path, p.Container)}
}

// stills names the thumbnails of an output. Names with {resolution} differ by
// what only the source can tell.
func stills(o job.Output, p *Preset) string {
	if o.ThumbnailPattern == "" || p.Thumbnails == nil || strings.Contains(o.ThumbnailPattern, "{resolution}") {
		return ""
	}
	return o.ThumbnailPattern + "." + p.Thumbnails.Format
}

// captionNames are those of an output's side-car captions.
func captionNames(req *job.Request, o job.Output, path, container string) []namedCaptions {
	if o.Captions == nil {
		return nil
	}
	languages := []string{"{language}"}
	for _, in := range req.Inputs {
		for _, s := range o.CaptionsFrom(in).CaptionSources {
			if !slices.Contains(languages, s.Language) {
				languages = append(languages, s.Language)
			}
		}
	}
	segmented := job.OutputNames("", o, container).Segmented()
	var all []namedCaptions
	for i, f := range o.Captions.CaptionFormats {
		if f.Embedded() {
			continue
		}
		for _, l := range languages {
			names := caption.NamesOf(req.OutputKeyPrefix, f.Pattern, l, caption.Format(f.Format), container, segmented)
			all = append(all, namedCaptions{names, fmt.Sprintf("%s.captions.captionFormats.%d.member.pattern", path, i+1), f.Pattern})
		}
	}
	return all
}

// checkNames refuses keys that would be written twice. All fixed names are
// compared with each other, then with the segments of every output and the
// captions of these.
func checkNames(problems *document.Problems, req *job.Request, outputs []namedOutput) {
	taken := map[string]string{}
	claim := func(path, value, name, what string) {
		other, twice := taken[name]
		for _, o := range outputs {
			if !twice {
				other, twice = o.series(name)
			}
		}
		if twice {
			problems.Add(path, value, fmt.Sprintf("Member gives the name '%s' to %s, which is also that of %s", name, what, other))
			return
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
		for _, c := range o.captions {
			claim(c.path, c.pattern, c.Set(), fmt.Sprintf("captions of output '%s'", o.Key))
		}
	}
	for i, p := range req.Playlists {
		claim(fmt.Sprintf("playlists.%d.member.name", i+1), p.Name, job.MasterName(req.OutputKeyPrefix, p), fmt.Sprintf("playlist '%s'", p.Name))
	}
}

// series says which of the output's numbered files, if any, a name is that of.
func (o namedOutput) series(name string) (string, bool) {
	if o.names.IsSegment(name) {
		return fmt.Sprintf("a segment of output '%s'", o.Key), true
	}
	for _, c := range o.captions {
		if c.Series() && c.Is(name) && name != c.Set() {
			return fmt.Sprintf("captions of a segment of output '%s'", o.Key), true
		}
	}
	return "", false
}
