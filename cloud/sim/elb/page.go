package elb

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	largestPage  = 400
	arnsPerCall  = 20
	markerPrefix = "from:"
)

// cut gives the page of a list after a marker, and the marker of the next page.
func cut[T any](all []T, marker *string, size *int32) ([]T, *string, error) {
	length := largestPage
	if size != nil {
		if *size < 1 || *size > largestPage {
			return nil, nil, invalid("1 validation error detected: Value '%d' at 'pageSize' failed to satisfy constraint: "+
				"Member must have value between 1 and %d", *size, largestPage)
		}
		length = int(*size)
	}
	start := 0
	if m := aws.ToString(marker); m != "" {
		raw, err := base64.RawURLEncoding.DecodeString(m)
		text, ok := strings.CutPrefix(string(raw), markerPrefix)
		if err == nil && ok {
			start, err = strconv.Atoi(text)
		}
		if err != nil || !ok || start < 0 {
			return nil, nil, invalid("Invalid marker: '%s'", m)
		}
	}
	start = min(start, len(all))
	end := min(start+length, len(all))
	if end == len(all) {
		return all[start:end], nil, nil
	}
	return all[start:end], aws.String(base64.RawURLEncoding.EncodeToString([]byte(markerPrefix + strconv.Itoa(end)))), nil
}

// checkCount refuses more identifiers in a call than AWS takes.
func checkCount(ids []string, name string) error {
	if len(ids) > arnsPerCall {
		return invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d",
			name, arnsPerCall)
	}
	return nil
}

// named finds what a call names. One that is not there fails the whole call.
func named[T any](arns []string, find func(arn *string) (T, error)) ([]T, error) {
	all := make([]T, 0, len(arns))
	for _, arn := range arns {
		found, err := find(&arn)
		if err != nil {
			return nil, err
		}
		all = append(all, found)
	}
	return all, nil
}

// view shows each element of a list.
func view[T, V any](all []T, show func(T) V) []V {
	list := make([]V, 0, len(all))
	for _, x := range all {
		list = append(list, show(x))
	}
	return list
}
