package preset

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"sealreel/pkg/job"
)

// data holds one system preset a file, named by its id.
//
//go:embed data/*.json
var data embed.FS

// System returns a copy of the system preset with the id, and false when this
// version has none of that id. Its Arn is empty, since the service's named the
// reader's own account.
func System(id string) (*Preset, bool) {
	if !job.ValidID(id) {
		return nil, false
	}
	doc, err := data.ReadFile("data/" + id + ".json")
	if err != nil {
		return nil, false
	}
	p, err := Parse(doc)
	if err != nil {
		panic(fmt.Sprintf("preset: embedded preset %s: %v", id, err))
	}
	return p, true
}

// SystemIDs lists the ids that System knows, in order.
func SystemIDs() []string {
	entries, err := data.ReadDir("data")
	if err != nil {
		panic(fmt.Sprintf("preset: embedded presets: %v", err))
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, strings.TrimSuffix(e.Name(), ".json"))
	}
	slices.Sort(ids)
	return ids
}
