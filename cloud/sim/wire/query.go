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
func (q Query) Decode(r *Request, in any) error {
	form, err := parseForm(r)
	if err != nil {
		return err
	}
	d := decoder{name: sameName, items: memberItems}
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
func (q Query) Encode(reply Reply) (Response, error) {
	e := encoder{name: sameName, item: func(string, string, reflect.Type) (string, bool) { return "member", false }}
	op := reply.Operation.Name
	fmt.Fprintf(&e.out, `<%sResponse xmlns="%s">`, op, q.Namespace)
	if err := e.encode(op+"Result", reflect.ValueOf(reply.Output)); err != nil {
		return Response{}, err
	}
	fmt.Fprintf(&e.out, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>", reply.RequestID, op)
	return content(xmlType, e.out.Bytes()), nil
}

// Fail gives an ErrorResponse.
func (q Query) Fail(err *Error, requestID string) Response {
	return errorResponse(err, q.Namespace, requestID)
}

const xmlType = "text/xml"

// errorResponse is the form of errors that most XML services have.
func errorResponse(err *Error, namespace, requestID string) Response {
	kind := "Sender"
	if err.Status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	r := content(xmlType, fmt.Appendf(nil, `<ErrorResponse xmlns="%s"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error>`+
		"<RequestId>%s</RequestId></ErrorResponse>", namespace, kind, escape(err.Code), escape(err.Message), requestID))
	r.Status = err.Status
	return r
}

func sameName(_, field string) string { return field }

// memberItems gives the items of a list that a form holds under "member".
func memberItems(n *node, _, _ string) []*node {
	if c := n.children["member"]; c != nil {
		return c.items()
	}
	return n.items()
}
