// Package price holds published list prices, and says what recorded usage costs
// by them, and what others would have charged for the same outputs.
//
// It guarantees that every figure is the product of a recorded number and a price
// of the list: no free tier, no discount, and no guess in between but those that a
// Bill names.
package price

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
)

// List are prices, in the currency of each. Requests are priced singly, as usage
// counts them.
type List struct {
	Region   string   `json:"region"`
	Currency string   `json:"currency"`
	Date     string   `json:"date"` // when they were looked up, year and month
	Sources  []string `json:"sources"`

	Lambda            Lambda            `json:"lambda"`
	S3                S3                `json:"s3"`
	KMS               float64           `json:"kms"`
	SQS               float64           `json:"sqs"`
	SNS               float64           `json:"sns"`
	ElasticTranscoder ElasticTranscoder `json:"elasticTranscoder"`
	MediaConvert      MediaConvert      `json:"mediaConvert"`
}

// Lambda are the prices of an invocation and of a GB-second, by architecture
// (amd64, arm64).
type Lambda struct {
	GBSecond map[string]float64 `json:"gbSecond"`
	Request  float64            `json:"request"`
}

// S3 are the prices of requests by class.
type S3 struct {
	Write float64 `json:"write"` // PUT, COPY, POST, LIST
	Read  float64 `json:"read"`  // GET and all others; DELETE is free
}

// ElasticTranscoder are prices of a minute of output: of sound alone, below and
// from 720 lines.
type ElasticTranscoder struct {
	Audio float64 `json:"audio"`
	SD    float64 `json:"sd"`
	HD    float64 `json:"hd"`
}

// MediaConvert is the price of a normalized minute of output, and how many of
// them a minute is by what it holds: sound alone, below 720 lines, up to 1080,
// above; and times Above30 with more than 30 frames a second. Each output counts
// for ShortestSeconds at least.
type MediaConvert struct {
	Minute          float64 `json:"minute"`
	Audio           float64 `json:"audio"`
	SD              float64 `json:"sd"`
	HD              float64 `json:"hd"`
	UHD             float64 `json:"uhd"`
	Above30         float64 `json:"above30"`
	ShortestSeconds float64 `json:"shortestSeconds"`
}

//go:embed prices.json
var published []byte

// Published are the list prices that this version knows.
func Published() List {
	var l List
	if err := json.Unmarshal(published, &l); err != nil {
		panic(err) // a test reads it
	}
	return l
}

// Parse reads a list of prices. What it leaves out is as published. A member that
// there is not, and a price that is none, are refused.
func Parse(body []byte) (List, error) {
	l := Published()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return List{}, fmt.Errorf("the list of prices: %w", err)
	}
	if decoder.More() {
		return List{}, fmt.Errorf("the list of prices: there is more behind it")
	}
	if name := negative(reflect.ValueOf(l), ""); name != "" {
		return List{}, fmt.Errorf("the list of prices: %s is no price", name)
	}
	return l, nil
}

// negative names a number in v that is no price, "" where all are.
func negative(v reflect.Value, name string) string {
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); f < 0 || math.IsNaN(f) || math.IsInf(f, 0) {
			return name
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if bad := negative(v.Field(i), join(name, v.Type().Field(i).Tag.Get("json"))); bad != "" {
				return bad
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if bad := negative(v.MapIndex(key), join(name, key.String())); bad != "" {
				return bad
			}
		}
	}
	return ""
}

func join(outer, inner string) string {
	if outer == "" {
		return inner
	}
	return outer + "." + inner
}
