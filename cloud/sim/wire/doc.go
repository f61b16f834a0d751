// Package wire speaks the wire protocols of AWS: Query, EC2 Query, JSON 1.1, REST-JSON and REST-XML. Each protocol is written once, by
// reflection over the typed input and output shapes of the SDK, so that an operation is a plain function on those shapes. It knows no
// service and holds no state; it may import the standard library only. Its invariant: what the SDK of any language sends decodes to the
// shape that the Go SDK would have sent, a list that was sent empty is empty and not nil, and an enum never has a value that AWS would
// refuse.
//
// A service is declared as a [Service]: its signing name, a protocol, and a line for each operation.
//
//	wire.Service{
//		Name: "acm", Target: "CertificateManager", Protocol: wire.JSON{Invalid: "ValidationException"},
//		Operations: wire.Table(
//			wire.Writes("ImportCertificate", s.importCertificate), // func(*acm.ImportCertificateInput) (*acm.ImportCertificateOutput, error)
//			wire.Reads("ListCertificates", s.listCertificates),
//		),
//	}
//
// In a REST service each operation also has its place in HTTP, as [Operation.At] says: the method and a template of the path. A name in
// braces is the field of the input that is there; {Key+} takes the rest of the path. A query in the template binds parameters to
// fields (?maxitems={MaxItems}) or demands them (?list-type=2, ?policy). Without a place of their own, fields of GET, HEAD and DELETE are
// query parameters (MaxResults is maxResults), and fields of other methods members of the body; fields of outputs are in the body too.
//
//	wire.Service{
//		Name: "vpc-lattice",
//		Protocol: wire.RESTJSON{Invalid: "ValidationException", ISOTimes: true, Unions: wire.NewUnions(types.RuleActionMemberForward{})},
//		Operations: wire.Table(
//			wire.Writes("CreateService", s.createService).At("POST /services", wire.Status(http.StatusCreated)),
//			wire.Reads("GetService", s.getService).At("GET /services/{ServiceIdentifier}"),
//			wire.Writes("UntagResource", s.untag).At("DELETE /tags/{ResourceArn}?tagKeys={TagKeys}"),
//		),
//	}
//
// [Headers], [Payload], [Answer], [Root] and [Status] say what the template cannot. An error is made by [Errorf], with HTTP status 400
// unless WithStatus gives another, and with more members by With: errors of VPC Lattice have them. Unions, which are interfaces in
// Go, decode to those of their members that the protocol lists. S3 is addressed by path.
package wire
