package iam

import (
	"strings"
	"testing"
)

func TestConditions(t *testing.T) {
	none := []string(nil)
	for _, test := range []struct {
		operator, values string
		got              []string
		want             bool
	}{
		{"StringEquals", `"a"`, []string{"a"}, true},
		{"StringEquals", `"a"`, []string{"A"}, false},
		{"StringEquals", `"a"`, none, false},
		{"StringEquals", `"a*"`, []string{"ab"}, false},
		{"StringEquals", `"a*"`, []string{"a*"}, true},
		{"StringEquals", `"a${*}"`, []string{"a*"}, true},
		{"StringEquals", `["a","b"]`, []string{"b"}, true},
		{"StringEquals", `["a","b"]`, []string{"c"}, false},
		{"StringEquals", `true`, []string{"true"}, true},
		{"StringEquals", `1.20`, []string{"1.20"}, true},
		{"StringEquals", `"a"`, []string{"b", "a"}, true},
		{"StringEqualsIgnoreCase", `"aä"`, []string{"AÄ"}, true},
		{"StringEqualsIgnoreCase", `"a"`, []string{"b"}, false},
		{"StringNotEquals", `"a"`, []string{"b"}, true},
		{"StringNotEquals", `"a"`, []string{"a"}, false},
		{"StringNotEquals", `["a","b"]`, []string{"b"}, false},
		{"StringNotEquals", `["a","b"]`, []string{"c"}, true},
		{"StringNotEquals", `"a"`, none, true},
		{"StringNotEquals", `"a"`, []string{"b", "a"}, false},
		{"StringNotEqualsIgnoreCase", `"a"`, []string{"A"}, false},
		{"StringNotEqualsIgnoreCase", `"a"`, []string{"B"}, true},
		{"StringLike", `"in/*"`, []string{"in/x"}, true},
		{"StringLike", `"in/*"`, []string{"out/x"}, false},
		{"StringLike", `"in/*"`, none, false},
		{"StringNotLike", `"in/*"`, []string{"in/x"}, false},
		{"StringNotLike", `"in/*"`, []string{"out/x"}, true},
		{"StringNotLike", `"in/*"`, none, true},

		{"ArnEquals", `"arn:aws:s3:::b"`, []string{"arn:aws:s3:::b"}, true},
		{"ArnEquals", `"arn:aws:s3:::*"`, []string{"arn:aws:s3:::b"}, true},
		{"ArnLike", `"arn:aws:iam::*:role/x*"`, []string{"arn:aws:iam::1:role/xy"}, true},
		{"ArnLike", `"arn:aws:iam::*:role/x*"`, []string{"arn:aws:iam::1:role/y"}, false},
		{"ArnLike", `"arn:aws:iam:*::role/x"`, []string{"arn:aws:iam:a:1::role/x"}, false}, // each part by itself
		{"ArnLike", `"arn:aws:iam::1:role/x"`, []string{"x"}, false},
		{"ArnLike", `"arn:aws:iam::1:role/x"`, none, false},
		{"ArnNotEquals", `"arn:aws:s3:::b"`, []string{"arn:aws:s3:::c"}, true},
		{"ArnNotLike", `"arn:aws:s3:::b*"`, []string{"arn:aws:s3:::bc"}, false},

		{"Bool", `"true"`, []string{"true"}, true},
		{"Bool", `true`, []string{"True"}, true},
		{"Bool", `"false"`, []string{"true"}, false},
		{"Bool", `"false"`, []string{"false"}, true},
		{"Bool", `"false"`, []string{"no"}, false},
		{"Bool", `"false"`, none, false},
		{"BoolIfExists", `"false"`, none, true},
		{"BoolIfExists", `"false"`, []string{"true"}, false},

		{"Null", `"true"`, none, true},
		{"Null", `true`, []string{"x"}, false},
		{"Null", `"false"`, none, false},
		{"Null", `false`, []string{"x"}, true},
		{"Null", `"true"`, []string{}, true},

		{"NumericEquals", `"1.20"`, []string{"1.2"}, true},
		{"NumericEquals", `"1.2"`, []string{"1.3"}, false},
		{"NumericNotEquals", `"1.2"`, []string{"1.3"}, true},
		{"NumericNotEquals", `"1.2"`, []string{"1.2"}, false},
		{"NumericLessThan", `"1.2"`, []string{"1.1"}, true},
		{"NumericLessThan", `"1.2"`, []string{"1.2"}, false},
		{"NumericLessThan", `1.2`, []string{"1.10"}, true},
		{"NumericLessThan", `"1.2"`, none, false},
		{"NumericLessThan", `"1.2"`, []string{"x"}, false},
		{"NumericLessThanEquals", `"1.2"`, []string{"1.2"}, true},
		{"NumericLessThanEquals", `"1.2"`, []string{"1.3"}, false},
		{"NumericGreaterThan", `"-5"`, []string{"-4"}, true},
		{"NumericGreaterThan", `"5"`, []string{"5"}, false},
		{"NumericGreaterThanEquals", `"5"`, []string{"5"}, true},
		{"NumericGreaterThanEquals", `"5"`, []string{"4"}, false},

		{"StringEqualsIfExists", `"a"`, none, true},
		{"StringEqualsIfExists", `"a"`, []string{"b"}, false},
		{"StringNotEqualsIfExists", `"a"`, none, true},
		{"StringNotEqualsIfExists", `"a"`, []string{"a"}, false},
		{"NumericLessThanIfExists", `"1.2"`, none, true},

		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "b"}, true},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "c"}, false},
		{"ForAllValues:StringEquals", `["a","b"]`, none, true},
		{"ForAllValues:StringNotEquals", `["a","b"]`, []string{"c", "d"}, true},
		{"ForAllValues:StringNotEquals", `["a","b"]`, []string{"c", "a"}, false},
		{"ForAnyValue:StringEquals", `["a","b"]`, []string{"c", "a"}, true},
		{"ForAnyValue:StringEquals", `["a","b"]`, []string{"c", "d"}, false},
		{"ForAnyValue:StringEquals", `["a","b"]`, none, false},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, []string{"a", "c"}, true},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, []string{"a", "b"}, false},
		{"ForAnyValue:StringNotEquals", `"a"`, none, false},
		{"ForAnyValue:StringLikeIfExists", `"a*"`, none, true},
	} {
		v, err := decode([]byte(test.values))
		if err != nil {
			t.Fatal(err)
		}
		c, err := parseCondition(test.operator, "s3:prefix", v)
		if err != nil {
			t.Errorf("%s %s: %v", test.operator, test.values, err)
			continue
		}
		if got := c.holds(test.got); got != test.want {
			t.Errorf("%s %s holds for %q: %v", test.operator, test.values, test.got, got)
		}
	}
}

