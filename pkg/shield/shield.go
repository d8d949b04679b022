// Package shield runs the work on plaintext keys in a way that leaves no trace of
// them in the process's memory, where the toolchain can do that.
//
// A program that is built with GOEXPERIMENT=runtimesecret, for Linux on amd64 or
// arm64, has runtime/secret. It then guarantees that after Do
//   - the registers and the stack that the function used are erased;
//   - what it allocated is erased as soon as the garbage collector finds it
//     unreachable: a key's bytes, its key schedules, what a key service's answer
//     was decoded through, and all else that can't be wiped by hand.
//
// It does not reach global variables, other goroutines (such as those in which an
// HTTP client reads and decrypts an answer), strings and headers that are made of
// a key outside Do, or what is still referenced. It keeps no memory from being
// read while a key is in use, nor from being swapped out.
//
// In every other build Do just calls the function, and what is known of a key is
// wiped by hand alone (seal.Key.Wipe). The experiment is outside Go's promise of
// compatibility, which is why nothing relies on it.
package shield
