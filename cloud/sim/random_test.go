package sim_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/shape"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// author writes inputs of any shape at random. It knows what earlier answers held, by the names of fields, so that many calls are about
// something that is there.
type author struct {
	*rand.Rand
	learned map[string][]string
	unions  wire.Unions
	// good are inputs that succeeded, by operation.
	good map[string][]any
	// full is how many of ten optional things are there.
	full int
}

// remembered bounds what is remembered of each field.
const remembered = 30

// learn remembers the texts of an answer, by the names of their fields and, of what has an identity, by those that inputs use for it.
func (a *author) learn(out any) {
	for field, text := range shape.Texts(out) {
		switch {
		case strings.HasPrefix(text, "/hostedzone/"):
			field, text = "HostedZoneId", strings.TrimPrefix(text, "/hostedzone/")
		case strings.Contains(text, ":userpool/"):
			a.remember("UserPoolId", text[strings.LastIndex(text, "/")+1:])
		case strings.Contains(text, ":accelerator/") && strings.Contains(text, "/listener/"):
			a.remember("AcceleratorListenerArn", text)
		case strings.Contains(text, ":vpc-lattice:"):
			parts := strings.Split(text[strings.LastIndex(text, ":")+1:], "/")
			a.remember(map[string]string{
				"service": "ServiceIdentifier", "servicenetwork": "ServiceNetworkIdentifier", "targetgroup": "TargetGroupIdentifier",
				"listener": "ListenerIdentifier", "rule": "RuleIdentifier", "accesslogsubscription": "AccessLogSubscriptionIdentifier",
				"servicenetworkserviceassociation": "ServiceNetworkServiceAssociationIdentifier",
				"servicenetworkvpcassociation":     "ServiceNetworkVpcAssociationIdentifier",
			}[parts[len(parts)-2]], text)
		}
		a.remember(field, text)
	}
}

func (a *author) remember(field, text string) {
	known := a.learned[field]
	switch {
	case text == "" || slices.Contains(known, text):
	case len(known) >= remembered:
		known[a.Intn(remembered)] = text
	default:
		a.learned[field] = append(known, text)
	}
}

// strange are texts that one does not expect.
func strange() []string {
	return []string{
		"", " ", "a", "-", "*", "?", "a--b", "internal-a", "aws:x", "web", "10.0.1.5", "10.0.0.0/24", "10.9.0.0/16", "::1", "2001:db8::/32", "80", "-1", "0", "true",
		"HTTP", "TCP", "/a", "/a/*", "example.com", "*.example.com", "a.b.", "#{host}", "#{", "(", "[a-z", "^/(a+)+$", "200", "200-299", "arn:", "arn:aws:iam::1:role/x",
		"arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/none/0", "sg-0", "subnet-0", "vpc-0", "eni-0", "i-0", "\x00", "é\u2028", "%", "&=<>",
		strings.Repeat("a", 33), strings.Repeat("b", 300), "2026-01-01T00:00:00Z", "us-west-2a", "us-west-2", "A", "CNAME", "UPSERT", `{"a":1}`, "null", "AQ==",
	}
}

// text writes a text for a field: mostly one that a field of that name had before.
func (a *author) text(field string) string {
	names := []string{field, strings.TrimSuffix(field, "s"), strings.TrimSuffix(field, "s") + "Id", strings.TrimSuffix(field, "s") + "Arn"}
	names = append(names, map[string][]string{
		"SecurityGroups": {"GroupId"}, "Subnets": {"SubnetId"}, "Resources": {"GroupId", "SubnetId", "VpcId"}, "Id": {"PrivateIpAddress", "InstanceId"},
		"ResourceArns": {"LoadBalancerArn", "TargetGroupArn", "ListenerArn", "RuleArn"}, "ResourceArn": {"LoadBalancerArn", "TargetGroupArn", "CertificateArn", "ARN"},
		"ResourceARNList": {"LoadBalancerArn", "TargetGroupArn", "CertificateArn"}, "Names": {"LoadBalancerName", "TargetGroupName", "Name"},
		"ResourceId": {"HostedZoneId"}, "EndpointId": {"LoadBalancerArn"}, "WebACLArn": {"ARN"}, "LockToken": {"NextLockToken"}, "ARN": {"ResourceARN"},
		"ListenerArn": {"AcceleratorListenerArn"}, "TagKeys": {"Key"},
	}[field]...)
	if strings.HasSuffix(strings.ToLower(field), "arn") && a.Intn(3) == 0 {
		names = slices.Sorted(maps.Keys(a.learned))
		names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(a.learned[n][0], "arn:") })
	}
	if a.Intn(8) > 0 {
		names = slices.DeleteFunc(names, func(n string) bool { return len(a.learned[n]) == 0 })
		if len(names) > 0 {
			known := a.learned[names[a.Intn(len(names))]]
			return known[a.Intn(len(known))]
		}
	}
	if a.Intn(3) == 0 {
		return fmt.Sprintf("n%d", a.Intn(6))
	}
	odd := strange()
	return odd[a.Intn(len(odd))]
}

