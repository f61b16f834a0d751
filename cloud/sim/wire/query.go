package wire

import (
	"fmt"
	"net/http"
	"reflect"
)

// Query is the AWS Query protocol: a form in, XML out, lists with member elements.
type Query struct {
	// Namespace is the XML namespace of answers.
	Namespace string
}

// Decode fills a shape from a form.
func (q Query) Decode(body []byte, in any) error {
	form, err := parseForm(body)
	if err != nil {
		return err
	}
	d := decoder{name: sameName, list: "member"}
	v := reflect.ValueOf(in).Elem()
	if err := d.decode(form, v, ""); err != nil {
		return err
	}
	if bad := badEnum(v, ""); bad != "" {
		return Errorf("ValidationError", "%s", bad)
	}
	return nil
}

// Encode gives OpResponse, OpResult and the metadata.
func (q Query) Encode(reply Reply) ([]byte, error) {
	e := encoder{name: sameName, item: "member"}
	op := reply.Operation
	fmt.Fprintf(&e.out, `<%sResponse xmlns="%s">`, op, q.Namespace)
	if err := e.encode(op+"Result", reflect.ValueOf(reply.Output)); err != nil {
		return nil, err
	}
	fmt.Fprintf(&e.out, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>", reply.RequestID, op)
	return e.out.Bytes(), nil
}

// Fail gives an ErrorResponse.
func (q Query) Fail(err *Error, requestID string) []byte {
	kind := "Sender"
	if err.Status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	return fmt.Appendf(nil, `<ErrorResponse xmlns="%s"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error>`+
		"<RequestId>%s</RequestId></ErrorResponse>", q.Namespace, kind, escape(err.Code), escape(err.Message), requestID)
}

// ContentType is XML.
func (q Query) ContentType() string { return "text/xml" }

func sameName(_, field string) string { return field }
