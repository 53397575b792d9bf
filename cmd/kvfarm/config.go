package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// withConfig adds --config to a command: a file whose settings have the names
// of the command's flags. What the command line says comes first.
func withConfig(c *cobra.Command) *cobra.Command {
	file := c.Flags().String("config", "", "`FILE` of settings in TOML, NAME = VALUE, named as the flags are; flags come first")
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if *file != "" {
			if err := readConfig(*file, c.Flags()); err != nil {
				return fmt.Errorf("%w (%s --help says what there is)", err, c.CommandPath())
			}
		}
		return run(c, args)
	}
	return c
}

func readConfig(file string, flags *pflag.FlagSet) error {
	var settings map[string]any
	if _, err := toml.DecodeFile(file, &settings); err != nil {
		return fmt.Errorf("read configuration %s: %w", file, err)
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		flag := flags.Lookup(name)
		if flag == nil || name == "config" || name == "help" {
			return fmt.Errorf("read configuration %s: no setting is named %q", file, name)
		}
		if flag.Changed {
			continue
		}
		for _, value := range values(settings[name]) {
			err := flags.Set(name, fmt.Sprint(value))
			if bad := (*pflag.InvalidValueError)(nil); errors.As(err, &bad) {
				err = wanted(bad)
			}
			if err != nil {
				return fmt.Errorf("read configuration %s: %s = %v: %w", file, name, value, err)
			}
		}
	}
	return nil
}

// values is a setting's value, or its values if it is a list.
func values(setting any) []any {
	if list, ok := setting.([]any); ok {
		return list
	}
	return []any{setting}
}