func (a *author) number() int64 {
	some := []int64{0, 1, 2, 3, 5, 10, 30, 60, 80, 81, 100, 200, 300, 404, 443, 999, 4000, 8080, 50000, 65535, 65536, -1, 1<<31 - 1}
	return some[a.Intn(len(some))]
}

// deepest bounds how deep shapes in shapes go.
const deepest = 6

// write fills a value. Optional things are there more often than not.
func (a *author) write(v reflect.Value, field string, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if a.Intn(10) < a.full && depth < deepest {
			v.Set(reflect.New(v.Type().Elem()))
			a.write(v.Elem(), field, depth)
		}
	case reflect.Interface:
		a.writeUnion(v, field, depth)
	case reflect.Struct:
		a.writeStruct(v, depth)
	case reflect.Slice:
		a.writeList(v, field, depth)
	case reflect.Map:
		if a.Intn(3) == 0 && v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.ValueOf(map[string]string{a.text("Key"): a.text("Value")}).Convert(v.Type()))
		}
	case reflect.String:
		a.writeText(v, field)
	case reflect.Bool:
		v.SetBool(a.Intn(2) == 0)
	case reflect.Int32, reflect.Int64:
		n := a.number()
		if !v.OverflowInt(n) {
			v.SetInt(n)
		}
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(a.number()) / 2)
	default:
		panic("no shape has a field of kind " + v.Kind().String())
	}
}

func (a *author) writeStruct(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(a.Int63n(1<<32), 0)))
		return
	}
	for f, value := range v.Fields() {
		if f.IsExported() && f.Name != "ResultMetadata" {
			a.write(value, f.Name, depth+1)
		}
	}
}

func (a *author) writeUnion(v reflect.Value, field string, depth int) {
	var fit []reflect.Type
	for _, t := range a.unions {
		if reflect.PointerTo(t).Implements(v.Type()) {
			fit = append(fit, t)
		}
	}
	if len(fit) == 0 || a.Intn(5) == 0 {
		return
	}
	member := reflect.New(fit[a.Intn(len(fit))])
	a.write(member.Elem().Field(0), field, depth+1)
	v.Set(member)
}

func (a *author) writeList(v reflect.Value, field string, depth int) {
	if depth >= deepest || a.Intn(10) >= a.full {
		return
	}
	n := []int{0, 1, 1, 1, 2, 3}[a.Intn(6)]
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.Index(i).SetUint(uint64(a.Intn(256)))
			continue
		}
		a.write(v.Index(i), field, depth+1)
	}
}

// writeText writes an enum's value where the type is one: what it cannot be is refused before an operation runs.
func (a *author) writeText(v reflect.Value, field string) {
	values := v.MethodByName("Values")
	if !values.IsValid() {
		v.SetString(a.text(field))
		return
	}
	known := values.Call(nil)[0]
	if a.Intn(3) > 0 && known.Len() > 0 {
		v.Set(known.Index(a.Intn(known.Len())))
	}
}

// input writes an input for an operation: mostly one that was good once, with a few changes.
func (a *author) input(o sim.Offered) any {
	a.unions, a.full = o.Unions, 1+a.Intn(8)
	if known := a.good[o.Service+o.Name]; len(known) > 0 && a.Intn(4) > 0 {
		in := reflect.New(reflect.TypeOf(known[0]).Elem())
		copyInto(in.Elem(), reflect.ValueOf(known[a.Intn(len(known))]).Elem())
		for range a.Intn(3) {
			a.change(in.Elem(), 0)
		}
		return in.Interface()
	}
	in := o.New()
	a.writeStruct(reflect.ValueOf(in).Elem(), 0)
	return in
}

