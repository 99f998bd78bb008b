package event

// A Kind says what an Event reports. Those that the kernel side sends are values of enum
// record_kind in bpf/record.h.
type Kind uint8

// Kinds of events.
const (
	Bad            Kind = iota
	Mmap                // mmap(addr, len, prot, flags, fd, off) = address
	Munmap              // munmap(addr, len)
	Mremap              // mremap(old, oldlen, newlen, flags, new) = address
	Brk                 // brk(new) = new break
	Shmat               // shmat(id, addr, flags) = address; Aux is the length
	Shmdt               // shmdt(addr)
	RemapFilePages      // remap_file_pages(addr, len, prot, pgoff, flags)
	IoSetup             // io_setup(n, ctxp); Args[5] is the ring's address, Aux its length
	IoDestroy           // io_destroy(ctx)
	ShadowStack         // map_shadow_stack(addr, len, flags) = address
	Mprotect            // mprotect(addr, len, prot)
	Madvise             // madvise(addr, len, advice), and a range that process_madvise gave back; Aux is how many bytes of the latter no event tells
	NameVMA             // prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, len, name)
	MapVDSO             // arch_prctl(ARCH_MAP_VDSO_*, addr)
	Clone               // fork, vfork, clone or clone3: copied the space, changed nothing here
	Other               // the write lock was taken for something else; Args[0] is the system call's number, all ones in a page fault
	Fork                // Space was made as a copy of Parent at ParentSeq
	Exec                // Space is the new one of a process that called execve
	Exit                // the last thread of PID ended; Ret is its exit code as wait(2) has it
	End                 // the last user of Space is gone, and all its mappings with it; TotalVM as of then

	StackDef // the addresses of Stack
	Snapshot // the kernel's map of Space
	Process  // PID uses Space from now on
	Clock    // everything up to Time has been handed over

	ShmGet // shmget(key, size, flags) = id: a System V segment; changes no map
	Open   // a call like open(2) = descriptor: of the file Args[0] (major<<32 | minor), Args[1] (inode); Args[2] is all ones; changes no map
	Dup    // a call like dup(2) = descriptor: likewise; Args[2] is the descriptor that it is a copy of, all ones for one of another process

	numKinds
)

// StackCopy is a copy of a stack that the kernel side could not walk to its
// end. It stays within the live side, which finishes the walk; it has no form
// in recordings.
const StackCopy Kind = 250

// NewCode tells which file a mapping of code is of. It stays within the live side,
// too, which needs it where a process is gone before its map was read.
const NewCode Kind = 251

var kindNames = [numKinds]string{
	Bad: "bad", Mmap: "mmap", Munmap: "munmap", Mremap: "mremap", Brk: "brk",
	Shmat: "shmat", Shmdt: "shmdt", RemapFilePages: "remap_file_pages",
	IoSetup: "io_setup", IoDestroy: "io_destroy", ShadowStack: "map_shadow_stack",
	Mprotect: "mprotect", Madvise: "madvise", NameVMA: "name_vma", MapVDSO: "map_vdso",
	Clone: "clone", Other: "other", Fork: "fork", Exec: "exec", Exit: "exit", End: "end",
	StackDef: "stack", Snapshot: "snapshot", Process: "process", Clock: "clock", ShmGet: "shmget",
	Open: "open", Dup: "dup",
}

// String returns the kind's name in the text form.
func (k Kind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return "bad"
}

// Recorded reports whether events of kind k have a form in recordings and traces.
func (k Kind) Recorded() bool { return Bad < k && k < numKinds }

// Call reports whether k is a system call that the report counts as a call.
func (k Kind) Call() bool { return Mmap <= k && k <= MapVDSO }
