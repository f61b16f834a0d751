package credential_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/credential"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why        string
		data       map[string]string
		id, secret string
		problem    string
	}{
		{"both keys", map[string]string{"clientID": "web", "clientSecret": "s3cret"}, "web", "s3cret", ""},
		{"the older spelling", map[string]string{"clientId": "web", "clientSecret": "s3cret"}, "web", "s3cret", ""},
		{"the newer spelling wins", map[string]string{"clientID": "new", "clientId": "old", "clientSecret": "s"}, "new", "s", ""},
		{"what editors leave at the end", map[string]string{"clientID": "web\n", "clientSecret": "s3 cret\r\n\x00"}, "web", "s3 cret", ""},
		{"no identifier", map[string]string{"clientSecret": "s3cret"}, "", "", "clientID"},
		{"no secret", map[string]string{"clientID": "web"}, "", "", "clientSecret"},
		{"an empty secret", map[string]string{"clientID": "web", "clientSecret": "\n"}, "", "", "clientSecret"},
	} {
		data := map[string][]byte{}
		for k, v := range row.data {
			data[k] = []byte(v)
		}
		got, err := credential.Read(data)
		if (err != nil) != (row.problem != "") || err != nil && !strings.Contains(err.Error(), row.problem) {
			t.Errorf("%s: %v", row.why, err)
		}
		if got.ID != row.id || got.Secret() != row.secret {
			t.Errorf("%s: %q with another secret", row.why, got.ID)
		}
	}
}

func TestNothingTellsTheSecret(t *testing.T) {
	t.Parallel()
	a, err := credential.Read(map[string][]byte{"clientID": []byte("web"), "clientSecret": []byte("s3cret")})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, a); strings.Contains(text, "s3cret") || !strings.Contains(text, "web") {
			t.Errorf("%s prints %s", format, text)
		}
	}
	ref := model.SecretRef{Namespace: "shop", Name: "idp"}
	digest := a.Digest("c", ref)
	if strings.Contains(digest, "s3cret") || digest != a.Digest("c", ref) {
		t.Errorf("digest %s", digest)
	}
	if digest == a.Digest("d", ref) || digest == a.Digest("c", model.SecretRef{Namespace: "shop", Name: "other"}) {
		t.Error("the digest is not keyed")
	}
}
