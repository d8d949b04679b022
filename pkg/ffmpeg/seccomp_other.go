//go:build !amd64 && !arm64

package ffmpeg

// Lambda has no other processor.
const architecture, openNumber = 0, 0

var refusedHere []uint32
