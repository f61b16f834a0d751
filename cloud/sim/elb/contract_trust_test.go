package elb_test

import (
	"crypto/x509"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/cloud/sim/elb"
)

// trusting is a row of CreateTrustStore with an object that the bundle is read from.
func trusting(code, why string, bundle func(w *world) []byte) row {
	return row{operation: "CreateTrustStore", code: code, why: why, call: func(w *world) error {
		w.objects["b/ca.pem"] = bundle(w)
		return ask(w, w.api.CreateTrustStore, storeInput("new"))
	}}
}

// foreign is a load balancer of another account.
const foreign = "arn:aws:elasticloadbalancing:us-west-2:210987654321:loadbalancer/app/theirs/1"

func trustRows() []row {
	modify := func(w *world, store *string, key string) error {
		return ask(w, w.api.ModifyTrustStore, &sdk.ModifyTrustStoreInput{
			TrustStoreArn: store, CaCertificatesBundleS3Bucket: aws.String("b"), CaCertificatesBundleS3Key: aws.String(key),
		})
	}
	remove := func(w *world, store *string) error {
		return ask(w, w.api.DeleteTrustStore, &sdk.DeleteTrustStoreInput{TrustStoreArn: store})
	}
	shared := func(w *world, store *string, resource string) error {
		return ask(w, w.api.DeleteSharedTrustStoreAssociation, &sdk.DeleteSharedTrustStoreAssociationInput{TrustStoreArn: store, ResourceArn: aws.String(resource)})
	}
	policy := func(w *world, arn *string) error {
		return ask(w, w.api.GetResourcePolicy, &sdk.GetResourcePolicyInput{ResourceArn: arn})
	}
	rows := []row{
		trusting("", "one authority", func(w *world) []byte { return authority(w).pem }),
		trusting("InvalidCaCertificatesBundle", "no PEM", func(*world) []byte { return []byte("hello") }),
		trusting("InvalidCaCertificatesBundle", "nothing", func(*world) []byte { return nil }),
		trusting("InvalidCaCertificatesBundle", "not that of an authority", func(w *world) []byte { return sign(w, &x509.Certificate{}, nil).pem }),
		{operation: "CreateTrustStore", code: "CaCertificatesBundleNotFound", why: "an object that is not there", call: func(w *world) error {
			return ask(w, w.api.CreateTrustStore, storeInput("new"))
		}},
		{operation: "CreateTrustStore", code: "CaCertificatesBundleNotFound", why: "no S3 at all", call: func(w *world) error {
			return ask(w, w.api.CreateTrustStore, storeInput("new"))
		}, options: func(o *elb.Options) { o.Bundles = nil }},
		{operation: "CreateTrustStore", code: "DuplicateTrustStoreName", why: "the same again", call: func(w *world) error {
			w.store("new")
			return ask(w, w.api.CreateTrustStore, storeInput("new"))
		}},
		{operation: "CreateTrustStore", code: "TooManyTrustStores", why: "the quota", call: func(w *world) error {
			w.store("one")
			return ask(w, w.api.CreateTrustStore, storeInput("new"))
		}, options: func(o *elb.Options) { o.Quotas.TrustStores = 1 }},
		{operation: "CreateTrustStore", code: "DuplicateTagKeys", why: "a tag twice", call: func(w *world) error {
			in := storeInput("new")
			in.Tags = twice()
			return ask(w, w.api.CreateTrustStore, in)
		}},
		{operation: "CreateTrustStore", code: "TooManyTags", why: "51 tags", call: func(w *world) error {
			in := storeInput("new")
			in.Tags = tags(51)
			return ask(w, w.api.CreateTrustStore, in)
		}},
		{operation: "ModifyTrustStore", why: "the same bundle", call: func(w *world) error { return modify(w, w.store("a"), "ca.pem") }},
		{operation: "ModifyTrustStore", code: "TrustStoreNotFound", why: "of none", call: func(w *world) error { return modify(w, not(w.store("a")), "ca.pem") }},
		{operation: "ModifyTrustStore", code: "CaCertificatesBundleNotFound", why: "a bundle that is not there", call: func(w *world) error { return modify(w, w.store("a"), "none") }},
		{operation: "ModifyTrustStore", code: "InvalidCaCertificatesBundle", why: "a list of revocations", call: func(w *world) error { return modify(w, w.store("a"), "crl.pem") }},
		{operation: "DeleteTrustStore", why: "one", call: func(w *world) error { return remove(w, w.store("a")) }},
		{operation: "DeleteTrustStore", code: "TrustStoreNotFound", why: "none", call: func(w *world) error { return remove(w, not(w.store("a"))) }},
		{operation: "DeleteTrustStore", code: "TrustStoreInUse", why: "one that a listener uses", call: func(w *world) error {
			store := w.store("a")
			w.listener(w.balancer("a"), fixed(), w.secured, func(in *sdk.CreateListenerInput) { in.MutualAuthentication = verifying(store) })
			return remove(w, store)
		}},
		{operation: "DeleteTrustStore", code: "TrustStoreInUse", why: "one that another account uses", call: func(w *world) error {
			store := w.store("a")
			w.state.ShareTrustStore(*store, "{}")
			w.state.AssociateTrustStore(*store, foreign)
			return remove(w, store)
		}},
		{operation: "DescribeTrustStores", why: "all", call: func(w *world) error { return ask(w, w.api.DescribeTrustStores, &sdk.DescribeTrustStoresInput{}) }},
		{operation: "DescribeTrustStores", code: "TrustStoreNotFound", why: "a name that is not there", call: func(w *world) error {
			return ask(w, w.api.DescribeTrustStores, &sdk.DescribeTrustStoresInput{Names: []string{"none"}})
		}},
		{operation: "DescribeTrustStoreAssociations", why: "none", call: func(w *world) error {
			return ask(w, w.api.DescribeTrustStoreAssociations, &sdk.DescribeTrustStoreAssociationsInput{TrustStoreArn: w.store("a")})
		}},
		{operation: "DescribeTrustStoreAssociations", code: "TrustStoreNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.DescribeTrustStoreAssociations, &sdk.DescribeTrustStoreAssociationsInput{TrustStoreArn: not(w.store("a"))})
		}},
		{operation: "GetTrustStoreCaCertificatesBundle", why: "one", call: func(w *world) error {
			return ask(w, w.api.GetTrustStoreCaCertificatesBundle, &sdk.GetTrustStoreCaCertificatesBundleInput{TrustStoreArn: w.store("a")})
		}},
		{operation: "GetTrustStoreCaCertificatesBundle", code: "TrustStoreNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.GetTrustStoreCaCertificatesBundle, &sdk.GetTrustStoreCaCertificatesBundleInput{TrustStoreArn: not(w.store("a"))})
		}},
		{operation: "DeleteSharedTrustStoreAssociation", why: "of another account", call: func(w *world) error {
			store := w.store("a")
			w.state.ShareTrustStore(*store, "{}")
			w.state.AssociateTrustStore(*store, foreign)
			return shared(w, store, foreign)
		}},
		{operation: "DeleteSharedTrustStoreAssociation", code: "TrustStoreNotFound", why: "of no store", call: func(w *world) error { return shared(w, not(w.store("a")), foreign) }},
		{operation: "DeleteSharedTrustStoreAssociation", code: "AssociationNotFound", why: "that is not there", call: func(w *world) error { return shared(w, w.store("a"), foreign) }},
		{operation: "DeleteSharedTrustStoreAssociation", code: "DeleteAssociationSameAccount", why: "of the same account", call: func(w *world) error {
			return shared(w, w.store("a"), *w.balancer("a"))
		}},
		{operation: "GetResourcePolicy", why: "of a shared store", call: func(w *world) error {
			store := w.store("a")
			w.state.ShareTrustStore(*store, "{}")
			return policy(w, store)
		}},
		{operation: "GetResourcePolicy", code: "ResourceNotFound", why: "of a store that nobody shares", call: func(w *world) error { return policy(w, w.store("a")) }},
		{operation: "GetResourcePolicy", code: "ResourceNotFound", why: "of none", call: func(w *world) error { return policy(w, not(w.store("a"))) }},
	}
	return append(rows, revocationRows()...)
}

