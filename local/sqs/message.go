package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxGroup is the most characters of a MessageGroupId.
const maxGroup = 128

// AttributeValue is the value of a message attribute (API:
// MessageAttributeValue). DataType is String, Number or Binary, each
// possibly with a label behind a dot; Binary uses BinaryValue.
type AttributeValue struct {
	DataType    string  `json:"DataType"`
	StringValue *string `json:"StringValue,omitempty"`
	BinaryValue []byte  `json:"BinaryValue,omitempty"`
}

// message is a message at rest in a queue. What is exported is journalled.
type message struct {
	Queue      string // name of the queue it is in
	ID         string
	Body       string
	Attributes map[string]AttributeValue `json:",omitempty"`
	Group      string                    `json:",omitempty"` // MessageGroupId
	Trace      string                    `json:",omitempty"` // AWSTraceHeader
	Sender     string                    // who sent it
	Sent       time.Time                 // kept when it moves to a dead-letter queue
	Source     string                    `json:",omitempty"` // ARN of the queue it was moved from
	Delivery   delivery

	order uint64 // of arrival in its queue
	index int    // in queue.hidden; notHidden when it is not there
}

// delivery is what changes while a message is received and returned.
type delivery struct {
	Count    int       // how often it was received
	First    time.Time // when it was first received
	Last     time.Time // when it was last received
	Until    time.Time // before then it is hidden: in flight or delayed
	InFlight bool      // received under Token, and its time not over
	Token    []byte    // the latest receipt's secret part
}

// bodyMD5 is the digest that clients check a body with.
func bodyMD5(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// attributesMD5 is the digest over message attributes (SQS developer guide,
// "Calculating the MD5 message digest for message attributes"): by name in
// order, each of name, type and value with its length before it as four
// bytes, a byte before the value telling text (1) from binary (2). It is
// empty when there are none.
func attributesMD5(attributes map[string]AttributeValue) string {
	if len(attributes) == 0 {
		return ""
	}
	h := md5.New()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		writeSized(h, name)
		writeSized(h, value.DataType)
		if value.binary() {
			h.Write([]byte{2})
			writeSized(h, string(value.BinaryValue))
		} else {
			h.Write([]byte{1})
			writeSized(h, *value.StringValue)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func writeSized(h hash.Hash, text string) {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(text)))
	h.Write(size[:])
	h.Write([]byte(text))
}

func (v AttributeValue) binary() bool {
	kind, _, _ := strings.Cut(v.DataType, ".")
	return kind == "Binary"
}

// size is what counts against the limits: body, and names, types and values
// of the attributes, in bytes.
func size(body string, attributes map[string]AttributeValue) int {
	n := len(body)
	for name, value := range attributes {
		n += len(name) + len(value.DataType) + len(value.BinaryValue)
		if value.StringValue != nil {
			n += len(*value.StringValue)
		}
	}
	return n
}

// validText reports whether SQS takes every character of a text: XML 1.0's.
func validText(text string) bool {
	for _, r := range text {
		ok := r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000
		if !ok {
			return false
		}
	}
	return utf8.ValidString(text)
}

// validGroup reports whether a text can be a MessageGroupId: ASCII letters,
// digits and punctuation.
func validGroup(group string) bool {
	for _, c := range []byte(group) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(group) <= maxGroup
}

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_\-.]{1,256}$`)

// checkAttributes reports what is wrong with message attributes.
func checkAttributes(attributes map[string]AttributeValue) error {
	if len(attributes) > 10 {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [10].", len(attributes))
	}
	for name, value := range attributes {
		lower := strings.ToLower(name)
		if !attributeName.MatchString(name) || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") ||
			strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
			return invalid("The message attribute name '%s' is invalid. Use A-Z, a-z, 0-9, underscore, hyphen and single periods between them, and no prefix AWS. or Amazon.", name)
		}
		if err := value.check(name); err != nil {
			return err
		}
	}
	return nil
}

func (v AttributeValue) check(name string) error {
	kind, _, _ := strings.Cut(v.DataType, ".")
	switch {
	case v.DataType == "":
		return invalid("The message attribute '%s' must contain a non-empty message attribute type.", name)
	case kind != "String" && kind != "Number" && kind != "Binary":
		return invalid("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	case v.binary() && len(v.BinaryValue) == 0, !v.binary() && (v.StringValue == nil || *v.StringValue == ""):
		return invalid("The message attribute '%s' must contain a non-empty message attribute value for its type '%s'.", name, v.DataType)
	case v.binary() && v.StringValue != nil, !v.binary() && len(v.BinaryValue) > 0:
		return invalid("The message attribute '%s' has a value that does not fit its type '%s'.", name, v.DataType)
	case v.StringValue != nil && !validText(*v.StringValue):
		return badContents()
	}
	return nil
}
