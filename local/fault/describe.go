package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxBody bounds what is read of a request in JSON or Query, in bytes.
const maxBody = 16 << 20

// describe finds out what a request asks for. Its body can be read afterwards.
func describe(service string, r *http.Request) (Call, error) {
	c := Call{Service: service, AccessKeyID: accessKeyID(r)}
	if service == "s3" {
		c.Operation, c.Resource = objectCall(r)
		return c, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return c, fmt.Errorf("fault: read a request to %s: %w", service, err)
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	var get func(string) string
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		c.Operation = target[strings.LastIndexByte(target, '.')+1:]
		var in map[string]any
		json.Unmarshal(body, &in) // what is no JSON has no resource
		get = func(name string) string { text, _ := in[name].(string); return text }
	} else {
		form, _ := url.ParseQuery(string(body))
		c.Operation, get = form.Get("Action"), form.Get
	}
	for _, name := range []string{"QueueUrl", "QueueName", "TopicArn", "RoleArn", "KeyId"} {
		if c.Resource = get(name); c.Resource != "" {
			break
		}
	}
	if service == "sqs" {
		c.Resource = c.Resource[strings.LastIndexByte(c.Resource, '/')+1:]
	}
	return c, nil
}

// accessKeyID is that of a signed request, in its header or its query.
func accessKeyID(r *http.Request) string {
	_, credential, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !found {
		credential = r.URL.Query().Get("X-Amz-Credential")
	}
	id, _, _ := strings.Cut(credential, "/")
	return id
}
