package iam

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (d *Directory) certificateOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("UploadServerCertificate", d.upload), wire.Reads("GetServerCertificate", d.getCertificate),
		wire.Reads("ListServerCertificates", d.listCertificates), wire.Writes("DeleteServerCertificate", d.deleteCertificate),
		wire.Writes("TagServerCertificate", d.tagCertificate), wire.Writes("UntagServerCertificate", d.untagCertificate),
		wire.Reads("ListServerCertificateTags", d.listTags),
	}
}

// certificate is a server certificate.
type certificate struct {
	shape    iamtypes.ServerCertificateMetadata
	material *cert.Material
}

// UsedBy tells the directory how to find the load balancers that use a certificate.
func (d *Directory) UsedBy(find func(arn string) []string) { d.usedBy = find }

// Find looks a certificate up by its ARN, as cert.Store does.
func (d *Directory) Find(arn string) (cert.Found, bool) {
	c, ok := d.byARN(arn)
	if !ok {
		return cert.Found{}, false
	}
	now := d.account.Now()
	current := now.After(c.material.Leaf.NotBefore) && now.Before(c.material.Leaf.NotAfter)
	named := slices.ContainsFunc(c.material.Names, func(n string) bool { return strings.Contains(n, ".") })
	return cert.Found{Usable: current && named && c.material.Key != ""}, true
}

// TLS gives a certificate with its key by its ARN, as cert.Store does.
func (d *Directory) TLS(arn string) (*tls.Certificate, bool) {
	c, ok := d.byARN(arn)
	if !ok {
		return nil, false
	}
	return c.material.Pair, true
}

func (d *Directory) byARN(arn string) (*certificate, bool) {
	c, ok := d.certificates.Get(strings.ToLower(arn[strings.LastIndex(arn, "/")+1:]))
	if !ok || *c.shape.Arn != arn {
		return nil, false
	}
	return c, true
}

// Sizes in bytes, and the default quota (IAM API reference, UploadServerCertificate; user guide, "IAM quotas").
const (
	maxMaterial     = 16384
	maxChain        = 2097152
	maxCertificates = 20
)

func (d *Directory) upload(in *sdk.UploadServerCertificateInput) (*sdk.UploadServerCertificateOutput, error) {
	name, path := aws.ToString(in.ServerCertificateName), "/"
	if in.Path != nil {
		path = *in.Path
	}
	if !nameForm.MatchString(name) || !pathForm.MatchString(path) {
		return nil, invalid("The name '%s' or the path '%s' of the server certificate is not valid.", name, path)
	}
	m, err := readMaterial(in)
	if err != nil {
		return nil, err
	}
	tags, err := listing.Read(d.Tags, in.Tags, tagParts)
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	if _, taken := d.certificates.Get(strings.ToLower(name)); taken {
		return nil, conflict("EntityAlreadyExists", "The Server Certificate with name %s already exists.", name)
	}
	if d.certificates.Len() >= maxCertificates {
		return nil, conflict("LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: %d", maxCertificates)
	}
	c := &certificate{material: m, shape: iamtypes.ServerCertificateMetadata{
		Arn:  aws.String("arn:" + d.account.Partition + ":iam::" + d.account.ID + ":server-certificate" + path + name),
		Path: &path, ServerCertificateName: &name, ServerCertificateId: aws.String("ASCA" + strings.ToUpper(d.account.Hex(17))),
		UploadDate: aws.Time(d.account.Now().Truncate(time.Second)), Expiration: aws.Time(m.Leaf.NotAfter),
	}}
	d.certificates.Put(strings.ToLower(name), c)
	d.Tags.Put(*c.shape.Arn, tags)
	return &sdk.UploadServerCertificateOutput{ServerCertificateMetadata: &c.shape, Tags: d.tags(c)}, nil
}

