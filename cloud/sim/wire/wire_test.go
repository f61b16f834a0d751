package wire_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// colour is an enum as the SDK generates them.
type colour string

// Values lists what a colour can be.
func (colour) Values() []colour { return []colour{"red", "green"} }

type part struct {
	Name   *string
	Weight *int32
}

type order struct {
	ID       *string
	Parts    []part
	Words    []string
	Colour   colour
	Extra    map[string]string
	Enabled  *bool
	Made     *time.Time
	Secret   []byte
	Nested   *part
	internal string
}

func TestQueryDecode(t *testing.T) {
	t.Parallel()
	yes := true
	rows := []struct {
		why, form, code string
		want            order
	}{
		{"a list has members, in the order of their numbers", "Parts.member.2.Name=b&Parts.member.10.Name=c&Parts.member.1.Name=a&Parts.member.1.Weight=7", "", order{
			Parts: []part{{Name: new("a"), Weight: new(int32(7))}, {Name: new("b")}, {Name: new("c")}},
		}},
		{"a list that was sent empty is empty", "Words=", "", order{Words: []string{}}},
		{"a list that was not sent is nil", "ID=x", "", order{ID: new("x")}},
		{"an empty text is a text", "ID=", "", order{ID: new("")}},
		{"a map has entries", "Extra.entry.1.key=a&Extra.entry.1.value=1&Extra.entry.2.key=b&Extra.entry.2.value=2", "", order{Extra: map[string]string{"a": "1", "b": "2"}}},
		{"a boolean", "Enabled=true", "", order{Enabled: &yes}},
		{"an unknown parameter is ignored", "Size=9", "", order{}},
		{"a shape in a shape", "Nested.Name=%26", "", order{Nested: &part{Name: new("&")}}},
		{"what is unexported does not travel", "internal=x", "", order{}},
		{"an enum has its values", "Colour=blue", "ValidationError", order{Colour: "blue"}},
		{"a number is one", "Nested.Weight=many", "MalformedInput", order{}},
		{"a form is well formed", "ID=%zz", "MalformedQueryString", order{}},
	}
	for _, row := range rows {
		var got order
		err := wire.Query{}.Decode(posted("Action=Make&"+row.form), &got)
		if code := codeOf(err); code != row.code {
			t.Errorf("%s: code %q, want %q", row.why, code, row.code)
		}
		if row.code != "" {
			continue
		}
		if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(order{})); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

func posted(body string) *wire.Request {
	return &wire.Request{Method: http.MethodPost, Body: []byte(body)}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return wire.AsError(err).Code
}

func TestQueryEncode(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	out := &order{ID: new("a<b"), Parts: []part{{Name: new("x")}}, Words: []string{}, Made: &made, Extra: map[string]string{"k": "v"}, internal: "no"}
	response, err := wire.Query{Namespace: "urn:x"}.Encode(wire.Reply{Operation: wire.Operation{Name: "Make"}, RequestID: "1", Output: out})
	if err != nil {
		t.Fatal(err)
	}
	want := `<MakeResponse xmlns="urn:x"><MakeResult><ID>a&lt;b</ID><Parts><member><Name>x</Name></member></Parts><Words></Words>` +
		`<Extra><entry><key>k</key><value>v</value></entry></Extra><Made>2026-01-02T03:04:05.000Z</Made></MakeResult>` +
		`<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></MakeResponse>`
	if diff := cmp.Diff(want, string(response.Body)); diff != "" {
		t.Error(diff)
	}
	empty, err := wire.Query{}.Encode(wire.Reply{Operation: wire.Operation{Name: "Make"}, Output: &order{}})
	if err != nil || !strings.Contains(string(empty.Body), "<MakeResult></MakeResult>") {
		t.Errorf("an empty output has a result: %s %v", empty.Body, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	refused := wire.Errorf("Bad", "a & %s", "b")
	rows := []struct {
		why      string
		protocol wire.Protocol
		err      *wire.Error
		want     string
	}{
		{"Query", wire.Query{Namespace: "urn:x"}, refused, `<ErrorResponse xmlns="urn:x"><Error><Type>Sender</Type><Code>Bad</Code><Message>a &amp; b</Message></Error><RequestId>1</RequestId></ErrorResponse>`},
		{"a fault of the service", wire.Query{}, refused.WithStatus(500), `<ErrorResponse xmlns=""><Error><Type>Receiver</Type><Code>Bad</Code><Message>a &amp; b</Message></Error><RequestId>1</RequestId></ErrorResponse>`},
		{"EC2", wire.NewEC2(""), refused, `<Response><Errors><Error><Code>Bad</Code><Message>a &amp; b</Message></Error></Errors><RequestID>1</RequestID></Response>`},
		{"JSON", wire.JSON{}, refused, `{"__type":"Bad","message":"a \u0026 b"}`},
	}
	for _, row := range rows {
		if diff := cmp.Diff(row.want, string(row.protocol.Fail(row.err, "1").Body)); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	made := time.UnixMilli(1500)
	response, err := wire.JSON{}.Encode(wire.Reply{Output: &order{ID: new("x"), Made: &made, Secret: []byte("s"), Words: []string{}}})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(response.Body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"ID": "x", "Made": 1.5, "Secret": "cw==", "Words": []any{}}, got); diff != "" {
		t.Error(diff)
	}
	var in order
	if code := codeOf(wire.JSON{Invalid: "ValidationException"}.Decode(posted(`{"Colour":"blue"}`), &in)); code != "ValidationException" {
		t.Errorf("a wrong enum gives %q", code)
	}
	if code := codeOf(wire.JSON{}.Decode(posted(`{`), &in)); code != "SerializationException" {
		t.Errorf("a broken document gives %q", code)
	}
}

// FuzzQuery looks for forms on which decoding fails otherwise than with an error of AWS.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"Parts.member.1.Name=a", "Parts.member=1", "Parts.member.x.Name=a", "Extra.entry.1=a", "Words.1=a", ".=1", "Nested=1", "Made=now"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, form string) {
		var got order
		if err := (wire.Query{}).Decode(posted(form), &got); err != nil && wire.AsError(err).Status != 400 {
			t.Errorf("%q: %v", form, err)
		}
		if err := wire.NewEC2("").Decode(posted(form), &got); err != nil && wire.AsError(err).Status >= 500 {
			t.Errorf("%q: %v", form, err)
		}
	})
}
