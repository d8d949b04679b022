// Command worker tells the test of each message.
package main

import (
	"encoding/json"
	"time"

	"sealreel/local/stack/testdata/project/runtime"
)

func main() { runtime.Start(handle) }

func handle(event []byte) ([]byte, error) {
	var e struct {
		Records []struct{ MessageID, Body string }
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	type failure struct {
		ID string `json:"itemIdentifier"`
	}
	failures := []failure{}
	for _, r := range e.Records {
		runtime.Tell("work " + r.Body)
		switch r.Body {
		case "poison":
			failures = append(failures, failure{r.MessageID})
		case "slow":
			time.Sleep(5 * time.Second)
		}
	}
	return json.Marshal(map[string]any{"batchItemFailures": failures})
}
