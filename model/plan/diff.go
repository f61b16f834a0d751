package plan

import (
	"maps"
	"slices"
	"strconv"

	"github.com/headgate/headgate/model"
)

// Options is what a diff must know besides the two stacks.
type Options struct {
	// Applied is what we set last, by resource: only these attributes and tags are reset when nobody asks for them any more.
	Applied map[model.Key]Applied
	// Quotas of the load balancer; zero values are AWS's defaults.
	Quotas model.Quotas
	// AuthoriseOnly leaves out what withdraws admission: revokes, and deletions of security groups. The cluster's stack is
	// planned so until every stack was built once.
	AuthoriseOnly bool
	// Met tells whether what is waited for of a target group, or of the shared backend security group, is reached, and what a reader must
	// know of that. A change whose need is not met waits, whoever applies it. Without it none of these is waited for.
	Met func(Need) (met bool, note string)
	// Keep are replaced load balancers whose time of retirement is not over: they stay, with their target groups.
	Keep []model.ARN
	// Sharing is how the stack shares imported certificates with others; nil where it is alone.
	Sharing *Sharing
}

// Applied is what we set on one resource.
type Applied struct {
	Attributes map[string]string `json:"attributes,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	// Secret is the digest of the secret that the actions of a rule, or the default ones of a listener, were given.
	Secret string        `json:"secret,omitempty"`
	Addons []model.Addon `json:"addons,omitempty"`
}

// AppliedOf is what applying a desired stack sets, for [Options.Applied] of the next diff. Ownership tags are no part of it.
func AppliedOf(s model.Stack) map[model.Key]Applied {
	out := map[model.Key]Applied{}
	for _, part := range s.Parts() {
		applied(part, out)
	}
	return out
}

// applied adds what applying one part of a stack sets.
func applied(s model.Stack, out map[model.Key]Applied) {
	put := func(key model.Key, attributes, tags map[string]string) {
		tags = userTags(s.Owner, tags)
		if len(attributes)+len(tags) > 0 {
			out[key] = Applied{Attributes: attributes, Tags: tags}
		}
	}
	if lb := s.LoadBalancer; lb != nil {
		put(loadBalancerKey(*lb), lb.Attributes, lb.Tags)
		if len(lb.Addons) > 0 {
			a := out[loadBalancerKey(*lb)]
			a.Addons = slices.Sorted(maps.Keys(lb.Addons))
			out[loadBalancerKey(*lb)] = a
		}
	}
	for _, g := range s.SecurityGroups {
		put(securityGroupKey(g.ID), nil, g.Tags)
	}
	for _, g := range s.TargetGroups {
		put(targetGroupKey(g.ID), g.Attributes, g.Tags)
	}
	for _, c := range s.Certificates {
		put(c.Key(), nil, c.Tags)
	}
	for _, t := range s.TrustStores {
		put(t.Key(), nil, t.Tags)
	}
	for _, l := range s.Listeners {
		put(KeyOf(s, l), withMutual(l), l.Tags)
		putSecret(out, KeyOf(s, l), l.DefaultActions)
		for _, r := range l.Rules {
			put(RuleKey(l.Port, r), nil, r.Tags)
			putSecret(out, RuleKey(l.Port, r), r.Actions)
		}
	}
}

// Diff is the plan that turns observed into desired. It is deterministic, and the changes' order is one in which they can be
// made one by one; [Change.After] says which of them really wait for each other.
//
//	                     | observed: none | matches       | cannot be modified into desired
//	wanted               | create         | modify or not | create, move over, delete the old (±)
//	not wanted           |                | delete, unless AWS protects it
func Diff(desired, observed model.Stack, opts Options) Plan {
	opts.Quotas = opts.Quotas.WithDefaults()
	p := newPlanner(model.Normal(desired), model.Normal(observed), opts)
	front := p.frontend()
	p.chooseBalancer()
	if p.returns {
		p.turnBack(front)
		return *p.plan
	}
	p.chooseTargetGroups()
	p.chooseCertificates()
	p.chooseTrustStores()
	p.resolve()
	p.securityGroups()
	p.certificates()
	p.trustStores()
	p.loadBalancer()
	p.targetGroups()
	gone := p.listeners()
	front.follow(p)
	front.stand(p.keepARN())
	p.deleteListeners(gone)
	p.stick()
	p.unguard()
	p.renewCertificates()
	p.deleteBalancers()
	p.deleteTargetGroups()
	p.deleteCertificates()
	p.deleteTrustStores()
	p.deleteSecurityGroups()
	return *p.plan
}

func newPlanner(want, have model.Stack, opts Options) *planner {
	return &planner{
		want: want, have: have, opts: opts,
		plan:   &Plan{Owner: want.Owner, Known: map[model.Key]model.ARN{}},
		calmed: map[string][]int{},
		makes:  map[model.Key]int{},
		frees:  map[model.ARN][]int{},
		doomed: map[model.ARN]bool{},
		stay:   map[model.ARN]bool{},
		early:  map[model.Key][]model.Permission{},
		late:   map[model.Key][]model.Permission{},
	}
}

// planner collects the changes of one diff.
type planner struct {
	want, have model.Stack
	opts       Options
	plan       *Plan
	// front is a planner of a frontend; returns says that a replacement is no longer wanted.
	front, returns bool
	// target is the load balancer that the target groups of a frontend lead to, where it exists; whole are the changes that complete it, and
	// ready is what is waited for behind it, where it takes the place of another one.
	target model.ARN
	whole  []int
	ready  []Need

	// keep is the observed load balancer that matches, nil when one is created or none is wanted.
	keep *model.LoadBalancer
	// tight says that rules and target groups have no room for old and new side by side; cleared are the deletions of listeners that give some.
	tight   bool
	cleared []int
	// old are the load balancers to delete; doomed has their ARNs. What is protected or kept is in stay instead.
	old    []model.LoadBalancer
	doomed map[model.ARN]bool
	stay   map[model.ARN]bool

	// current are the observed target groups that match, by ID; obsolete are the others.
	current map[string]*model.TargetGroup
	// currentBy are the IDs of current by ARN: see [planner.ours].
	currentBy map[model.ARN]string
	obsolete  []model.TargetGroup

	// held are the observed certificates that match, by ID; spare are the others.
	held  map[string]model.OwnCertificate
	spare []model.OwnCertificate
	// stores are the observed trust stores that match, by ID; idle are the others.
	stores map[string]model.TrustStore
	idle   []model.TrustStore
	// placed are the changes that give listeners a certificate of this plan; renewed those that import anew, nil until they are planned.
	placed, renewed []int

	// makes has the change that creates a key.
	makes map[model.Key]int
	// frees has the changes that end a use of an ARN: a target group, a security group.
	frees map[model.ARN][]int
	// early are permissions that are withdrawn to make room, late those that are added when there is some, by their group.
	early, late map[model.Key][]model.Permission
	// sheds says that the load balancer loses security groups at the end of the plan only.
	sheds bool
	// complete are the changes after which the new load balancer answers.
	complete []int
	parking  parking
	// sticking are the target groups whose targets become sticky; calmed are the changes that end that, by resource ID.
	sticking []owned
	calmed   map[string][]int
	// wardrobe is where certificates go that clients ask for by name.
	wardrobe wardrobe
	// crowded says that AWS has no room for the new listeners beside those that go.
	crowded bool
	// guards are the changes that put a firewall before a load balancer that has none: nothing new is served before them.
	guards []int
}

// add appends a change and gives its number.
func (p *planner) add(c Change) int {
	c.ID = len(p.plan.Changes) + 1
	c.After = slices.DeleteFunc(c.After, func(id int) bool { return id == 0 })
	slices.Sort(c.After)
	c.After = slices.Compact(c.After)
	if len(c.After) == 0 {
		c.After = nil
	}
	p.plan.Changes = append(p.plan.Changes, c)
	return c.ID
}

// create appends a change that makes key exist.
func (p *planner) create(c Change) int {
	id := p.add(c)
	p.makes[c.Key] = id
	return id
}

func (p *planner) note(text string) {
	if !slices.Contains(p.plan.Notes, text) {
		p.plan.Notes = append(p.plan.Notes, text)
	}
}

// know remembers the ARN that key resolves to.
func (p *planner) know(key model.Key, arn model.ARN) {
	if arn != "" {
		p.plan.Known[key] = arn
	}
}

func loadBalancerKey(lb model.LoadBalancer) model.Key {
	return model.Key{Kind: model.KindLoadBalancer, ID: lb.ID}
}

func targetGroupKey(id string) model.Key {
	return model.Key{Kind: model.KindTargetGroup, ID: id}
}

func securityGroupKey(id string) model.Key {
	return model.Key{Kind: model.KindSecurityGroup, ID: id}
}

// ListenerKey is the key of a listener: its port, with "/udp" where it is UDP alone.
func ListenerKey(l model.Listener) model.Key {
	id := strconv.Itoa(l.Port)
	if l.Protocol == "UDP" {
		id += "/udp"
	}
	return model.Key{Kind: model.KindListener, ID: id}
}

// KeyOf is the key of a listener of one part of a stack: as [ListenerKey] has it, and of a frontend the resource ID.
func KeyOf(part model.Stack, l model.Listener) model.Key {
	if part.LoadBalancer != nil && part.LoadBalancer.ID == model.ResourceFrontend {
		return FrontendListenerKey(l)
	}
	return ListenerKey(l)
}

// RuleKey is the key of a rule of the listener on port. A rule that is written twice has it twice; the plan then tells the
// later ones apart by a suffix.
func RuleKey(port int, r model.Rule) model.Key {
	return model.Key{Kind: model.KindRule, ID: model.RuleID(port, r)}
}

// ownershipTags are the keys of the tags that say who owns a resource of o.
func ownershipTags(o model.Owner) []string {
	return []string{model.TagCluster, model.TagResource, o.StackTag(), o.ResourceTag()}
}

// userTags are the tags that are not ownership tags of o.
func userTags(o model.Owner, tags map[string]string) map[string]string {
	out := maps.Clone(tags)
	for _, key := range ownershipTags(o) {
		delete(out, key)
	}
	return out
}

// sameTags tells whether tags are the same but for those of some keys.
func sameTags(a, b map[string]string, but []string) bool {
	within := func(a, b map[string]string) (same, whole bool) {
		whole = true
		for key, value := range a {
			other, ok := b[key]
			if (!ok || other != value) && !slices.Contains(but, key) {
				return false, false
			}
			whole = whole && ok
		}
		return true, whole
	}
	same, whole := within(a, b)
	if same && (!whole || len(a) != len(b)) { // b may have more
		same, _ = within(b, a)
	}
	return same
}
