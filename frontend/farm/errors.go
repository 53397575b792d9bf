package farm

import (
	"errors"
	"regexp"
)

// ErrTimeout is wrapped by the error about an action that ran longer than it may.
var ErrTimeout = errors.New("action ran out of time")

// rpcNoise is what gRPC and the SDK put before a message, over and over.
var rpcNoise = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// readable is an error with a message for people.
type readable struct{ error }

func (e readable) Error() string { return rpcNoise.ReplaceAllString(e.error.Error(), "") }

func (e readable) Unwrap() error { return e.error }