func TestConditionsRefuse(t *testing.T) {
	for _, test := range []struct{ condition, want string }{
		{`{"StringEqual":{"s3:prefix":"a"}}`, "StringEqual of s3:prefix: the operator is not supported"},
		{`{"stringequals":{"s3:prefix":"a"}}`, "not supported"},
		{`{"DateLessThan":{"aws:SourceArn":"2026-01-01T00:00:00Z"}}`, "DateLessThan"},
		{`{"IpAddress":{"aws:SourceArn":"10.0.0.0/8"}}`, "IpAddress"},
		{`{"BinaryEquals":{"s3:prefix":"a"}}`, "BinaryEquals"},
		{`{"BoolNot":{"s3:prefix":"true"}}`, "BoolNot"},
		{`{"ForSomeValues:StringEquals":{"s3:prefix":"a"}}`, "ForSomeValues"},
		{`{"ForAnyValue:Null":{"s3:prefix":"true"}}`, "ForAnyValue:Null"},
		{`{"NullIfExists":{"s3:prefix":"true"}}`, "NullIfExists"},
		{`{"Null":{"s3:prefix":["true","false"]}}`, "one value"},
		{`{"Null":{"s3:prefix":"yes"}}`, "neither true nor false"},
		{`{"Bool":{"s3:prefix":"1"}}`, "neither true nor false"},
		{`{"NumericEquals":{"s3:TlsVersion":"1,2"}}`, "no number"},
		{`{"NumericEquals":{"s3:TlsVersion":"NaN"}}`, "no number"},
		{`{"NumericEquals":{"s3:TlsVersion":"0x10"}}`, "no number"},
		{`{"NumericEquals":{"s3:TlsVersion":1e3}}`, "no number"},
		{`{"ArnLike":{"aws:SourceArn":"*"}}`, "no ARN"},
		{`{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*"}}`, "no ARN"},
		{`{"StringLike":{"s3:prefix":"${aws:username}/*"}}`, "${aws:username}"},
		{`{"StringEquals":{"s3:prefix":"${aws:username}"}}`, "${aws:username}"},
		{`{"StringEquals":{"aws:SourceIp":"a"}}`, "aws:SourceIp: the key is not supported"},
		{`{"StringEquals":{"AWS:PrincipalTag/a":"a"}}`, "not supported"},
		{`{"StringEquals":{"prefix":"a"}}`, "none of IAM's"},
		{`{"StringEquals":{"kms:${a}":"a"}}`, "none of IAM's"},
		{`{"StringEquals":{"s3:prefix":null}}`, "<nil>"},
		{`{"StringEquals":{"s3:prefix":{}}}`, "no text"},
		{`{"StringEquals":{"s3:prefix":[]}}`, "empty"},
		{`{"StringEquals":{"s3:prefix":[["a"]]}}`, "no text"},
		{`{"StringEquals":"a"}`, "no object"},
		{`[]`, "no object"},
	} {
		v, err := decode([]byte(test.condition))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseConditions(v); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.condition, err, test.want)
		}
	}
}
