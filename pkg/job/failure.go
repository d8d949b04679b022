package job

import (
	"errors"
	"fmt"
)

// Code is one of Elastic Transcoder's job error codes: the closed set of
// reasons that a job, output or playlist can show.
type Code int

// The codes in use. The reference is the "Error Codes" page of the Elastic
// Transcoder developer guide.
const (
	CodeValidation        Code = 1000 // a value of the request was invalid while processing
	CodeDependency        Code = 1001 // a playlist's output failed
	CodeAssumeRole        Code = 2000
	CodeStorage           Code = 3000 // unclassified storage error
	CodeInputMissing      Code = 3001
	CodeOutputExists      Code = 3002
	CodeNoReadPermission  Code = 3003
	CodeNoWritePermission Code = 3004
	CodeBucketMissing     Code = 3005
	CodeKeyRegion         Code = 3006
	CodeBadInput          Code = 4000 // the file could not be interpreted
	CodeInputDimensions   Code = 4001
	CodeInputTooLarge     Code = 4002
	CodeWatermark         Code = 4003 // a watermark's picture could not be interpreted
	CodeWatermarkTooLarge Code = 4004
	CodeObjectTooLarge    Code = 4005 // a further file of the job
	CodeFormatUnsupported Code = 4006
	CodeUnhandledInput    Code = 4007
	CodePresetMismatch    Code = 4008 // the preset wants a stream the input lacks
	CodeArtworkCount      Code = 4009 // more pictures of an album than are taken
	CodeArtwork           Code = 4010 // an artwork could not be interpreted
	CodeEmbeddedArtwork   Code = 4011 // an artwork in the input could not be interpreted
	CodeArtworkTooLarge   Code = 4012
	CodeEmbeddedTooLarge  Code = 4013
	CodeClipBeyondEnd     Code = 4014
	CodeSegmentsMismatch  Code = 4015
	CodeDecryptInput      Code = 4016 // the input could not be decrypted: padding, tag, key and truncation alike
	CodeKeyLength         Code = 4017
	CodeUnwrapKey         Code = 4018
	CodeGenerateKey       Code = 4019
	CodeInputsTooLarge    Code = 4022
	CodeInputsResolution  Code = 4023
	CodeInputsThumbnails  Code = 4024
	CodeInputsVideo       Code = 4025
	CodeInputsAudio       Code = 4026
	CodeCaptionTrack      Code = 4100 // an embedded caption track could not be interpreted
	CodeCaptionFile       Code = 4101 // a caption file could not be interpreted
	CodeCaptionUTF8       Code = 4102 // a caption file is not in UTF-8
	CodeCaptionTracks     Code = 4103 // more caption tracks than are supported
	CodeInternal          Code = 9999
)

// Failure is the error that ends a job or an output: what whoever can only
// see the job may know. Cause is for the operator's log and never shown on
// the job. Detail must hold no key bytes.
type Failure struct {
	Code   Code
	Detail string // what was wrong, where, and what to do
	Cause  error  // may be nil
}

func (f *Failure) Error() string {
	if f.Cause != nil {
		return fmt.Sprintf("%d: %s: %v", f.Code, f.Detail, f.Cause)
	}
	return fmt.Sprintf("%d: %s", f.Code, f.Detail)
}

func (f *Failure) Unwrap() error { return f.Cause }

// Fail returns a Failure of the code with a formatted detail.
func Fail(code Code, format string, args ...any) *Failure {
	return &Failure{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// FailCause is Fail with the cause kept for the operator.
func FailCause(cause error, code Code, format string, args ...any) *Failure {
	return &Failure{Code: code, Detail: fmt.Sprintf(format, args...), Cause: cause}
}

// FailureOf returns the Failure in err's chain. A document that broke rules,
// is no JSON or is too long is a validation failure (1000). Anything else is
// an internal one (9999) that hides err behind a general text.
func FailureOf(err error) *Failure {
	var (
		f       *Failure
		invalid *ValidationError
		syntax  *SyntaxError
		size    *SizeError
	)
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &invalid):
		return FailCause(err, CodeValidation, "%s", invalid.Error())
	case errors.As(err, &syntax):
		return FailCause(err, CodeValidation, "the job document is not valid JSON: %s", syntax.Error())
	case errors.As(err, &size):
		return FailCause(err, CodeValidation, "the job document is too long: %s", size.Error())
	}
	return &Failure{Code: CodeInternal, Detail: "an internal error ended the job; the operator's log has the cause under the job's id", Cause: err}
}