// change writes one field of a shape anew, or one in it.
func (a *author) change(v reflect.Value, depth int) {
	var fields []int
	for f := range v.Type().Fields() {
		if f.IsExported() && f.Name != "ResultMetadata" {
			fields = append(fields, f.Index[0])
		}
	}
	if len(fields) == 0 {
		return
	}
	i := fields[a.Intn(len(fields))]
	inner := v.Field(i)
	if inner.Kind() == reflect.Slice && inner.Len() > 0 {
		inner = inner.Index(a.Intn(inner.Len()))
	}
	if inner.Kind() == reflect.Pointer && !inner.IsNil() {
		inner = inner.Elem()
	}
	if inner.Kind() == reflect.Struct && inner.Type() != reflect.TypeFor[time.Time]() && a.Intn(3) > 0 {
		a.change(inner, depth+1)
		return
	}
	v.Field(i).SetZero()
	a.write(v.Field(i), v.Type().Field(i).Name, depth)
}

// copyInto copies a shape so that the copy can be changed alone.
func copyInto(to, from reflect.Value) {
	switch {
	case from.Kind() == reflect.Pointer && !from.IsNil():
		to.Set(reflect.New(from.Type().Elem()))
		copyInto(to.Elem(), from.Elem())
	case from.Kind() == reflect.Slice && !from.IsNil():
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			copyInto(to.Index(i), from.Index(i))
		}
	case from.Kind() == reflect.Struct && from.Type() != reflect.TypeFor[time.Time]():
		for f, value := range from.Fields() {
			if f.IsExported() {
				copyInto(to.FieldByIndex(f.Index), value)
			}
		}
	default:
		to.Set(from)
	}
}

// choose prefers what makes things, which is easily refused.
func (a *author) choose(offers []sim.Offered) sim.Offered {
	for {
		o := offers[a.Intn(len(offers))]
		if strings.HasPrefix(o.Name, "Delete") && a.Intn(3) > 0 || o.Kind == wire.Read && a.Intn(2) > 0 {
			continue
		}
		return o
	}
}

// call calls an operation, and learns from a good answer. It reports whether it was one.
func (a *author) call(t *testing.T, o sim.Offered, in any) bool {
	t.Helper()
	out, err := o.Call(in)
	if err == nil {
		a.learn(in)
		a.learn(out)
		if key := o.Service + o.Name; len(a.good[key]) < remembered {
			a.good[key] = append(a.good[key], in)
		}
		return true
	}
	if wire.AsError(err).Status >= http.StatusInternalServerError {
		shown, failed := json.Marshal(wire.Tree(in))
		t.Errorf("%s of %s: %v\n%s %v", o.Name, o.Service, err, shown, failed)
	}
	return false
}

// TestRandomShapes calls every operation of every service with inputs of all kinds.
func TestRandomShapes(t *testing.T) {
	t.Parallel()
	const calls = 4_000
	succeeded := map[string][]any{}
	var offers []sim.Offered
	for seed := range int64(2) {
		c := &chaos{fixture: start(t), rand: rand.New(rand.NewSource(seed))}
		a := &author{Rand: c.rand, learned: map[string][]string{}, good: map[string][]any{}}
		offers = c.Sim.Offers()
		if seed%2 == 0 {
			for _, in := range recipes(c.fixture) {
				a.follow(c.fixture, offers, in)
			}
		} else {
			a.followScripts(c.fixture, offers)
		}
		for i := range calls {
			o := a.choose(offers)
			in := a.input(o)
			why := c.mustStay(o, in)
			if a.call(t, o, in) && why != "" {
				t.Errorf("seed %d: %s of %s succeeded, but %s", seed, o.Name, o.Service, why)
			}
			if i%10 == 0 {
				c.Pass(time.Duration(a.Intn(30)) * time.Second)
			}
			if i%500 == 0 {
				c.check()
				c.checkReferences(offers)
				c.checkDeletions(offers)
			}
		}
		c.check()
		c.checkReferences(offers)
		c.checkDeletions(offers)
		maps.Copy(succeeded, a.good)
	}
	var never []string
	refused := 0
	for _, o := range offers {
		// What is refused whatever it says has an input of its own, which is none of the SDK's.
		if reflect.TypeOf(o.New()).Elem().Name() == "anything" {
			refused++
			continue
		}
		if succeeded[o.Service+o.Name] == nil {
			never = append(never, o.Service+" "+o.Name)
		}
	}
	t.Logf("%d of %d operations succeeded; never: %v", len(succeeded), len(offers), never)
	const most = 10
	if len(never) > (len(offers)-refused)/most {
		t.Errorf("%d of %d operations never succeeded, which tests little", len(never), len(offers))
	}
}
