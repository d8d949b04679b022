// Package iam decides who may do what in the embedded AWS, by the policies
// that a deployment to AWS would have.
//
// It keeps to what the IAM User Guide says of how policies are evaluated
// within one account: an explicit deny anywhere wins, nothing is allowed that
// no policy allows, a session policy only ever takes away, and the kind of
// resource says whether its own policy must agree. A policy that uses
// anything this package does not know is refused when it is read, with the
// name of what it does not know: nothing is ever skipped, so what is allowed
// here is allowed there.
//
// There are no permissions boundaries, no policies of an organization, no
// groups and no other accounts.
package iam
