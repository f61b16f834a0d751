package wire

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an error as AWS answers it.
type Error struct {
	// Code is the code on the wire, as in TargetGroupNotFound.
	Code    string
	Message string
	// Status is the HTTP status. The services use 400 for nearly everything.
	Status int
	// Details are the other members that some errors have, by their names on the wire. Query has none.
	Details map[string]any
}

// Error gives code and message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an error with HTTP status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// WithStatus gives the same error with another HTTP status.
func (e *Error) WithStatus(status int) *Error {
	changed := *e
	changed.Status = status
	return &changed
}

// With gives the same error with other members beside its message, as in resourceId.
func (e *Error) With(details map[string]any) *Error {
	changed := *e
	changed.Details = details
	return &changed
}

// AsError gives the error as AWS answers it. An error that is none of AWS's is a fault of the simulator: InternalFailure.
func AsError(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return Errorf("InternalFailure", "%v", err).WithStatus(http.StatusInternalServerError)
}
