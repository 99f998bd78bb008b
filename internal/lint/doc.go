// Package lint holds the rules of the house that no other tool knows, as tests.
package lint