func revocationRows() []row {
	add := func(w *world, store *string, key string) error {
		return ask(w, w.api.AddTrustStoreRevocations, &sdk.AddTrustStoreRevocationsInput{TrustStoreArn: store, RevocationContents: revoked(key)})
	}
	with := func(w *world) *string {
		store := w.store("a")
		have(w, w.api.AddTrustStoreRevocations, &sdk.AddTrustStoreRevocationsInput{TrustStoreArn: store, RevocationContents: revoked("crl.pem")})
		return store
	}
	remove := func(w *world, store *string, id int64) error {
		return ask(w, w.api.RemoveTrustStoreRevocations, &sdk.RemoveTrustStoreRevocationsInput{TrustStoreArn: store, RevocationIds: []int64{id}})
	}
	describe := func(w *world, store *string, ids ...int64) error {
		return ask(w, w.api.DescribeTrustStoreRevocations, &sdk.DescribeTrustStoreRevocationsInput{TrustStoreArn: store, RevocationIds: ids})
	}
	get := func(w *world, store *string, id int64) error {
		return ask(w, w.api.GetTrustStoreRevocationContent, &sdk.GetTrustStoreRevocationContentInput{TrustStoreArn: store, RevocationId: aws.Int64(id)})
	}
	return []row{
		{operation: "AddTrustStoreRevocations", why: "one file", call: func(w *world) error { return add(w, w.store("a"), "crl.pem") }},
		{operation: "AddTrustStoreRevocations", code: "TrustStoreNotFound", why: "to none", call: func(w *world) error { return add(w, not(w.store("a")), "crl.pem") }},
		{operation: "AddTrustStoreRevocations", code: "RevocationContentNotFound", why: "a file that is not there", call: func(w *world) error { return add(w, w.store("a"), "none") }},
		{operation: "AddTrustStoreRevocations", code: "InvalidRevocationContent", why: "a certificate", call: func(w *world) error { return add(w, w.store("a"), "ca.pem") }},
		{operation: "AddTrustStoreRevocations", code: "TooManyTrustStoreRevocationEntries", why: "more entries than there may be", call: func(w *world) error {
			return add(w, w.store("a"), "crl.pem")
		}, options: func(o *elb.Options) { o.Quotas.EntriesPerTrustStore = 1 }},
		{operation: "RemoveTrustStoreRevocations", why: "one file", call: func(w *world) error { return remove(w, with(w), 1) }},
		{operation: "RemoveTrustStoreRevocations", code: "RevocationIdNotFound", why: "one that is not there", call: func(w *world) error { return remove(w, with(w), 2) }},
		{operation: "RemoveTrustStoreRevocations", code: "TrustStoreNotFound", why: "of none", call: func(w *world) error { return remove(w, not(with(w)), 1) }},
		{operation: "DescribeTrustStoreRevocations", why: "all", call: func(w *world) error { return describe(w, with(w)) }},
		{operation: "DescribeTrustStoreRevocations", code: "RevocationIdNotFound", why: "one that is not there", call: func(w *world) error { return describe(w, with(w), 2) }},
		{operation: "DescribeTrustStoreRevocations", code: "TrustStoreNotFound", why: "of none", call: func(w *world) error { return describe(w, not(with(w))) }},
		{operation: "GetTrustStoreRevocationContent", why: "one", call: func(w *world) error { return get(w, with(w), 1) }},
		{operation: "GetTrustStoreRevocationContent", code: "RevocationIdNotFound", why: "one that is not there", call: func(w *world) error { return get(w, with(w), 2) }},
		{operation: "GetTrustStoreRevocationContent", code: "TrustStoreNotFound", why: "of none", call: func(w *world) error { return get(w, not(with(w)), 1) }},
		{operation: "CreateListener", code: "TrustStoreNotReady", why: "a trust store that is being created", call: func(w *world) error {
			store := w.store("a")
			in := listenerInput(w.balancer("a"), fixed())
			w.secured(in)
			in.MutualAuthentication = verifying(store)
			return ask(w, w.api.CreateListener, in)
		}, options: func(o *elb.Options) { o.TrustStore = time.Minute }},
		{operation: "ModifyListener", code: "TrustStoreNotReady", why: "a trust store that is being created", call: func(w *world) error {
			l := w.listener(w.balancer("a"), fixed(), w.secured)
			return ask(w, w.api.ModifyListener, &sdk.ModifyListenerInput{ListenerArn: l, MutualAuthentication: verifying(w.store("a"))})
		}, options: func(o *elb.Options) { o.TrustStore = time.Minute }},
	}
}
