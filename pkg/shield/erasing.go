//go:build goexperiment.runtimesecret

package shield

import "runtime/secret"

// Erases says whether this build erases what Do's function leaves in memory.
const Erases = true

// Do calls f, and erases what it leaves in memory (see the package's comment).
// A panic of f passes through.
func Do(f func()) { secret.Do(f) }
