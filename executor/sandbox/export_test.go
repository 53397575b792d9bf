package sandbox

// Again makes this program, started again, the first process, as where nothing
// smaller can be had.
func Again(cfg Config) Config {
	cfg.again = true
	return cfg
}
