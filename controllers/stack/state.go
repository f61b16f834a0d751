package stack

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// memory is what is remembered of one stack over a restart, and its form in the cluster.
type memory struct {
	object *headgatev1alpha1.StackState
	// stored is the object as the API server has it; nil before it is created.
	stored *headgatev1alpha1.StackState
	owner  model.Owner
	good   map[string]intent.Fragment
	// replaced are the good fragments before those: until the stack is settled, AWS may hold some of what they asked for. A restart
	// forgets them.
	replaced map[string][]intent.Fragment
	// withheld are the members of whom nothing is tried that AWS refused.
	withheld map[string]bool
	// trials are those of what AWS refused. A restart forgets them.
	trials map[string]*trial
	// built is what the last build made of the members. A restart forgets it.
	built build.Memory
}

// replacedMost is how many of them are kept of a member.
const replacedMost = 8

// StateName is the name of the StackState of an owner: readable, and unique by a hash.
func StateName(owner model.Owner) string {
	sum := sha256.Sum256([]byte(owner.Cluster + "\n" + owner.String()))
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(owner.Stack))
	front, _, _ := strings.Cut(owner.Prefix, ".")
	return front + "-" + strings.Trim(readable[:min(len(readable), 40)], "-") + "-" + hex.EncodeToString(sum[:])[:10]
}

// recall reads what is remembered of owner. A memory that is lost, or that cannot be read, is empty: everything is found again
// by tags.
func recall(ctx context.Context, c client.Reader, owner model.Owner) (*memory, error) {
	m := &memory{
		owner: owner, object: &headgatev1alpha1.StackState{}, good: map[string]intent.Fragment{}, replaced: map[string][]intent.Fragment{},
	}
	err := c.Get(ctx, client.ObjectKey{Name: StateName(owner)}, m.object)
	if apierrors.IsNotFound(err) {
		m.object.Name = StateName(owner)
		m.object.Spec.Owner = spell(owner)
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state of %s: %w", owner, err)
	}
	m.stored = m.object.DeepCopy()
	for key, packed := range m.object.Spec.Fragments {
		if f, err := unpack(packed); err == nil {
			m.good[key] = f
		}
	}
	// A trial of what AWS refused is not written down: AWS may have taken it just before the end.
	if m.object.Spec.Build != model.BuildVersion || len(m.object.Spec.Refused) > 0 {
		m.doubt()
	}
	return m, nil
}

// spell is an owner as StackState names it: with its cluster, since one API server may have known several names.
func spell(owner model.Owner) string { return owner.Cluster + " " + owner.String() }

// Count is how many stacks of a cluster are remembered.
func Count(ctx context.Context, r client.Reader, cluster string) (int, error) {
	var list headgatev1alpha1.StackStateList
	if err := r.List(ctx, &list); err != nil {
		return 0, fmt.Errorf("counting stacks: %w", err)
	}
	count := 0
	for i := range list.Items {
		if strings.HasPrefix(list.Items[i].Spec.Owner, cluster+" ") {
			count++
		}
	}
	return count, nil
}

// remember takes the good fragments; they are written with the next save.
func (m *memory) remember(good map[string]intent.Fragment) error {
	packed, pack := map[string][]byte{}, packer{}
	m.provisional(good)
	for key, f := range good {
		have, known := m.good[key]
		same := known && have.Equal(&f)
		if same && len(m.object.Spec.Fragments[key]) > 0 {
			packed[key] = m.object.Spec.Fragments[key]
			continue
		}
		if known && !same {
			m.replaced[key] = append(m.replaced[key], have)
			m.replaced[key] = m.replaced[key][max(len(m.replaced[key])-replacedMost, 0):]
		}
		data, err := pack.pack(f)
		if err != nil {
			return fmt.Errorf("packing the fragment of %s: %w", key, err)
		}
		packed[key] = data
	}
	if len(packed) == 0 {
		packed = nil
	}
	m.good, m.object.Spec.Fragments = good, packed
	return nil
}

// save writes what changed of the memory. What somebody else wrote meanwhile is an error that [stale] knows.
func (m *memory) save(ctx context.Context, c client.Client) error {
	m.object.Spec.Build = model.BuildVersion
	if m.stored != nil && reflect.DeepEqual(m.stored.Spec, m.object.Spec) {
		return nil
	}
	if m.stored != nil {
		err := c.Patch(ctx, m.object, difference{m.stored, m.object})
		if err == nil {
			m.stored = m.object.DeepCopy()
			return nil
		}
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("writing the state of %s: %w", m.owner, err)
		}
		// Somebody deleted it. It is written anew.
		m.object.ObjectMeta = metav1.ObjectMeta{Name: m.object.Name}
	}
	if err := c.Create(ctx, m.object); err != nil {
		return fmt.Errorf("creating the state of %s: %w", m.owner, err)
	}
	m.stored = m.object.DeepCopy()
	return nil
}

// stale tells whether the memory that was to be written was not the newest: it is to be read again.
func stale(err error) bool {
	for _, e := range leaves(err) {
		if apierrors.IsConflict(e) || apierrors.IsAlreadyExists(e) {
			return true
		}
	}
	return false
}

// leaves are the errors that err joins: IsConflict looks at the first only.
func leaves(err error) []error {
	many, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range many.Unwrap() {
		out = append(out, leaves(e)...)
	}
	return out
}

// forget deletes the memory of a stack that is gone.
func (m *memory) forget(ctx context.Context, c client.Client) error {
	if m.stored == nil {
		return nil
	}
	if err := c.Delete(ctx, m.object); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the state of %s: %w", m.owner, err)
	}
	m.stored, m.object, m.good = nil, &headgatev1alpha1.StackState{ObjectMeta: metav1.ObjectMeta{Name: m.object.Name}}, nil
	m.object.Spec.Owner = spell(m.owner)
	return nil
}

// packer packs fragments one after the other: what compresses takes much room.
type packer struct{ gzip *gzip.Writer }

func (p *packer) pack(f intent.Fragment) ([]byte, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	return p.squeeze(data)
}

// squeeze compresses; equal data gives equal bytes.
func (p *packer) squeeze(data []byte) ([]byte, error) {
	var buf bytes.Buffer
	if p.gzip == nil {
		p.gzip = gzip.NewWriter(&buf)
	}
	p.gzip.Reset(&buf)
	if _, err := p.gzip.Write(data); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := p.gzip.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return buf.Bytes(), nil
}

func unpack(packed []byte) (intent.Fragment, error) {
	var f intent.Fragment
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return f, fmt.Errorf("decompressing: %w", err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return f, fmt.Errorf("decompressing: %w", err)
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return f, fmt.Errorf("decoding: %w", err)
	}
	return f, nil
}
