// Package symbol turns addresses in mapped files into the frames that people
// read. A Symbolizer holds every file that was ever mapped by a traced process
// once; a Space is the map of one address space and leads from an address to
// the file behind it.
//
// Code of the Go compiler is named by its pclntab, which survives stripping.
// Other code gets its function from the symbol table, and its lines and inlined
// calls from DWARF, both from the file itself or from a debug file that Options
// says where to look for; else names come from the dynamic symbol table. Code
// that a process generated is named by a perf map. An address that no symbol
// covers has no name; the nearest symbol is never a guess.
//
// Every file is taken as hostile: sizes are checked against the file's own
// before memory is spent on them, work is counted and ends at a limit, and a
// panic inside a parser becomes the module's error. What a file says of itself
// is believed: files of one build ID and size are taken as copies.
package symbol
