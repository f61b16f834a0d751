// Package config tests what is under config/ against a real API server: that the installation applies, that its rights are
// what the operator needs and no more, that the samples are accepted, and that the kinds accept and refuse what the
// incumbent's do. It holds tests only and may import anything.
package config
