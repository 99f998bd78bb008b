// Package symbol turns addresses in mapped files into the frames that people
// read. A Symbolizer holds every file that was ever mapped by a traced process
// once; a Space is the map of one address space and leads from an address to
// the file behind it.
//
// Names come from the file alone: the symbol table, else the dynamic one, and
// for code of the Go compiler its pclntab, which survives stripping. An address
// that no symbol covers has no name; the nearest symbol is never a guess.
//
// Every file is taken as hostile: sizes are checked against the file's own
// before memory is spent on them, and a panic inside a parser becomes the
// module's error.
package symbol
