package expr

// rules holds the rewrite rules by operator, tried in order.
var rules [numOps][]rule
