package farm

import (
	"errors"
	"regexp"
	"strings"
)

// ErrTimeout is wrapped by the error about an action that ran longer than it may.
var ErrTimeout = errors.New("action ran out of time")

// rpcNoise is what gRPC and the SDK put before a message, over and over.
var rpcNoise = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// readable is an error with a message for people.
type readable struct{ error }

func (e readable) Error() string { return rpcNoise.ReplaceAllString(e.error.Error(), "") }

func (e readable) Unwrap() error { return e.error }

// hint says what an address that cannot be connected to should be, where the error
// tells.
func hint(err error) string {
	if strings.Contains(err.Error(), "first record does not look like a TLS handshake") {
		return "; it answers without TLS: say grpc://HOST:PORT, for no scheme means TLS"
	}
	return ""
}
