package ffmpeg

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a program may open: its libraries, which it may run too, and what the C
// library asks of the system when a program starts. Nothing may be written, and
// nothing is there that tells of other programs.
var (
	libraries = []string{
		"/lib", "/lib32", "/lib64", "/libx32", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/local/lib", "/usr/local/lib64",
		"/nix/store", "/gnu/store", "/home/linuxbrew/.linuxbrew",
	}
	systemFiles = []string{"/etc/ld.so.cache", "/etc/ld.so.preload", "/dev/null", "/sys/devices/system/cpu"}
)

// Rights of Landlock, and from which version on it knows them.
const (
	toRead  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	toRun   = toRead | unix.LANDLOCK_ACCESS_FS_EXECUTE
	onFiles = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE

	firstRights   = 1<<13 - 1 // all of version 1
	netVersion    = 4
	portRule      = 2 // LANDLOCK_RULE_NET_PORT
	versionOfRule = 1 // LANDLOCK_CREATE_RULESET_VERSION
)

// laterRights are those on files that came after version 1, by version.
var laterRights = map[int]uint64{2: unix.LANDLOCK_ACCESS_FS_REFER, 3: unix.LANDLOCK_ACCESS_FS_TRUNCATE, 5: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV}

// portAttr is the kernel's struct landlock_net_port_attr.
type portAttr struct{ allowed, port uint64 }

// restrict lets the calling thread and what it starts open nothing but the
// program and what it needs to start, and connect to nothing but the ports. It
// returns the version of Landlock, 0 where there is none.
func restrict(program string, ports []uint16) (version int, err error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, versionOfRule)
	if errno != 0 {
		if absent(errno) {
			return 0, nil
		}
		return 0, fmt.Errorf("ask for Landlock's version: %w", errno)
	}
	version = int(v)
	attr := unix.LandlockRulesetAttr{Access_fs: firstRights}
	for since, right := range laterRights {
		if version >= since {
			attr.Access_fs |= right
		}
	}
	size := unsafe.Sizeof(attr.Access_fs)
	if version >= netVersion {
		attr.Access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size = unsafe.Sizeof(attr)
	}
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return 0, fmt.Errorf("make rules for Landlock: %w", errno)
	}
	defer unix.Close(int(set))
	if err := allowFiles(int(set), program); err != nil {
		return 0, err
	}
	if version >= netVersion {
		for _, port := range ports {
			rule := portAttr{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(port)}
			if err := addRule(int(set), portRule, unsafe.Pointer(&rule)); err != nil {
				return 0, fmt.Errorf("allow port %d: %w", port, err)
			}
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return 0, fmt.Errorf("enter Landlock's rules: %w", errno)
	}
	return version, nil
}

func allowFiles(set int, program string) error {
	if found, err := exec.LookPath(program); err == nil { // else it can't be started, and that will be told
		program = found
	}
	for _, path := range append([]string{program}, libraries...) {
		if err := allowPath(set, path, toRun); err != nil {
			return err
		}
	}
	for _, path := range systemFiles {
		if err := allowPath(set, path, toRead); err != nil {
			return err
		}
	}
	return nil
}

// allowPath allows rights beneath a path. One that isn't there needs none.
func allowPath(set int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EACCES) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s to allow it: %w", path, err)
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return fmt.Errorf("look at %s to allow it: %w", path, err)
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= onFiles
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	if err := addRule(set, unix.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&rule)); err != nil {
		return fmt.Errorf("allow %s: %w", path, err)
	}
	return nil
}

func addRule(set int, kind uintptr, rule unsafe.Pointer) error {
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), kind, uintptr(rule), 0, 0, 0)
	runtime.KeepAlive(rule)
	if errno != 0 {
		return errno
	}
	return nil
}

// loopbackURL captures the port of a loopback resource.
var loopbackURL = regexp.MustCompile(`^https?://127\.0\.0\.1:(\d+)/`)

// portsOf are the ports of the loopback resources that a program is told of.
func portsOf(args []string) (ports []uint16) {
	for _, arg := range args {
		m := loopbackURL.FindStringSubmatch(arg)
		if m == nil {
			continue
		}
		if n, err := strconv.ParseUint(m[1], 10, 16); err == nil && !slices.Contains(ports, uint16(n)) {
			ports = append(ports, uint16(n))
		}
	}
	return ports
}
