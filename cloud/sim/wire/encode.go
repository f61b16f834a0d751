package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// encoder writes shapes as XML.
type encoder struct {
	// name gives the element name of a field of a shape.
	name func(shape, field string) string
	// item is the element name of the items of the list that is a field of a shape, and whether they stand alone, without an element around them.
	item func(shape, field string, of reflect.Type) (name string, flat bool)
	out  bytes.Buffer
	// known are the places of fields that were worked out.
	known map[reflect.Type][]place
}

// timeFormat is ISO 8601 with milliseconds, as the Query services write it.
const timeFormat = "2006-01-02T15:04:05.000Z"

// encode writes the element name with a value. A nil pointer and a nil list are left out; an empty list is an empty element.
func (e *encoder) encode(name string, v reflect.Value) error {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if absent(v) {
		return nil
	}
	e.out.WriteString("<" + name + ">")
	if err := e.content(v); err != nil {
		return err
	}
	e.out.WriteString("</" + name + ">")
	return nil
}

// absent reports whether a value is one that AWS leaves out: a nil list or map and an enum without value.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0 && v.Type() != reflect.TypeFor[string]()
	default:
		return false
	}
}

func (e *encoder) content(v reflect.Value) error {
	switch {
	case isTime(v) || isBytes(v):
		return e.special(v)
	case v.Kind() == reflect.Struct:
		return e.fields(v)
	case v.Kind() == reflect.Slice:
		return fmt.Errorf("list of lists %s, which no protocol carries", v.Type())
	case v.Kind() == reflect.Map:
		return e.entries(v)
	default:
		return e.scalar(v)
	}
}

// place is where a field of a shape goes.
type place struct {
	index      int
	name, item string
	// list says that the field is a list, and flat that its items stand alone.
	list, flat bool
}

// places gives the places of the fields of a shape. They are worked out once an answer, which may hold hundreds of the same shape.
func (e *encoder) places(t reflect.Type) []place {
	if known, ok := e.known[t]; ok {
		return known
	}
	var all []place
	for f := range t.Fields() {
		if !onWire(f) {
			continue
		}
		p := place{index: f.Index[0], name: e.name(t.Name(), f.Name)}
		if f.Type.Kind() == reflect.Slice && f.Type != reflect.TypeFor[[]byte]() {
			p.list = true
			p.item, p.flat = e.item(t.Name(), f.Name, f.Type.Elem())
		}
		all = append(all, p)
	}
	if e.known == nil {
		e.known = map[reflect.Type][]place{}
	}
	e.known[t] = all
	return all
}

func (e *encoder) fields(v reflect.Value) error {
	for _, p := range e.places(v.Type()) {
		var err error
		if p.list {
			err = e.list(p, v.Field(p.index))
		} else {
			err = e.encode(p.name, v.Field(p.index))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) list(p place, items reflect.Value) error {
	if items.IsNil() {
		return nil
	}
	if !p.flat {
		e.out.WriteString("<" + p.name + ">")
		defer e.out.WriteString("</" + p.name + ">")
	}
	for i := range items.Len() {
		if err := e.encode(p.item, items.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) entries(v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		e.out.WriteString("<entry>")
		if err := e.encode("key", k); err != nil {
			return err
		}
		if err := e.encode("value", v.MapIndex(k)); err != nil {
			return err
		}
		e.out.WriteString("</entry>")
	}
	return nil
}

func (e *encoder) special(v reflect.Value) error {
	if isBytes(v) {
		e.out.WriteString(base64.StdEncoding.EncodeToString(v.Bytes()))
		return nil
	}
	at, ok := reflect.TypeAssert[time.Time](v)
	if !ok {
		return fmt.Errorf("shape %s is not a time", v.Type())
	}
	e.out.WriteString(at.UTC().Format(timeFormat))
	return nil
}

func (e *encoder) scalar(v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		if err := xml.EscapeText(&e.out, []byte(v.String())); err != nil {
			return fmt.Errorf("escaping text: %w", err)
		}
	case reflect.Bool:
		e.out.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int32, reflect.Int64:
		e.out.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Float64, reflect.Float32:
		e.out.WriteString(strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()))
	default:
		return fmt.Errorf("shape of kind %s, which no protocol carries", v.Kind())
	}
	return nil
}

func escape(text string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return ""
	}
	return b.String()
}
