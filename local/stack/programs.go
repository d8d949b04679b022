package stack

import (
	"fmt"
	"os/exec"
)

// programs are the variables that name the programs a layer would bring.
type programs map[string]string

// findPrograms looks for ffmpeg and ffprobe, unless the overrides name
// them: layers aren't laid under /opt here.
func findPrograms(overrides map[string]string) (programs, error) {
	found := programs{}
	for variable, name := range map[string]string{"SEALREEL_FFMPEG": "ffmpeg", "SEALREEL_FFPROBE": "ffprobe"} {
		if overrides[variable] != "" {
			continue
		}
		path, err := exec.LookPath(name)
		if err != nil {
			return nil, fmt.Errorf("stack: %s is not on the PATH; install ffmpeg (Debian, Ubuntu: apt-get install ffmpeg) or set %s: %w", name, variable, err)
		}
		found[variable] = path
	}
	return found, nil
}
