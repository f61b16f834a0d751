package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/lattice"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// player makes the calls of scripts.
type player struct {
	clients map[string]any
	known   map[string]string
	reader  reader
	pass    func(time.Duration)
	// good, if there is one, is told of inputs that succeeded, and of their outputs.
	good func(in, out any)
}

// Play plays the scripts of a package, each on a simulator of its own. The name is that of the client whose operations have no prefix.
func Play(t *testing.T, name string, change ...func(*sim.Options)) {
	t.Helper()
	for _, s := range Scripts(t, "testdata/*.calls") {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			f := Start(t, change...)
			for _, err := range f.player(name, nil).play(t.Context(), s) {
				t.Error(err)
			}
		})
	}
}

// Follow plays scripts that were written for an empty simulator wherever it is now, so that calls may come to something else, and tells of
// inputs that succeeded and of their outputs.
func (f *Fixture) Follow(name string, scripts []Script, good func(in, out any)) {
	p := f.player(name, good)
	for _, s := range scripts {
		p.play(f.Context(), s)
	}
}

func (f *Fixture) player(name string, good func(in, out any)) player {
	p := player{clients: f.Clients(), known: f.variables(), pass: f.Pass, good: good}
	if rest, ok := lattice.New(&account.Account{}, nil, lattice.Options{}).Service().Protocol.(wire.RESTJSON); ok {
		p.reader.unions = rest.Unions // no other service has any
	}
	p.clients[""] = p.clients[name]
	return p
}

var errUnexpected = errors.New("not as written")

// play makes the calls of a script, and says which did not come to what is written there.
func (p player) play(ctx context.Context, s Script) []error {
	known := maps.Clone(p.known)
	var errs []error
	for _, l := range s.lines {
		if l.pass > 0 {
			p.pass(l.pass)
			continue
		}
		for i := range l.times {
			known["i"] = strconv.Itoa(i)
			if err := p.call(ctx, l, known); err != nil {
				errs = append(errs, fmt.Errorf("%s: %s (%s): %w", l.at, l.operation, l.why, err))
				break
			}
		}
	}
	return errs
}

// call makes one call, and keeps what is to be kept of its answer.
func (p player) call(ctx context.Context, l line, known map[string]string) error {
	method := reflect.ValueOf(p.clients[l.service]).MethodByName(l.operation)
	if !method.IsValid() {
		return fmt.Errorf("the client %q has no such operation: %w", l.service, errUnexpected)
	}
	text, err := fill(l.input, known, quoted)
	if err != nil {
		return err
	}
	in := reflect.New(method.Type().In(1).Elem())
	if err := p.reader.input(text, in); err != nil {
		return err
	}
	answers := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	failed, _ := reflect.TypeAssert[error](answers[1])
	switch got := APICode(failed); {
	case got != l.code:
		return fmt.Errorf("code %q, want %q: %w: %w", got, l.code, errUnexpected, failed)
	case got != "":
		return nil
	}
	if p.good != nil {
		p.good(in.Interface(), answers[0].Interface())
	}
	return l.judge(answers[0], known)
}

// judge looks at a good answer.
func (l line) judge(out reflect.Value, known map[string]string) error {
	for _, pair := range l.keep {
		path, suffix, _ := strings.Cut(pair[1], "~")
		text, err := part(out, path)
		if err != nil {
			return err
		}
		name, err := fill(pair[0], known, plain)
		if err != nil {
			return err
		}
		known[name] = strings.TrimSuffix(text, suffix)
	}
	for _, pair := range l.want {
		text, err := part(out, pair[0])
		if err != nil {
			return err
		}
		want, err := fill(pair[1], known, plain)
		if err != nil {
			return err
		}
		if text != want {
			return fmt.Errorf("%s is %s, want %s: %w", pair[0], text, want, errUnexpected)
		}
	}
	return nil
}

// input fills an input shape. A body that is to be read comes from a text.
func (r reader) input(text string, in reflect.Value) error {
	body := in.Elem().FieldByName("Body")
	if body.IsValid() && body.Kind() == reflect.Interface {
		all := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return fmt.Errorf("reading the input: %w", err)
		}
		var content string
		if err := json.Unmarshal(all["Body"], &content); err == nil {
			body.Set(reflect.ValueOf(io.ReadSeeker(strings.NewReader(content))))
		}
		delete(all, "Body")
		rest, err := json.Marshal(all)
		if err != nil {
			return fmt.Errorf("reading the input: %w", err)
		}
		text = string(rest)
	}
	var tree any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&tree)
	if err == nil {
		err = r.fill(tree, in.Elem())
	}
	if err != nil {
		return fmt.Errorf("reading the input %s: %w", text, err)
	}
	return nil
}

// part gives the text at a path of an answer, as in Rules.0.RuleArn; # is a length.
func part(v reflect.Value, path string) (string, error) {
	for name := range strings.SplitSeq(path, ".") {
		v = deref(v)
		if name == "#" {
			return length(v), nil
		}
		if v = step(v, name); !v.IsValid() {
			return "", fmt.Errorf("the answer has no %s of %s: %w", name, path, errUnexpected)
		}
	}
	if v = deref(v); !v.IsValid() {
		return "", nil
	}
	return fmt.Sprint(v.Interface()), nil
}

func length(v reflect.Value) string {
	if !v.IsValid() {
		return "0"
	}
	return strconv.Itoa(v.Len())
}

// step goes into a shape, a list or a map.
func step(v reflect.Value, name string) reflect.Value {
	switch v.Kind() {
	case reflect.Struct:
		return v.FieldByName(name)
	case reflect.Map:
		return v.MapIndex(reflect.ValueOf(name))
	case reflect.Slice:
		if index, err := strconv.Atoi(name); err == nil && index < v.Len() {
			return v.Index(index)
		}
	default:
	}
	return reflect.Value{}
}

func deref(v reflect.Value) reflect.Value {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	return v
}
