package verdict

// arenaSize is what an arena of glibc's malloc takes on 64-bit machines
// (HEAP_MAX_SIZE in malloc/arena.c); twice as much is reserved to align it.
const arenaSize = 64 << 20

// arenas own what malloc reserves for threads.
var arenas = Owner{Name: "malloc heap", Managed: true,
	What: "Arenas that malloc reserves for threads, 64 MiB of address space each.",
	Advice: "Little of an arena is memory, and there are at most 8 arenas per CPU; MALLOC_ARENA_MAX sets another limit. " +
		"A heap profiler tells what is in arenas."}

var pythonHeap = Owner{Name: "Python heap", Managed: true,
	What:   "Memory from which Python serves small objects.",
	Advice: "tracemalloc or memray tells which objects are kept."}

var libraryMapping = Owner{Name: "library mapping", What: "Code and data of libraries that the program loads.",
	Advice: "If it grows, dlopen is called without dlclose, or copies of one library are loaded."}

// byLoader reports whether glibc's loader itself made h, whose functions often have
// no names. musl's loader is also its C library, and maps for everybody.
func byLoader(h *Holding) bool {
	return len(h.Frames) > 0 && begins(base(h.Frames[0].Module), []string{"ld-linux", "ld-2", "ld.so"})
}

// heaps are the rules for allocators and the runtimes of languages. Rules are
// tried in order: what is special comes before what is general.
var heaps = []rule{
	{
		owner: libraryMapping, malloc: without,
		calls: []string{"dl_map_segment*", "dl_map_object_from_fd*", "map_library"},
	},
	{owner: libraryMapping, malloc: without, also: byLoader},
	{
		owner: Owner{Name: "thread stack", What: "Stacks of threads.",
			Advice: "If the number of stacks grows, threads are started and never end, or end and are neither joined nor detached. " +
				"The C library keeps up to 40 MiB of stacks for later threads."},
		calls: []string{"allocate_stack", "pthread_create*"},
	},
	{owner: arenas, calls: []string{"alloc_new_heap", "new_heap", "int_new_arena", "arena_get2"}},
	{
		owner: arenas, malloc: with, // where the C library has no names
		also: func(h *Holding) bool {
			return h.Prot == 0 && h.NoReserve && (h.Length == arenaSize || h.Length == 2*arenaSize)
		},
	},
	{owner: pythonHeap, calls: []string{"PyObject_ArenaMmap", "PyMem_ArenaAlloc"}},
	{owner: pythonHeap, modules: []string{"libpython", "python3"}, malloc: without},
	{
		owner: Owner{Name: "Python object", What: "Large objects of Python, each a block of malloc with a mapping of its own.",
			Advice: "An object lives as long as something refers to it; tracemalloc or memray tells where objects were made."},
		call: "mmap", modules: []string{"libpython", "python3"}, malloc: with,
	},
	{
		owner: Owner{Name: "jemalloc heap", Managed: true, What: "Extents of jemalloc, which it keeps for later use.",
			Advice: "Judge the heap by RSS; jemalloc's own heap profile (prof:true) tells who allocates."},
		modules: []string{"libjemalloc"},
		calls:   []string{"je_*", "rjem_*", "os_pages_map", "pages_map", "extent_alloc_mmap", "ehooks_default_alloc*"},
	},
	{
		owner: Owner{Name: "tcmalloc heap", Managed: true, What: "Spans of tcmalloc, which it keeps for later use.",
			Advice: "Judge the heap by RSS; tcmalloc's own heap profile (HEAPPROFILE) tells who allocates."},
		modules: []string{"libtcmalloc"},
		calls:   []string{"tcmalloc::*", "TCMalloc_*", "SbrkSysAllocator::*", "MmapSysAllocator::*", "DefaultSysAllocator::*"},
	},
	{
		owner: Owner{Name: "mimalloc heap", Managed: true, What: "Segments of mimalloc, which it keeps for later use.",
			Advice: "Judge the heap by RSS; with MIMALLOC_SHOW_STATS=1 it prints at its end what is in use."},
		modules: []string{"libmimalloc"},
		calls:   []string{"mi_os_*", "mi_prim_*", "mi_arena*", "mi_segment*", "mi_heap_*", "mi_malloc*"},
	},
	{
		owner: Owner{Name: "allocator heap", Managed: true, What: "Memory of an allocator, which keeps it for later use.",
			Advice: "Judge the heap by RSS; a heap profiler tells who allocates."},
		modules: []string{"libtbbmalloc", "libhoard", "libsnmalloc", "librpmalloc", "libscudo"},
		calls:   []string{"partition_alloc::*", "scudo::*", "snmalloc::*", "rpmalloc*"},
	},
	{
		owner: Owner{Name: "Go heap", Managed: true, What: "Memory of the Go runtime, which never unmaps it.",
			Advice: "The heap profile of net/http/pprof tells what is in use."},
		calls: []string{"runtime.sys*", "runtime.mmap*", "runtime.persistentalloc*", "runtime.(*mheap)*"}, malloc: without,
	},
	{
		owner: Owner{Name: "JVM direct memory", What: "Direct buffers and other memory outside of the Java heap.",
			Advice: "Direct buffers are freed after their objects are collected. -XX:MaxDirectMemorySize limits them; " +
				"a heap dump tells who holds them."},
		call: "mmap", calls: []string{"Unsafe_AllocateMemory*", "Unsafe_ReallocateMemory*"}, reach: 2, malloc: with,
	},
	{
		owner: Owner{Name: "JVM file mapping", What: "Files that Java code mapped with FileChannel.map.",
			Advice: "Such files are unmapped after their buffers are collected; an Arena of java.lang.foreign does it at a known time."},
		calls: []string{"Java_sun_nio_ch_*"},
	},
	{
		owner: Owner{Name: "JVM memory", Managed: true, What: "Heap, metaspace, code cache and other memory that the JVM manages.",
			Advice: "Run jcmd PID VM.native_memory summary (it needs -XX:NativeMemoryTracking=summary); for the heap, take a heap dump."},
		modules: []string{"libjvm.so"},
	},
	{
		owner: Owner{Name: "Node buffer", What: "Buffers and typed arrays of JavaScript, each a block of malloc with a mapping of its own.",
			Advice: "Buffers are freed after their objects are collected: watch process.memoryUsage().arrayBuffers, and compare two heap snapshots."},
		call: "mmap", calls: []string{"node::NodeArrayBufferAllocator*", "node::Buffer*", "v8::internal::BackingStore*"}, reach: 2, malloc: with,
	},
	{
		owner: Owner{Name: "V8 heap", Managed: true, What: "Pages of the JavaScript heap and of compiled code.",
			Advice: "Compare two heap snapshots (node --inspect, or --heapsnapshot-signal)."},
		modules: []string{"libnode.so", "libv8.so"}, calls: []string{"v8::base::*", "v8::internal::*"}, malloc: without,
	},
	{
		owner: Owner{Name: "Ruby heap", Managed: true, What: "Memory from which Ruby serves objects.",
			Advice: "ObjectSpace.dump_all tells which objects are kept and where they were made (ObjectSpace.trace_object_allocations_start)."},
		modules: []string{"libruby"}, malloc: without,
		also: func(h *Holding) bool { return !h.ForStack && !h.File },
	},
	{
		owner: Owner{Name: "malloc heap", Managed: true, What: "The heap that malloc grows by brk. The path is of the block that did not fit, not of those that fill it.",
			Advice: "A heap profiler tells who holds what is in the heap."},
		call: "brk", malloc: with,
	},
	{
		owner: Owner{Name: "malloc block", What: "Large blocks of malloc, each with a mapping of its own.",
			Advice: "free unmaps such a block: look for the free that the caller of malloc owes."},
		malloc: with,
	},
}
