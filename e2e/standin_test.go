package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// standInVariable makes the functions of the tests run ffmpeg by way of a stand-in,
// and without a sandbox, since it is a script.
const standInVariable = "SEALREEL_TEST_STAND_IN"

func hasStandIn() bool { return os.Getenv(standInVariable) != "" }

// The stand-in is ffmpeg but for jobs that scale pictures to faultyWidth and one of
// these heights: those go wrong.
const (
	faultyWidth = 128

	crashesOnce   = 96
	crashesAlways = 98
	hangsOnce     = 100
	floodsStderr  = 102
	growsOnce     = 104
	floodsOutput  = 106
	refuses       = 108
	faultless     = 110
)

// standIn is a shell script. What happens once leaves a folder, which even a
// program that may write no file can make.
const standIn = `#!/bin/sh
once() { mkdir '%[2]s'/"$1" 2>/dev/null; }
for height in %[4]d %[5]d %[6]d %[7]d %[8]d %[9]d %[10]d; do
	case "$*" in *scale=%[3]d:$height,*) once $height && first=yes ;; esac
done
case "$*" in
*scale=%[3]d:%[4]d,*) [ $first ] && kill -SEGV $$ ;;
*scale=%[3]d:%[5]d,*) kill -SEGV $$ ;;
*scale=%[3]d:%[6]d,*) [ $first ] && exec sleep 600 ;;
*scale=%[3]d:%[7]d,*) head -c 50000000 /dev/zero | tr '\0' 'e' >&2 ;;
*scale=%[3]d:%[8]d,*) [ $first ] && exec tail /dev/zero ;;
*scale=%[3]d:%[9]d,*)
	for url; do :; done
	exec '%[1]s' -nostdin -loglevel error -f lavfi -i testsrc2=s=%[3]dx%[9]d:r=30 -c:v libx264 -preset ultrafast \
		-f mp4 -movflags empty_moov+default_base_moof+frag_every_frame -method PUT -chunked_post 1 "$url" ;;
*scale=%[3]d:%[10]d,*) echo 'Invalid data found when processing input' >&2; exit 1 ;;
esac
exec '%[1]s' "$@"
`

// stoodIn says whether the stand-in met a job of the height.
func stoodIn(height int) bool {
	_, err := os.Stat(filepath.Join(site.dir, "programs", "done", fmt.Sprint(height)))
	return err == nil
}

// makeStandIn writes the stand-in into a folder and returns its path.
func makeStandIn(dir string) (string, error) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return "", fmt.Errorf("ffmpeg is not on the PATH: %w", err)
	}
	done := filepath.Join(dir, "done")
	if err := os.MkdirAll(done, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "ffmpeg")
	text := fmt.Sprintf(standIn, ffmpeg, done, faultyWidth, crashesOnce, crashesAlways, hangsOnce, floodsStderr, growsOnce, floodsOutput, refuses)
	return path, os.WriteFile(path, []byte(text), 0o700)
}
