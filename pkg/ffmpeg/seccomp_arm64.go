package ffmpeg

import "golang.org/x/sys/unix"

const (
	architecture = unix.AUDIT_ARCH_AARCH64
	openNumber   = 0 // it has openat alone
)

// refusedHere are older forms of calls in refused.
var refusedHere = []uint32{unix.SYS_RENAMEAT}
