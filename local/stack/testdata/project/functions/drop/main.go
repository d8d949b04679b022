// Command drop tells the test of each object event and queues its key.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"sealreel/local/stack/testdata/project/runtime"
)

func main() { runtime.Start(handle) }

func handle(event []byte) ([]byte, error) {
	var e struct {
		Records []struct {
			S3 struct {
				Object struct{ Key, VersionID string }
			}
		}
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	if len(e.Records) == 0 {
		runtime.Tell("tick")
	}
	for _, r := range e.Records {
		object := r.S3.Object
		if object.Key == "bad" {
			return nil, errors.New("a bad key")
		}
		runtime.Tell(fmt.Sprintf("drop %s versioned=%t storage=%d greeting=%s ffmpeg=%t", object.Key, object.VersionID != "",
			storage(), os.Getenv("GREETING"), !strings.HasPrefix(os.Getenv("SEALREEL_FFMPEG"), "/opt/")))
		if err := send(object.Key); err != nil {
			return nil, err
		}
	}
	return []byte("null"), nil
}

// storage returns how S3 answers an unsigned request over TLS.
func storage() int {
	pem, err := os.ReadFile(os.Getenv("AWS_CA_BUNDLE"))
	if err != nil {
		return 0
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	answer, err := client.Get(os.Getenv("AWS_ENDPOINT_URL_S3") + "/" + os.Getenv("SEALREEL_INGEST_BUCKET"))
	if err != nil {
		fmt.Println(err)
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

// send queues a message. The embedded SQS wants to know who calls, but
// doesn't verify signatures.
func send(body string) error {
	doc, err := json.Marshal(map[string]string{"QueueUrl": os.Getenv("SEALREEL_QUEUE_URL"), "MessageBody": body})
	if err != nil {
		return err
	}
	request, err := http.NewRequest("POST", os.Getenv("AWS_ENDPOINT_URL_SQS"), strings.NewReader(string(doc)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+os.Getenv("AWS_ACCESS_KEY_ID")+
		"/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("SQS answered %s", answer.Status)
	}
	return nil
}