func readMaterial(in *sdk.UploadServerCertificateInput) (*cert.Material, error) {
	body, chain, key := aws.ToString(in.CertificateBody), aws.ToString(in.CertificateChain), aws.ToString(in.PrivateKey)
	if body == "" || key == "" || len(body) > maxMaterial || len(key) > maxMaterial || len(chain) > maxChain {
		return nil, invalid("The certificate body, private key or chain is missing or too long.")
	}
	m, err := cert.Read([]byte(body), []byte(chain), []byte(key))
	bad, ok := errors.AsType[*cert.MaterialError](err)
	switch {
	case !ok && err != nil:
		return nil, fmt.Errorf("reading the certificate: %w", err)
	case ok && bad.Mismatch:
		return nil, wire.Errorf("KeyPairMismatch", "%s", bad.Text)
	case ok:
		return nil, wire.Errorf("MalformedCertificate", "%s", bad.Text)
	default:
		return m, nil
	}
}

func (d *Directory) find(name *string) (*certificate, error) {
	c, ok := d.certificates.Get(strings.ToLower(aws.ToString(name)))
	if !ok {
		return nil, missing("The Server Certificate with name %s cannot be found.", aws.ToString(name))
	}
	return c, nil
}

func (d *Directory) show(c *certificate) iamtypes.ServerCertificate {
	shown := iamtypes.ServerCertificate{CertificateBody: aws.String(c.material.Body), ServerCertificateMetadata: &c.shape, Tags: d.tags(c)}
	if c.material.Chain != "" {
		shown.CertificateChain = aws.String(c.material.Chain)
	}
	return shown
}

func (d *Directory) getCertificate(in *sdk.GetServerCertificateInput) (*sdk.GetServerCertificateOutput, error) {
	c, err := d.find(in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	return &sdk.GetServerCertificateOutput{ServerCertificate: new(d.show(c))}, nil
}

func (d *Directory) listCertificates(in *sdk.ListServerCertificatesInput) (*sdk.ListServerCertificatesOutput, error) {
	all := []iamtypes.ServerCertificateMetadata{}
	for _, c := range d.certificates.All() {
		if strings.HasPrefix(*c.shape.Path, aws.ToString(in.PathPrefix)) {
			all = append(all, c.shape)
		}
	}
	p, err := cut(all, in.MaxItems, in.Marker)
	return &sdk.ListServerCertificatesOutput{ServerCertificateMetadataList: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

func (d *Directory) deleteCertificate(in *sdk.DeleteServerCertificateInput) (*sdk.DeleteServerCertificateOutput, error) {
	c, err := d.find(in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	if used := d.usedBy(*c.shape.Arn); len(used) > 0 {
		return nil, conflict("DeleteConflict", "Certificate: %s is currently in use by %s. Please remove it first before deleting it from IAM.",
			*c.shape.ServerCertificateId, used[0])
	}
	d.certificates.Delete(strings.ToLower(*c.shape.ServerCertificateName))
	d.Tags.Drop(*c.shape.Arn)
	return &sdk.DeleteServerCertificateOutput{}, nil
}

func tagParts(t iamtypes.Tag) (*string, *string) { return t.Key, t.Value }

func (d *Directory) tags(c *certificate) []iamtypes.Tag {
	return listing.Write(d.Tags, *c.shape.Arn, func(k, v *string) iamtypes.Tag { return iamtypes.Tag{Key: k, Value: v} })
}

func (d *Directory) tagCertificate(in *sdk.TagServerCertificateInput) (*sdk.TagServerCertificateOutput, error) {
	c, err := d.find(in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	fresh, err := listing.Read(d.Tags, in.Tags, tagParts)
	if err == nil {
		_, err = d.Tags.Tag(*c.shape.Arn, fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("tagging %s: %w", *c.shape.Arn, err)
	}
	return &sdk.TagServerCertificateOutput{}, nil
}

func (d *Directory) untagCertificate(in *sdk.UntagServerCertificateInput) (*sdk.UntagServerCertificateOutput, error) {
	c, err := d.find(in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	if err := d.Tags.CheckKeys(in.TagKeys); err != nil {
		return nil, fmt.Errorf("untagging %s: %w", *c.shape.Arn, err)
	}
	d.Tags.Untag(*c.shape.Arn, in.TagKeys)
	return &sdk.UntagServerCertificateOutput{}, nil
}

func (d *Directory) listTags(in *sdk.ListServerCertificateTagsInput) (*sdk.ListServerCertificateTagsOutput, error) {
	c, err := d.find(in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	p, err := cut(d.tags(c), in.MaxItems, in.Marker)
	return &sdk.ListServerCertificateTagsOutput{Tags: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}
