package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

func (w *world) certificate(c Change) error {
	w.Certificates = slices.Clone(w.Certificates)
	if c.Op == RequestCertificate || c.Op == ImportCertificate && c.ARN == "" {
		made := *c.Certificate
		made.ARN, made.Status, made.Secret = w.arn(c.Key), model.CertificateUsable, model.SecretRef{}
		w.Certificates = append(w.Certificates, made)
		return nil
	}
	i := slices.IndexFunc(w.Certificates, func(o model.OwnCertificate) bool { return o.ARN == c.ARN })
	if i < 0 {
		return errMissing
	}
	one := &w.Certificates[i]
	switch c.Op {
	case ImportCertificate:
		one.Digest, one.Domains, one.NotAfter = c.Certificate.Digest, c.Certificate.Domains, c.Certificate.NotAfter
		return nil
	case PublishProofs:
		one.Proofs, one.Status = nil, model.CertificateUsable
		return nil
	case DeleteCertificate:
		if slices.ContainsFunc(w.Listeners, func(l model.Listener) bool { return slices.Contains(l.Certificates, c.ARN) }) {
			return errInUse
		}
		w.Certificates = slices.Delete(w.Certificates, i, i+1)
		return nil
	default:
		return settle(c, "", new(map[string]string), &one.Tags)
	}
}

// certificateARNs are certificates by ARN, as an observation has them: a reference is to the one that was made last, else to the only one.
func (w *world) certificateARNs(refs []model.ARN) []model.ARN {
	out := slices.Clone(refs)
	for i, ref := range out {
		key, ok := model.OwnCertificateKey(ref)
		if !ok {
			continue
		}
		if out[i] = w.made(key); out[i] != "" {
			continue
		}
		for _, c := range w.Certificates {
			if c.ID == key.ID {
				out[i] = c.ARN
			}
		}
	}
	return out
}
