package probe

// CodeMask takes the signature off a return address (pointer authentication):
// user addresses have 48 bits unless a program asks for more.
const CodeMask = uint64(1)<<48 - 1
