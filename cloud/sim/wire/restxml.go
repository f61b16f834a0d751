package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// RESTXML is the REST-XML protocol: method and path choose the operation, bodies are XML.
type RESTXML struct {
	// Namespace is the XML namespace of answers.
	Namespace string
	// Invalid is the code for an input that cannot be read, as in InvalidInput.
	Invalid string
	// Names are element names by Shape.Field, where they are not the name of the field with items named as their shape, or as the field
	// without its last s: "VPCs>VPC" is a list in an element, "Contents" the items of a list that stand alone.
	Names map[string]string
	// Plain errors are an Error element alone, as those of S3.
	Plain bool
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// Decode fills a shape from a request.
func (x RESTXML) Decode(q *Request, in any) error {
	v := reflect.ValueOf(in).Elem()
	d := decoder{name: x.element, items: x.listed}
	err := bindRequest(q, v, func(body []byte, at reflect.Value) error {
		root, err := parseXML(body)
		if err != nil {
			return err
		}
		return d.decode(root, at, "")
	})
	if err != nil {
		return asInvalid(err, x.Invalid)
	}
	if bad := badEnum(v, ""); bad != "" {
		return Errorf(x.Invalid, "%s", bad)
	}
	return nil
}

// Encode gives status, headers and body of an answer.
func (x RESTXML) Encode(reply Reply) (Response, error) {
	r, err := bindResponse(reply, func(v any) (Response, error) {
		root := reply.Operation.Route.root
		if root == "" {
			root = reply.Operation.Name + "Response"
		}
		e := encoder{name: x.element, item: x.item}
		fmt.Fprintf(&e.out, xmlHead+`<%s xmlns="%s">`, root, x.Namespace)
		if err := e.content(reflect.Indirect(reflect.ValueOf(v))); err != nil {
			return Response{}, err
		}
		fmt.Fprintf(&e.out, "</%s>", root)
		return content(xmlType, e.out.Bytes()), nil
	})
	if err != nil {
		return Response{}, fmt.Errorf("encoding the answer of %s: %w", reply.Operation.Name, err)
	}
	return r, nil
}

// Fail gives the error body. An error with a list of Messages is a document of its own, as Route 53's InvalidChangeBatch.
func (x RESTXML) Fail(err *Error, requestID string) Response {
	if messages, ok := err.Details["Messages"].([]string); ok {
		return x.messages(err, messages, requestID)
	}
	if !x.Plain {
		return errorResponse(err, x.Namespace, requestID)
	}
	r := content(xmlType, fmt.Appendf(nil, xmlHead+"<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>",
		escape(err.Code), escape(err.Message), requestID))
	r.Status = err.Status
	return r
}

func (x RESTXML) messages(err *Error, messages []string, requestID string) Response {
	var list strings.Builder
	for _, m := range messages {
		list.WriteString("<Message>" + escape(m) + "</Message>")
	}
	r := content(xmlType, fmt.Appendf(nil, xmlHead+`<%[1]s xmlns="%[2]s"><Messages>%[3]s</Messages><RequestId>%[4]s</RequestId></%[1]s>`,
		err.Code, x.Namespace, list.String(), requestID))
	r.Status = err.Status
	return r
}

// element gives the name of the element of a field.
func (x RESTXML) element(shape, field string) string {
	name, ok := x.Names[shape+"."+field]
	if !ok {
		return field
	}
	name, _, _ = strings.Cut(name, ">")
	return name
}

// item gives the name of the items of a list, and whether they stand alone.
func (x RESTXML) item(shape, field string, of reflect.Type) (string, bool) {
	name, ok := x.Names[shape+"."+field]
	_, item, wrapped := strings.Cut(name, ">")
	switch {
	case ok && wrapped:
		return item, false
	case ok:
		return name, true
	case of.Kind() == reflect.Struct:
		return of.Name(), false
	default:
		return strings.TrimSuffix(field, "s"), false
	}
}

func (x RESTXML) listed(n *node, shape, field string) []*node {
	if name, ok := x.Names[shape+"."+field]; ok && !strings.Contains(name, ">") {
		return n.twins
	}
	return n.elements
}

// deepest bounds the nesting of documents. Shapes are far flatter.
const deepest = 32

// parseXML makes a tree of a document. Namespaces and attributes do not count.
func parseXML(body []byte) (*node, error) {
	in := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := in.Token()
		if err != nil {
			return nil, malformedXML(err)
		}
		if _, ok := token.(xml.StartElement); ok {
			return parseElement(in, 0)
		}
	}
}

func malformedXML(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return Errorf("MalformedXML", "The XML you provided was not well-formed: %v", err)
}

// parseElement reads what is inside an element, to its end.
func parseElement(in *xml.Decoder, depth int) (*node, error) {
	n, text := &node{}, strings.Builder{}
	for depth < deepest {
		token, err := in.Token()
		if err != nil {
			return nil, malformedXML(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			c, err := parseElement(in, depth+1)
			if err != nil {
				return nil, err
			}
			n.add(t.Name.Local, c)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			n.value = text.String()
			return n, nil
		}
	}
	return nil, Errorf("MalformedXML", "The XML you provided is nested too deeply")
}

// add puts an element below another one.
func (n *node) add(name string, c *node) {
	first := n.child(name)
	if len(first.twins) == 0 {
		c.twins = []*node{c}
		n.children[name] = c
	} else {
		first.twins = append(first.twins, c)
	}
	n.elements = append(n.elements, c)
}
