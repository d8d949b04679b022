package job

import "sealreel/pkg/document"

// A ValidationError is every problem of a document, in the words of the
// service: "2 validation errors detected: Value 'x' at 'outputs.1.member.presetId'
// failed to satisfy constraint: ...; ...".
type ValidationError = document.ValidationError

// A Problem is one broken rule of a ValidationError.
type Problem = document.Problem

// A SyntaxError is a document that is not JSON; it says in which line and
// column.
type SyntaxError = document.SyntaxError

// A SizeError is a document longer than MaxDocument.
type SizeError = document.SizeError
