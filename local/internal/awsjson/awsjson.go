// Package awsjson serves the AWS JSON 1.0 and 1.1 protocols: a POST whose
// X-Amz-Target names the action and whose body is the action's input, with
// errors as AWS's clients read them (__type, message, and for services that
// once spoke the query protocol X-Amzn-Query-Error).
//
// A request must carry a Signature Version 4 header whose access key id is
// known. The signature is not verified, since whoever embeds this chose the
// secrets too. Whether the caller may is for the action to ask: Call.Admit.
package awsjson

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"

	"sealreel/local/internal/gate"
)

// Action answers one call: the output to encode, or an error, best an *Error.
type Action func(context.Context, *Call) (any, error)

// Call is one request that named a known action and a known caller.
type Call struct {
	Action      string // for example SendMessage
	AccessKeyID string // who signed it
	Endpoint    string // scheme and host as the caller addressed them, no final slash
	Body        []byte // the input as JSON; never empty

	SessionToken string // of temporary credentials, else empty
	Secure       bool   // it came over TLS

	// Resource and Context say what the call was about, for Handler.Done. An
	// action sets them as soon as it knows: for SQS the queue's name, for KMS
	// the key's ARN and the encryption context.
	Resource    string
	Context     map[string]string
	gate.Record // what Admit decided
}

// Handler is one service.
type Handler struct {
	Version string            // of the protocol: 1.0 or 1.1
	Target  string            // the part of X-Amz-Target before the dot
	Actions map[string]Action // by name
	MaxBody int64             // of a request, in bytes

	// Known reports whether an access key id may call.
	Known func(accessKeyID string) bool
	// Query says that the service once spoke the query protocol, so that its
	// errors carry their code of then too.
	Query bool
	// Private refuses callers that are neither on TLS nor on this machine,
	// because the bodies hold key material.
	Private bool
	// Done, when set, hears of every call that was answered, with its HTTP
	// status. Requests without a known action or caller are not calls.
	Done func(call *Call, status int)
}

// Decoded makes an Action of a function that takes its input as a struct
// with the wire's member names. Unknown members are ignored, as AWS does.
func Decoded[In any](f func(context.Context, *Call, In) (any, error)) Action {
	return func(ctx context.Context, call *Call) (any, error) {
		var in In
		if err := json.Unmarshal(call.Body, &in); err != nil {
			return nil, &Error{Type: "com.amazon.coral.service#SerializationException",
				Message: "the body is not the JSON input of " + call.Action + ": " + err.Error()}
		}
		return f(ctx, call, in)
	}
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, err := h.accept(w, r)
	if err != nil {
		h.fail(w, err)
		return
	}
	status := http.StatusOK
	out, err := h.Actions[call.Action](r.Context(), call)
	if err != nil {
		status = h.fail(w, err)
	} else {
		h.reply(w, status, out)
	}
	if h.Done != nil {
		h.Done(call, status)
	}
}

// accept reads the request as far as every action needs it.
func (h *Handler) accept(w http.ResponseWriter, r *http.Request) (*Call, error) {
	if h.Private && r.TLS == nil && !FromLoopback(r) {
		return nil, &Error{Status: http.StatusForbidden, Type: "AccessDeniedException",
			Message: "key material travels only over TLS or on the loopback interface; call this service there"}
	}
	if r.Method != http.MethodPost {
		return nil, &Error{Status: http.StatusMethodNotAllowed, Type: "UnknownOperationException",
			Message: "the AWS JSON protocol uses POST, not " + r.Method}
	}
	id, err := AccessKeyID(r.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	if !h.Known(id) {
		return nil, unknownCaller()
	}
	action, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), h.Target+".")
	if _, known := h.Actions[action]; !ok || !known {
		return nil, &Error{Type: "com.amazon.coral.service#UnknownOperationException", QueryCode: "InvalidAction",
			Message: fmt.Sprintf("X-Amz-Target %q is no action of this embedded service", r.Header.Get("X-Amz-Target"))}
	}
	if err := h.checkContentType(r); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.MaxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &Error{Status: http.StatusRequestEntityTooLarge, Type: "RequestEntityTooLargeException",
			Message: fmt.Sprintf("the request is longer than %d bytes", h.MaxBody)}
	}
	if err != nil {
		return nil, fmt.Errorf("read the body of %s: %w", action, err)
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	return &Call{Action: action, AccessKeyID: id, Endpoint: endpoint(r), Body: body,
		SessionToken: r.Header.Get("X-Amz-Security-Token"), Secure: r.TLS != nil}, nil
}

func (h *Handler) checkContentType(r *http.Request) error {
	given := r.Header.Get("Content-Type")
	want := "application/x-amz-json-" + h.Version
	if media, _, err := mime.ParseMediaType(given); err != nil || media != want {
		return &Error{Status: http.StatusUnsupportedMediaType, Type: "com.amazon.coral.service#UnknownOperationException",
			Message: fmt.Sprintf("content type %q is not %s", given, want)}
	}
	return nil
}

// AccessKeyID takes the caller's id out of a Signature Version 4 header:
// AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, ...
// Its errors are of type *Error.
func AccessKeyID(header string) (string, error) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return "", &Error{Status: http.StatusForbidden, Type: "com.amazon.coral.service#MissingAuthenticationTokenException",
			QueryCode: "MissingAuthenticationToken", Message: "Missing Authentication Token"}
	}
	parts := make(map[string]string, 3)
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	id, scope, _ := strings.Cut(parts["Credential"], "/")
	if id == "" || !strings.HasSuffix(scope, "/aws4_request") || parts["SignedHeaders"] == "" || parts["Signature"] == "" {
		return "", &Error{Status: http.StatusForbidden, Type: "com.amazon.coral.service#IncompleteSignatureException",
			QueryCode: "IncompleteSignature", Message: "the Authorization header needs Credential, SignedHeaders and Signature"}
	}
	return id, nil
}

func (h *Handler) reply(w http.ResponseWriter, status int, out any) {
	if out == nil {
		out = struct{}{}
	}
	body, err := json.Marshal(out)
	if err != nil {
		// The outputs are our own types; one that can't be encoded is a bug.
		panic(fmt.Sprintf("awsjson: encode %T: %v", out, err))
	}
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-"+h.Version)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Amzn-Requestid", UUID())
	w.WriteHeader(status)
	w.Write(body) // a caller that is gone needs no answer
}

func endpoint(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// FromLoopback reports whether a request came from this machine.
func FromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
