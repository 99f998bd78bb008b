//go:build !linux

package main

import "github.com/spf13/cobra"

func newDemoTarget(streams) *cobra.Command {
	return &cobra.Command{Use: demoTargetVerb, Hidden: true, RunE: func(*cobra.Command, []string) error {
		return checkPrivileges()
	}}
}
