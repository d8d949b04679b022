// Package fault makes the embedded AWS fail on purpose, by a plan that can be
// written down and replayed.
//
// An Engine stands in front of the services and beside what drives functions.
// It looks at each call, and where a rule of its plan fires it does what the
// rule says: answers an error, resets the connection, kills the caller, loses a
// message. What fires is noted, so that a test can tell a fault that did
// nothing from one that never was.
//
// It guarantees that a plan is understood whole or refused: an unknown member, a
// fault that a service can't have, or a rule that can never fire is an error
// that names it. With the same seed a rule that fires by chance picks the same
// ones of the calls it matches, in the order in which they come.
package fault
