package job

import (
	"fmt"

	"sealreel/pkg/document"
)

// Unsupported says what a valid request asks for and this version can't do: nil
// or a *ValidationError with every such member. It is the one place that knows;
// a feature that is added takes its line away here. What depends on presets is
// known to package preset. (An input's Container is a hint only: what a file holds
// is found out by its content.)
func Unsupported(req *Request) error {
	problems := &document.Problems{}
	for i, o := range req.Outputs {
		unsupportedOutput(problems, fmt.Sprintf("outputs.%d.member.", i+1), o)
	}
	for i, p := range req.Playlists {
		path := fmt.Sprintf("playlists.%d.member.", i+1)
		if p.Format != HLSv3 {
			problems.NotYet(path+"format", p.Format, "playlists of the Format "+p.Format)
		}
		notYet(problems, path, "HlsContentProtection", p.HlsContentProtection != nil)
		notYet(problems, path, "PlayReadyDrm", p.PlayReadyDrm != nil)
	}
	return problems.Err()
}

func unsupportedOutput(problems *document.Problems, path string, o Output) {
	if o.Captions != nil {
		for i, f := range o.Captions.CaptionFormats {
			if f.Format == "cea-708" {
				problems.NotYet(fmt.Sprintf("%scaptions.captionFormats.%d.member.format", path, i+1), f.Format, "captions in the format cea-708")
			}
		}
	}
}

// notYet records a member that is beyond this version as a whole.
func notYet(problems *document.Problems, path, member string, given bool) {
	if given {
		problems.NotYet(path+document.LowerCamel(member), "", member)
	}
}
