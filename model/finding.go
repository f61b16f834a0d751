package model

import "strings"

// Severity says what a finding means for the object that it is about.
type Severity string

const (
	// Wrong is a mistake of the object's owner: its last good state keeps serving.
	Wrong Severity = "Wrong"
	// Answered is a mistake that a specification answers by itself (503, 500, no rule): the object is served as it says.
	Answered Severity = "Answered"
	// Closed is something that restricts access and cannot be served: the affected rules answer 503.
	Closed Severity = "Closed"
	// Warning is something that is not served, or served otherwise than written, without harm to access.
	Warning Severity = "Warning"
)

// Reasons of the build's findings that front doors have conditions of their own for.
const (
	// ReasonNoTargetGroup is that of a target group that is named and not there.
	ReasonNoTargetGroup = "TargetGroupNotFound"
	// ReasonPartly is that of a rule that is answered as a whole because one of its backends is invalid.
	ReasonPartly = "PartiallyInvalid"
	// ReasonLoop is that of a route that is not served on a port because it would redirect to itself.
	ReasonLoop = "RedirectLoop"
	// ReasonNoNodePort is that of a backend that no target can be reached of, for its Service has no node port.
	ReasonNoNodePort = "TargetTypeInstance"
)

// Finding is something about what a user wrote. It is data: many at once, and none stops the build of the rest.
type Finding struct {
	Object   ObjectRef `json:"object"`
	Severity Severity  `json:"severity"`
	// Reason is a CamelCase word, for conditions and events.
	Reason string `json:"reason"`
	// Field is the annotation key or the path of the field: "spec.rules[0].http.paths[1]".
	Field string `json:"field,omitempty"`
	// Port is the listener that it is about; zero where it is about all of them, or none.
	Port int `json:"port,omitempty"`
	// Message says what is wrong and how to mend it.
	Message string `json:"message"`
}

// Text is what the owner of the object reads: the message, after the field unless it begins with it.
func (f Finding) Text() string {
	if f.Field == "" || strings.HasPrefix(f.Message, f.Field) {
		return f.Message
	}
	return f.Field + ": " + f.Message
}

// String is the finding in one line.
func (f Finding) String() string {
	at := f.Object.String()
	if f.Field != "" {
		at += " " + f.Field
	}
	return string(f.Severity) + " " + at + ": " + f.Reason + ": " + f.Message
}
