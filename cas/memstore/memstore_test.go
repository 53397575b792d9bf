package memstore_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/memstore"
)

func TestStore(t *testing.T) {
	castest.Run(t, func(*testing.T) cas.Store { return memstore.New() })
}

func TestActionCache(t *testing.T) {
	castest.RunActionCache(t, func(*testing.T) cas.ActionCache { return memstore.NewActionCache() })
}
