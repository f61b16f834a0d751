package model

// Belonging is a resource in AWS that has an owner's tags.
type Belonging struct {
	Kind  Kind
	ARN   ARN
	Owner Owner
}
