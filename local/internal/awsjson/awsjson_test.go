package awsjson

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
)

const signed = "AWS4-HMAC-SHA256 Credential=KNOWN/20261124/eu-west-1/sqs/aws4_request, SignedHeaders=content-type;host, Signature=0a1b"

func handler() *Handler {
	return &Handler{
		Version: "1.0", Target: "Thing", MaxBody: 64, Query: true,
		Known: func(id string) bool { return id == "KNOWN" },
		Actions: map[string]Action{
			"Echo": Decoded(func(_ context.Context, call *Call, in struct{ Text string }) (any, error) {
				call.Resource = in.Text
				return map[string]string{"Text": in.Text, "Endpoint": call.Endpoint, "Caller": call.AccessKeyID}, nil
			}),
			"Nothing": func(context.Context, *Call) (any, error) { return nil, nil },
			"Refuse": func(context.Context, *Call) (any, error) {
				return nil, fmt.Errorf("wrapped: %w", &Error{Type: "ns#Refused", QueryCode: "Old.Refused", Message: "no"})
			},
			"Break": func(context.Context, *Call) (any, error) { return nil, errors.New("broken") },
			"Leave": func(context.Context, *Call) (any, error) { return nil, context.Canceled },
		},
	}
}

func TestServe(t *testing.T) {
	post := func(action, body string, header ...string) *http.Request {
		r := httptest.NewRequest("POST", "http://local:99/", strings.NewReader(body))
		r.Header.Set("Authorization", signed)
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Target", "Thing."+action)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return r
	}
	get := post("Echo", "")
	get.Method = "GET"
	broken := post("Echo", "")
	broken.Body = io.NopCloser(iotest.ErrReader(errors.New("reset")))
	for _, test := range []struct {
		name    string
		request *http.Request
		status  int
		body    string // a part of it
		query   string // X-Amzn-Query-Error
	}{
		{"answer", post("Echo", `{"Text":"hi","Other":1}`), 200, `"Text":"hi"`, ""},
		{"endpoint", post("Echo", ``), 200, `"Endpoint":"http://local:99"`, ""},
		{"content type with charset", post("Echo", ``, "Content-Type", "application/x-amz-json-1.0; charset=utf-8"), 200, "Text", ""},
		{"no output", post("Nothing", `{}`), 200, `{}`, ""},
		{"malformed", post("Echo", `{"Text":`), 400, "SerializationException", ""},
		{"wrong type", post("Echo", `{"Text":1}`), 400, "SerializationException", ""},
		{"error", post("Refuse", `{}`), 400, `{"__type":"ns#Refused","message":"no"}`, "Old.Refused;Sender"},
		{"internal error", post("Break", `{}`), 500, "InternalFailure", "InternalFailure;Receiver"},
		{"caller gone", post("Leave", `{}`), 499, "RequestAborted", ""},
		{"broken body", broken, 500, "InternalFailure", "InternalFailure;Receiver"},
		{"too long", post("Echo", strings.Repeat(" ", 65)), 413, "RequestEntityTooLarge", ""},
		{"GET", get, 405, "UnknownOperation", ""},
		{"other content type", post("Echo", `{}`, "Content-Type", "application/x-amz-json-1.1"), 415, "UnknownOperation", ""},
		{"no content type", post("Echo", `{}`, "Content-Type", ""), 415, "UnknownOperation", ""},
		{"unknown action", post("Sing", `{}`), 400, "UnknownOperationException", "InvalidAction;Sender"},
		{"other service", post("", `{}`, "X-Amz-Target", "Other.Echo"), 400, "UnknownOperationException", "InvalidAction;Sender"},
		{"unsigned", post("Echo", `{}`, "Authorization", ""), 403, "MissingAuthenticationTokenException", "MissingAuthenticationToken;Sender"},
		{"other scheme", post("Echo", `{}`, "Authorization", "Bearer x"), 403, "MissingAuthenticationTokenException", "MissingAuthenticationToken;Sender"},
		{"unknown caller", post("Echo", `{}`, "Authorization", strings.Replace(signed, "KNOWN", "OTHER", 1)), 403, "UnrecognizedClientException", "InvalidClientTokenId;Sender"},
		{"no signature", post("Echo", `{}`, "Authorization", strings.Replace(signed, "Signature=0a1b", "", 1)), 403, "IncompleteSignature", "IncompleteSignature;Sender"},
		{"no scope", post("Echo", `{}`, "Authorization", strings.Replace(signed, "/aws4_request", "", 1)), 403, "IncompleteSignature", "IncompleteSignature;Sender"},
		{"no caller", post("Echo", `{}`, "Authorization", strings.Replace(signed, "KNOWN", "", 1)), 403, "IncompleteSignature", "IncompleteSignature;Sender"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler().ServeHTTP(w, test.request)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
				t.Errorf("status %d, body %s; want %d with %s", w.Code, w.Body, test.status, test.body)
			}
			if got := w.Header().Get("X-Amzn-Query-Error"); got != test.query {
				t.Errorf("query error %q, want %q", got, test.query)
			}
			if got := w.Header().Get("Content-Type"); got != "application/x-amz-json-1.0" {
				t.Errorf("content type %q", got)
			}
		})
	}
}

func TestDone(t *testing.T) {
	type done struct {
		action, resource string
		status           int
	}
	var got []done
	h := handler()
	h.Done = func(c *Call, status int) { got = append(got, done{c.Action, c.Resource, status}) }
	for _, action := range []string{"Echo", "Refuse", "Sing"} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(`{"Text":"queue"}`))
		r.Header.Set("Authorization", signed)
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Target", "Thing."+action)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	want := []done{{"Echo", "queue", 200}, {"Refuse", "", 400}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

func TestErrorText(t *testing.T) {
	for _, test := range []struct {
		err  Error
		want string
	}{
		{Error{Type: "ns#Shape"}, "Shape"},
		{Error{Type: "Shape", Message: "m"}, "Shape: m"},
		{Error{Type: "ns#Shape", QueryCode: "Old.Code", Message: "m"}, "Old.Code: m"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%+v reads %q, want %q", test.err, got, test.want)
		}
	}
}

func TestUUID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := make(map[string]bool)
	for range 1000 {
		id := UUID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("%q is malformed or came twice", id)
		}
		seen[id] = true
	}
}

func FuzzAccessKeyID(f *testing.F) {
	f.Add(signed)
	f.Add("AWS4-HMAC-SHA256 Credential=/,,=")
	f.Fuzz(func(t *testing.T, header string) {
		id, err := AccessKeyID(header)
		if err == nil && (id == "" || !strings.Contains(header, "Credential="+id+"/")) {
			t.Errorf("%q gave the id %q", header, id)
		}
	})
}
