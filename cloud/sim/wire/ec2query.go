package wire

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// EC2 is the EC2 variant of the Query protocol: flat lists in, item elements out, its own names and error body.
type EC2 struct {
	namespace       string
	inputs, outputs map[string]string
}

// NewEC2 makes the protocol with the XML namespace of its answers.
func NewEC2(namespace string) EC2 { return EC2{namespace, ec2Inputs(), ec2Outputs()} }

// DryRun is the code that says that a call would have succeeded.
const DryRun = "DryRunOperation"

// Decode fills a shape from a form. A call with DryRun is refused with the code that says it would have succeeded.
func (q EC2) Decode(r *Request, in any) error {
	form, err := parseForm(r)
	if err != nil {
		return err
	}
	d := decoder{name: q.inputName, items: func(n *node, _, _ string) []*node { return n.items() }}
	v := reflect.ValueOf(in).Elem()
	if err := d.decode(form, v, ""); err != nil {
		return Errorf("InvalidParameterValue", "%s", AsError(err).Message)
	}
	if bad := badEnum(v, ""); bad != "" {
		return Errorf("InvalidParameterValue", "%s", bad)
	}
	if dry, ok := form.children["DryRun"]; ok && dry.value == "true" {
		return Errorf(DryRun, "Request would have succeeded, but DryRun flag is set.").
			WithStatus(http.StatusPreconditionFailed)
	}
	return nil
}

// Encode gives OpResponse with the fields of the output directly below it.
func (q EC2) Encode(reply Reply) (Response, error) {
	e := encoder{name: q.outputName, item: func(string, string, reflect.Type) (string, bool) { return "item", false }}
	op := reply.Operation.Name
	fmt.Fprintf(&e.out, `<%sResponse xmlns="%s"><requestId>%s</requestId>`, op, q.namespace, reply.RequestID)
	if v := reflect.ValueOf(reply.Output); !v.IsNil() {
		if err := e.content(v.Elem()); err != nil {
			return Response{}, err
		}
	}
	fmt.Fprintf(&e.out, "</%sResponse>", op)
	return content(ec2Type, e.out.Bytes()), nil
}

// Fail gives EC2's own error body.
func (q EC2) Fail(err *Error, requestID string) Response {
	r := content(ec2Type, fmt.Appendf(nil, "<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>%s</RequestID></Response>",
		escape(err.Code), escape(err.Message), requestID))
	r.Status = err.Status
	return r
}

const ec2Type = "text/xml;charset=UTF-8"

// inputName gives the parameter name: the field name, but singular where EC2 flattens a list.
func (q EC2) inputName(shape, field string) string {
	if name, ok := q.inputs[shape+"."+field]; ok {
		return name
	}
	if field == "TagSpecifications" && strings.HasSuffix(shape, "Input") {
		return "TagSpecification"
	}
	if field == "Filters" && strings.HasSuffix(shape, "Input") {
		return "Filter"
	}
	return field
}

// outputName gives the element name: the field name with a small first letter, and tags everywhere as tagSet.
func (q EC2) outputName(shape, field string) string {
	if name, ok := q.outputs[shape+"."+field]; ok {
		return name
	}
	if field == "Tags" {
		return "tagSet"
	}
	return strings.ToLower(field[:1]) + field[1:]
}
