package rev2_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/remote"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// A store looks the same through server and client.
func TestRemoteStore(t *testing.T) {
	castest.Run(t, func(t *testing.T) cas.Store { return remote.New(start(t).sdk()) })
}

func TestRemoteActionCache(t *testing.T) {
	castest.RunActionCache(t, func(t *testing.T) cas.ActionCache {
		return remote.New(start(t, func(c *rev2.Config) { c.ClientsUpdate = true }).sdk())
	})
}
