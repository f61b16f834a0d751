package model

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// KindTrustStore is a trust store that a stack owns: the authorities that clients of a listener are verified by. Its ID is
// "clients/<namespace>/<configmap>", with a hash at its end where it is made of several ConfigMaps.
const KindTrustStore Kind = "TrustStore"

// KindReplaced names, among the keys of an observation, a load balancer by its ARN that another one of its stack takes the place of: that one is
// observed, though it may be older.
const KindReplaced Kind = "Replaced"

// TagBundle is the tag of a trust store of ours with the object in S3 that it was made of. AWS does not tell which one that was.
const TagBundle = "headgate.dev/ca-bundle"

// TrustStoreUsable is the status of a trust store that listeners take (ELBv2 API, TrustStoreStatus).
const TrustStoreUsable = "ACTIVE"

// ConfigMapRef names a ConfigMap.
type ConfigMapRef struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String is "namespace/name".
func (r ConfigMapRef) String() string { return r.Namespace + "/" + r.Name }

// Bundle is an object in S3 with certificates of authorities in PEM. What is in it never changes: its key says it.
type Bundle struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// String is "bucket/key", as [TagBundle] has it; empty for none.
func (b Bundle) String() string {
	if b == (Bundle{}) {
		return ""
	}
	return b.Bucket + "/" + b.Key
}

// ParseBundle reads what [Bundle.String] wrote.
func ParseBundle(s string) Bundle {
	bucket, key, _ := strings.Cut(s, "/")
	return Bundle{Bucket: bucket, Key: key}
}

// Shelf is where bundles are kept: below Prefix in Bucket, which may be somebody's for other things too. Without a bucket nowhere.
type Shelf struct {
	Bucket string `json:"bucket,omitempty"`
	Prefix string `json:"prefix,omitempty"`
}

const (
	// shelfHash is the count of hex digits that tell clusters, stacks and trust stores apart in keys, contentHash that of contents.
	shelfHash   = 10
	contentHash = 32
	// maxReadable is as much of a cluster's name as a key has: the whole of it must find room in a tag.
	maxReadable = 40
)

// Home is the prefix of the keys of all bundles of a cluster in a region.
func (s Shelf) Home(region, cluster string) string {
	return s.Prefix + cluster[:min(len(cluster), maxReadable)] + "-" + shortHash(region, cluster) + "/"
}

// HomeOf is the prefix of the keys of an owner's bundles.
func (s Shelf) HomeOf(region string, o Owner) string {
	return s.Home(region, o.Cluster) + shortHash(o.Prefix, o.Stack) + "/"
}

// Bundle is where a trust store of an owner has the content with a digest.
func (s Shelf) Bundle(home, id, digest string) Bundle {
	return Bundle{Bucket: s.Bucket, Key: home + shortHash(id) + "-" + digest[:min(len(digest), contentHash)] + ".pem"}
}

func shortHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:shelfHash]
}

// TrustStore is a trust store that a stack owns.
type TrustStore struct {
	ID   string `json:"id"`
	ARN  ARN    `json:"arn,omitempty"`
	Name string `json:"name"`
	// Bundle is what it is made of.
	Bundle Bundle            `json:"bundle"`
	Tags   map[string]string `json:"tags,omitempty"`

	// ConfigMaps have the certificates, in this order, and Digest is over them: desired only, no part of a comparison.
	ConfigMaps []ConfigMapRef `json:"configMaps,omitempty"`
	Digest     string         `json:"digest,omitempty"`

	// Status is CREATING or ACTIVE: observed only.
	Status string `json:"status,omitempty"`
}

// Key is the key of the trust store.
func (t TrustStore) Key() Key { return Key{Kind: KindTrustStore, ID: t.ID} }

// Reference is how a wanted listener names a trust store of its own stack, beside the ARNs of others.
func (t TrustStore) Reference() ARN { return ARN(t.Key().String()) }

// TrustStoreKey is the key behind a [TrustStore.Reference]; ok is false for an ARN.
func TrustStoreKey(reference ARN) (Key, bool) {
	id, ok := strings.CutPrefix(string(reference), string(KindTrustStore)+"/")
	return Key{Kind: KindTrustStore, ID: id}, ok
}

// maxStoreID leaves room in a tag value.
const maxStoreID = 200

// TrustStoreID is the ID of the trust store of ConfigMaps.
func TrustStoreID(refs []ConfigMapRef) string {
	id := "clients"
	all := make([]string, len(refs))
	for i, r := range refs {
		all[i] = r.String()
	}
	if len(all) > 0 {
		id += "/" + all[0]
	}
	if len(all) > 1 || len(id) > maxStoreID {
		id = id[:min(len(id), maxStoreID)] + "-" + shortHash(all...)
	}
	return id
}

func bareTrustStore(t TrustStore) TrustStore {
	t.ARN, t.Status, t.ConfigMaps, t.Digest = "", "", nil, ""
	return t
}

func compareTrustStores(a, b TrustStore) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN))
}

func compareBundles(a, b Bundle) int {
	return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Key, b.Key))
}
