package fault

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strconv"
)

// queries are the services that answer in the XML of the Query protocol, by the
// namespace of their answers.
var queries = map[string]string{"sts": "https://sts.amazonaws.com/doc/2011-06-15/", "sns": "http://sns.amazonaws.com/doc/2010-03-31/"}

// refuse answers with an error in the form of the service's protocol.
func refuse(c Call, w http.ResponseWriter, a Answer) {
	message := cmp.Or(a.Message, "an injected fault: "+a.Code)
	id := "FAULT" + strconv.FormatUint(c.Number, 10)
	namespace, isQuery := queries[c.Service]
	var body []byte
	kind := "application/xml"
	switch {
	case c.Service == "s3":
		body, _ = xml.Marshal(struct { // strings only: it can't fail
			XMLName                                    xml.Name `xml:"Error"`
			Code, Message, Resource, RequestId, HostId string
		}{xml.Name{}, a.Code, message, "/" + c.Resource, id, id})
		body = append([]byte(xml.Header), body...)
		w.Header().Set("X-Amz-Request-Id", id)
	case isQuery:
		type detail struct{ Type, Code, Message string }
		body, _ = xml.Marshal(struct {
			XMLName   xml.Name
			Error     detail
			RequestId string
		}{xml.Name{Space: namespace, Local: "ErrorResponse"}, detail{blame(a.Status), a.Code, message}, id})
		kind = "text/xml"
	default:
		body, _ = json.Marshal(map[string]string{"__type": a.Code, "message": message})
		kind = "application/x-amz-json-1.1"
		if c.Service == "sqs" {
			kind = "application/x-amz-json-1.0"
			w.Header().Set("X-Amzn-Query-Error", a.Code+";"+blame(a.Status))
		}
	}
	w.Header().Set("X-Amzn-Requestid", id)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.Status)
	w.Write(body) // for HEAD the server leaves it away
}

// blame says whose fault a status is.
func blame(status int) string {
	if status >= 500 {
		return "Receiver"
	}
	return "Sender"
}
