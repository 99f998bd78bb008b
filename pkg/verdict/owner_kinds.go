package verdict

import "github.com/mmtrace/mmtrace/pkg/event"

// kinds are the rules for what a mapping is, whoever asked for it.
var kinds = []rule{
	{
		owner: Owner{Name: "AIO ring", What: "Rings of asynchronous I/O that io_setup made.",
			Advice: "If rings grow, contexts are made and not given back with io_destroy."},
		call: "io_setup",
	},
	{
		owner: Owner{Name: "io_uring ring", What: "Rings of io_uring.",
			Advice: "Such a mapping outlives the close of its ring; io_uring_queue_exit does both."},
		files: []string{"anon_inode:[io_uring]"}, calls: []string{"io_uring_*"},
	},
	{
		owner: Owner{Name: "SQLite mapping", What: "Database files and shared indexes that SQLite maps.",
			Advice: "PRAGMA mmap_size bounds a file's mapping; if the number of mappings grows, connections are opened and not closed."},
		modules: []string{"libsqlite3"}, calls: []string{"unixMapfile", "unixRemapfile", "unixShmMap"},
	},
	{
		owner: Owner{Name: "LMDB map", What: "The database file of LMDB, mapped as a whole.",
			Advice: "The size of the map is what mdb_env_set_mapsize has set; only what was touched is memory."},
		modules: []string{"liblmdb"}, calls: []string{"mdb_env_*"},
	},
	{
		owner: Owner{Name: "program break", What: "The heap that brk grows.",
			Advice: "The heap shrinks only from its end: one block that is kept there keeps all below it."},
		call: "brk",
	},
	{
		owner: Owner{Name: "System V segment", What: "Attached shared memory of System V.",
			Advice: "shmdt detaches a segment; it lives on until it is removed (ipcs -m lists segments)."},
		call: "shmat",
	},
	{
		owner: Owner{Name: "shared memory", What: "Shared memory of shm_open or memfd_create.",
			Advice: "close does not unmap such memory, and munmap alone does not free it: it lives until it is unlinked, and closed and unmapped everywhere."},
		files: []string{"/dev/shm/", "/memfd:"},
	},
	{
		owner: Owner{Name: "file mapping", What: "Mapped files. What of them is in memory the kernel can take back, unless it was changed.",
			Advice: "close does not unmap a file: each mmap needs its munmap."},
		also: func(h *Holding) bool { return h.File },
	},
	{
		owner: Owner{Name: "stack mapping", What: "Stacks of threads or coroutines that the program makes itself (MAP_STACK).",
			Advice: "If the number of stacks grows, threads or coroutines are started and never end."},
		also: func(h *Holding) bool { return h.ForStack },
	},
	{
		owner: Owner{Name: "generated code", What: "Memory for code that is made at run time.",
			Advice: "If it grows, code is compiled again and again: look at the limit of the code cache."},
		call: "mmap", also: func(h *Holding) bool { return h.Prot&event.ProtExec != 0 },
	},
}
