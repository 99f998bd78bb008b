package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mmtrace/mmtrace/pkg/export"
)

func newSchema(s streams) *cobra.Command {
	schemas := map[string]func() []byte{"report": export.Schema, "shm": export.ShmSchema}
	names := []string{"report", "shm"}
	return &cobra.Command{
		Use:       "schema [report|shm]",
		Short:     "Print the JSON Schema of JSON reports, or of \"mmtrace shm\"",
		ValidArgs: names,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = names[:1]
			}
			schema, ok := schemas[args[0]]
			if !ok || len(args) > 1 {
				return &usageError{msg: fmt.Sprintf("schema wants %s, got %q", orList(names), strings.Join(args, " "))}
			}
			_, err := s.out.Write(schema())
			return err
		},
	}
}
