package cloudwatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// orCBOR lets a handler of the JSON protocol answer clients of the protocol that
// AWS's newer ones use for CloudWatch: Smithy's RPC v2 with CBOR. Each request
// and answer is carried over from one to the other.
func orCBOR(jsonHandler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
			jsonHandler.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err == nil {
			body, err = jsonOfCBOR(body)
		}
		operation, ok := strings.CutPrefix(r.URL.Path, "/service/"+target+"/operation/")
		if err != nil || !ok {
			http.Error(w, fmt.Sprintf("%s is no request of the protocol rpc-v2-cbor to CloudWatch: %v", r.URL.Path, err), http.StatusBadRequest)
			return
		}
		carried := r.Clone(r.Context())
		carried.Header.Set("X-Amz-Target", target+"."+operation)
		carried.Header.Set("Content-Type", "application/x-amz-json-1.0")
		carried.Body = io.NopCloser(bytes.NewReader(body))
		answer := &answer{header: w.Header(), status: http.StatusOK}
		jsonHandler.ServeHTTP(answer, carried)
		answer.send(w)
	})
}

// answer keeps what a handler answers.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// send passes the answer on in CBOR.
func (a *answer) send(w http.ResponseWriter) {
	decoder := json.NewDecoder(&a.body)
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic("cloudwatch: an answer that is no JSON: " + err.Error()) // they are our own
	}
	body := cbor.Encode(cborOf("", value))
	a.header.Set("Content-Type", "application/cbor")
	a.header.Set("Smithy-Protocol", "rpc-v2-cbor")
	a.header.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(a.status)
	w.Write(body) // a caller that is gone needs no answer
}

// jsonOfCBOR carries a request over.
func jsonOfCBOR(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return []byte("{}"), nil
	}
	v, err := cbor.Decode(body)
	if err != nil {
		return nil, err
	}
	plain, err := plainOf(v)
	if err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

func plainOf(v cbor.Value) (any, error) {
	switch v := v.(type) {
	case cbor.Uint:
		return uint64(v), nil
	case cbor.NegInt:
		return -float64(v), nil
	case cbor.String:
		return string(v), nil
	case cbor.Bool:
		return bool(v), nil
	case cbor.Float32:
		return finite(float64(v))
	case cbor.Float64:
		return finite(float64(v))
	case *cbor.Nil, *cbor.Undefined:
		return nil, nil
	case *cbor.Tag: // of times, which JSON has as numbers too
		return plainOf(v.Value)
	case cbor.List:
		list := make([]any, len(v))
		for i, item := range v {
			var err error
			if list[i], err = plainOf(item); err != nil {
				return nil, err
			}
		}
		return list, nil
	case cbor.Map:
		members := map[string]any{}
		for name, item := range v {
			var err error
			if members[name], err = plainOf(item); err != nil {
				return nil, err
			}
		}
		return members, nil
	}
	return nil, fmt.Errorf("there is a %T in it", v)
}

func finite(v float64) (any, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("%v is no number that JSON has", v)
	}
	return v, nil
}

// cborOf carries a value of an answer over. Times are the numbers in members
// that are called so.
func cborOf(name string, value any) cbor.Value {
	switch v := value.(type) {
	case string:
		return cbor.String(v)
	case bool:
		return cbor.Bool(v)
	case json.Number:
		n, _ := v.Float64()
		if strings.Contains(name, "Timestamp") {
			return &cbor.Tag{ID: 1, Value: cbor.Float64(n)}
		}
		if i, err := v.Int64(); err == nil && i >= 0 {
			return cbor.Uint(i)
		}
		return cbor.Float64(n)
	case []any:
		list := make(cbor.List, len(v))
		for i, item := range v {
			list[i] = cborOf(name, item)
		}
		return list
	case map[string]any:
		members := cbor.Map{}
		for key, item := range v {
			members[key] = cborOf(key, item)
		}
		return members
	}
	return &cbor.Nil{}
}
