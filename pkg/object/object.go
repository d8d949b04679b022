// Package object names what can go wrong with an object in storage, so that
// packages which hold rules can tell the cases apart without knowing which
// storage it is. Adapters wrap these errors.
package object

import "errors"

// The answers of object storage that callers branch on.
var (
	// ErrNotExist: there is no such object, or not in that version.
	ErrNotExist = errors.New("the object does not exist")
	// ErrExists: an object that was to be created exists already (412 on
	// If-None-Match).
	ErrExists = errors.New("an object by that name already exists")
	// ErrChanged: the object is no longer the one that was meant (412 on
	// If-Match, or 409 on a racing write).
	ErrChanged = errors.New("the object has changed")
	// ErrNeedsKey: the object is encrypted with a customer key (SSE-C) that was
	// not given or is another one.
	ErrNeedsKey = errors.New("the object is encrypted with another customer key than the one given")
	// ErrAccess: permission was denied.
	ErrAccess = errors.New("access to the object was denied")
	// ErrNoBucket: the bucket does not exist.
	ErrNoBucket = errors.New("the bucket does not exist")
)
