package rig

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
)

// InProcess is a transport that hands requests to a simulator without a connection.
type InProcess struct{ To http.Handler }

// RoundTrip makes a call.
func (p InProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody
	}
	p.To.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// Action reads which action of an AWS API a request asks for, and leaves the request as it is. Of S3 and Route 53 it knows what the
// operator calls.
func Action(r *http.Request) (string, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, action, _ := strings.Cut(target, ".")
		return action, nil
	}
	if strings.Contains(r.URL.Path, "/hostedzone") {
		return map[string]string{http.MethodGet: "ListHostedZones", http.MethodPost: "ChangeResourceRecordSets"}[r.Method], nil
	}
	if strings.Contains(r.Header.Get("Authorization"), "/s3/") {
		return map[string]string{http.MethodGet: "ListObjectsV2", http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject"}[r.Method], nil
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return "", fmt.Errorf("reading a call: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return "", fmt.Errorf("reading the parameters of a call: %w", err)
	}
	return form.Get("Action"), nil
}

// IsWrite tells by its name whether an action changes anything.
func IsWrite(action string) bool {
	return !slices.ContainsFunc([]string{"Describe", "List", "Get"}, func(p string) bool { return strings.HasPrefix(action, p) })
}
