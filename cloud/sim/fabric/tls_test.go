package fabric

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.target("a", func(out http.ResponseWriter, r *http.Request) {
		fmt.Fprint(out, r.Proto, r.Header.Get("X-Forwarded-For-Proto"))
	})
	w.listen(types.ListenerProtocolHttps, nil, Rule{Action: forward("a")})
	for _, row := range []struct {
		why, host, served string
		config            *tls.Config
	}{
		{"the name that AWS gave", name, name, &tls.Config{}}, {"the custom domain", domain, domain, &tls.Config{}},
		{"another name", "other.example.com", "", &tls.Config{}}, {"no name", "192.0.2.1", "", &tls.Config{}},
		{"an old version", domain, "", &tls.Config{MaxVersion: tls.VersionTLS11}}, {"TLS 1.2", domain, domain, &tls.Config{MaxVersion: tls.VersionTLS12}},
	} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.at.String())
		if err != nil {
			t.Fatal(err)
		}
		row.config.ServerName, row.config.InsecureSkipVerify, row.config.MinVersion = row.host, true, tls.VersionTLS10
		secured := tls.Client(c, row.config)
		err = secured.HandshakeContext(t.Context())
		served := ""
		if err == nil {
			served = secured.ConnectionState().PeerCertificates[0].DNSNames[0]
		}
		if served != row.served {
			t.Errorf("%s: served %q (%v), want %q", row.why, served, err, row.served)
		}
		_ = secured.Close()
	}
	second, first := w.client(nil), w.client(func(h *http.Transport) {
		h.ForceAttemptHTTP2, h.TLSClientConfig.NextProtos = false, []string{"http/1.1"}
	})
	if got := w.ask(second, "GET https://"+domain+"/") + ", " + w.ask(first, "GET https://"+domain+"/"); got != "200 HTTP/1.1https, 200 HTTP/1.1https" {
		t.Error(got)
	}
	if got := w.raw("GET / HTTP/1.1\r\nHost: " + domain + "\r\n\r\n"); got != "HTTP/1.1 404 Not Found" {
		t.Errorf("HTTP where TLS is wanted: %s", got)
	}
	w.listen(types.ListenerProtocolHttps, func(_ *Entrance, s *Service) { s.Certificate = nil }, Rule{Action: forward("a")})
	if got := w.ask(w.client(nil), "GET https://"+domain+"/"); got != "no answer" {
		t.Errorf("a custom domain without a certificate: %s", got)
	}
}

func TestProtocolsMeet(t *testing.T) {
	t.Parallel()
	w := start(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Trailer", "Grpc-Status")
		fmt.Fprint(out, r.Proto)
		out.Header().Set("Grpc-Status", "0")
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	w.group("grpc", "GRPC", server)
	w.listen(types.ListenerProtocolHttps, nil, Rule{Action: forward("grpc")})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+domain+"/svc/method", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("TE", "trailers")
	response, err := w.client(nil).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.Body.Close() != nil {
		t.Fatal(err)
	}
	if status := response.Trailer.Get("Grpc-Status"); response.ProtoMajor != 2 || string(body) != "HTTP/2.0" || status != "0" {
		t.Errorf("%s, to the target %s, status %q", response.Proto, body, status)
	}
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("grpc")})
	if got := w.ask(w.client(nil), "GET http://"+domain+"/"); got != "200 HTTP/2.0" {
		t.Errorf("from HTTP/1.1: %s", got)
	}
}

func TestPassthrough(t *testing.T) {
	t.Parallel()
	w := start(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		fmt.Fprint(out, r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Amzn-Lattice-Target"), r.TLS.ServerName)
	}))
	t.Cleanup(server.Close)
	w.group("a", "", server)
	deny := func(e *Entrance, _ *Service) { e.Auth.Required = true }
	let := func(e *Entrance, _ *Service) {
		e.Auth = Auth{true, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"vpc-lattice-svcs:Connect","Resource":"*"}]}`}
	}
	for _, row := range []struct {
		why, host, want string
		change          func(*Entrance, *Service)
	}{
		{"nothing is added", domain, "200 " + domain, nil}, {"the name of AWS leads nowhere", name, "no answer", nil},
		{"a policy that allows connecting", domain, "200 " + domain, let}, {"no policy", domain, "no answer", deny},
	} {
		w.listen(types.ListenerProtocolTlsPassthrough, row.change, Rule{Action: forward("a")})
		if got := w.ask(w.client(nil), "GET https://"+row.host+"/"); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
	w.listen(types.ListenerProtocolTlsPassthrough, nil, Rule{Action: forward("none")})
	if got := w.ask(w.client(nil), "GET https://"+domain+"/"); got != "no answer" {
		t.Errorf("no target: %s", got)
	}
}
