package farm

import "github.com/kvfarm/kvfarm/frontend/lease"

// Leases returns the connection as a worker uses it, for farms of our own.
func (c *Client) Leases() *lease.Client { return lease.NewClient(c.sdk.Connection(), c.store) }
