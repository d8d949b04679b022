// Package runtime is the smallest client of the Lambda Runtime API. The
// functions of this project are built from the standard library alone, so
// that a test that builds them is quick.
package runtime

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
)

// Start serves invocations with a handler, for ever.
func Start(handle func(event []byte) ([]byte, error)) {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(api + "next")
		check(err)
		event, err := io.ReadAll(next.Body)
		check(err)
		next.Body.Close()
		answer, err := handle(event)
		kind := "/response"
		if err != nil {
			kind, answer = "/error", fmt.Appendf(nil, `{"errorType":"Error","errorMessage":%q}`, err.Error())
		}
		posted, err := http.Post(api+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+kind, "application/json", bytes.NewReader(answer))
		check(err)
		posted.Body.Close()
	}
}

// Tell posts a text to the test that listens at the variable SINK.
func Tell(text string) {
	answer, err := http.Post(os.Getenv("SINK"), "text/plain", bytes.NewReader([]byte(text)))
	check(err)
	answer.Body.Close()
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
