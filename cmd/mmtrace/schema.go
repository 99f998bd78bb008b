package main

import (
	"github.com/spf13/cobra"

	"github.com/mmtrace/mmtrace/pkg/export"
)

func newSchema(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of JSON reports",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := s.out.Write(export.Schema())
			return err
		},
	}
}
