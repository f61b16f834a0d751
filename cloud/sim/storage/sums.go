package storage

import (
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// sums are the checksums that came with an object, in base64; nil for those that did not.
type sums struct{ crc32, crc32c, crc64, sha1, sha256 *string }

// checksums binds the checksums to their headers.
func checksums() wire.Binding {
	return wire.Headers("X-Amz-Checksum-Crc32=ChecksumCRC32", "X-Amz-Checksum-Crc32c=ChecksumCRC32C", "X-Amz-Checksum-Crc64nvme=ChecksumCRC64NVME",
		"X-Amz-Checksum-Sha1=ChecksumSHA1", "X-Amz-Checksum-Sha256=ChecksumSHA256")
}

// nvme is the polynomial of CRC-64/NVME, reversed.
const nvme = 0x9a6c9329ac4bc9b5

// check compares checksums with the bytes. Of SHA-1 and MD5 only the form is checked.
func (c sums) check(body []byte, md5 *string) error {
	for _, one := range []struct {
		name  string
		given *string
		of    func() hash.Hash
	}{
		{"CRC32", c.crc32, func() hash.Hash { return crc32.NewIEEE() }},
		{"CRC32C", c.crc32c, func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }},
		{"CRC64NVME", c.crc64, func() hash.Hash { return crc64.New(crc64.MakeTable(nvme)) }},
		{"SHA256", c.sha256, sha256.New},
	} {
		if one.given == nil {
			continue
		}
		h := one.of()
		h.Write(body) // never fails
		if base64.StdEncoding.EncodeToString(h.Sum(nil)) != *one.given {
			return wire.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", one.name)
		}
	}
	const sha1Length, md5Length = 20, 16
	if !encodes(c.sha1, sha1Length) {
		return wire.Errorf("InvalidRequest", "Value for x-amz-checksum-sha1 header is invalid.")
	}
	if !encodes(md5, md5Length) {
		return wire.Errorf("InvalidDigest", "The Content-MD5 you specified was invalid.")
	}
	return nil
}

// encodes reports whether a text is absent or encodes so many bytes.
func encodes(text *string, length int) bool {
	if text == nil {
		return true
	}
	raw, err := base64.StdEncoding.DecodeString(*text)
	return err == nil && len(raw) == length
}
