package snstopic

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/seal"
)

const topic = "arn:aws:sns:eu-north-1:111122223333:films"

func static(id string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(id, "secret", "")
}

// answer is a service that takes one request and answers it.
func answer(t *testing.T, status int, body string, seen *http.Request, form *url.Values) aws.Config {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		*seen, *form = *r, r.PostForm
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(web.Close)
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &web.URL, Credentials: static("AKOWN"), RetryMaxAttempts: 1}
}

func TestPublish(t *testing.T) {
	var seen http.Request
	var form url.Values
	cfg := answer(t, 200, `<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>`, &seen, &form)
	for id, topics := range map[string]*Topics{"AKOWN": New(cfg), "AKROLE": New(cfg).As(static("AKROLE"))} {
		got, err := topics.Publish(t.Context(), topic, "About it", "{\n}")
		if err != nil || got != "m-1" {
			t.Fatalf("%q, %v", got, err)
		}
		if form.Get("TopicArn") != topic || form.Get("Subject") != "About it" || form.Get("Message") != "{\n}" {
			t.Errorf("%v", form)
		}
		// The topic's region, not the function's.
		if by := seen.Header.Get("Authorization"); !strings.Contains(by, "Credential="+id+"/") || !strings.Contains(by, "/eu-north-1/sns/") {
			t.Errorf("signed %s", by)
		}
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for code, want := range map[string]string{
		"AuthorizationError": "allow sns:Publish", "NotFound": "make the topic", "InvalidParameter": "standard topic", "Throttling": topic + ":",
	} {
		var seen http.Request
		var form url.Values
		cfg := answer(t, 400, `<ErrorResponse><Error><Code>`+code+`</Code><Message>x</Message></Error></ErrorResponse>`, &seen, &form)
		_, err := New(cfg).Publish(t.Context(), topic, "s", "the message")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "the message") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestNothingGoesOverAnOpenNetwork(t *testing.T) {
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://sns.example.com"), Credentials: static("AKOWN"), RetryMaxAttempts: 1}
	_, err := New(cfg).Publish(t.Context(), topic, "s", "m")
	var plain *seal.PlaintextEndpointError
	if !errors.As(err, &plain) {
		t.Errorf("error %v", err)
	}
}
