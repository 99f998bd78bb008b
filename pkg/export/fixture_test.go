package export

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	sec = event.Time(1e9)
	ms  = event.Time(1e6)

	libc  = "/usr/lib/x86_64-linux-gnu/libc.so.6"
	app   = "/srv/bin/imgcache"
	start = 1793671447000000000 // 2026-11-03 02:04:07 UTC
)

// c is a frame with a source position in the traced program.
func c(function, file string, line int) stack.Frame {
	return stack.Frame{Function: function, Start: 29, Module: app, BuildID: "5d3c0ffe",
		Offset: 0x1000 + uint64(line)*16, File: "/build/imgcache/src/" + file, Line: line}
}

// lib is a frame of libc.
func lib(function string) stack.Frame {
	return stack.Frame{Function: function, Start: 23, Module: libc, BuildID: "a196fe1c", Offset: 0x10f7a7}
}

func host() report.Host {
	return report.Host{Name: "db-7", Kernel: "6.18.2", Arch: "x86_64", PageSize: 4096, CPUs: 8, MaxMapCount: 65530}
}

func target() report.Target {
	return report.Target{PID: 4242, Comm: "imgcache", Exe: app,
		Cmdline: []string{app, "--port", "8080", "--name", "it's; rm -rf"}, StartTicks: 918273,
		Mappings: 212, Bytes: 433 * mib, BytesBefore: 412 * mib}
}

// quiet is a window without anything outstanding and without a doubt.
func quiet() *report.Report {
	g := target()
	g.Bytes = 424 * mib
	return &report.Report{
		Tool:    report.Tool{Name: "mmtrace", Version: "0.1.0", Commit: "1f2e3d4c"},
		Host:    host(),
		Targets: []report.Target{g},
		Window:  report.Window{StartUnix: start, Duration: 30*sec + 4*ms, StoppedBy: "duration", Planned: 30 * sec},
		Totals: report.Totals{
			Calls: 1204, ByKind: map[string]uint64{"mmap": 600, "munmap": 600, "brk": 4},
			MappedBytes: 600 * mib, UnmappedBytes: 600 * mib, MappedCount: 600, UnmappedCount: 600,
			OldBytes: 412 * mib, HeapGrowth: 12 * mib,
		},
		Quality: report.Quality{Events: 1204, Verified: true, LiveBytes: 424 * mib, VerifiedBytes: 424 * mib,
			Checks: 1204, OrderMode: "lock"},
	}
}

// plainLeak is the ordinary case: one path, nothing odd.
func plainLeak() *report.Report {
	r := quiet()
	r.Targets[0] = target()
	t := &r.Totals
	t.Calls, t.ByKind = 3412, map[string]uint64{"mmap": 1716, "munmap": 1695, "brk": 1}
	t.MappedBytes, t.MappedCount = 1716*mib, 1716
	t.UnmappedBytes, t.UnmappedCount = 1695*mib, 1695
	t.OutstandingBytes, t.OutstandingCount = 21*mib, 21
	t.HeapGrowth = 0
	r.Quality.Events, r.Quality.Checks = 3412, 3412
	r.Quality.LiveBytes, r.Quality.VerifiedBytes = 433*mib, 433*mib
	r.Paths = []report.Path{bufferPath()}
	return r
}

// ramp is a level that grows evenly up to top in n steps.
func ramp(top uint64, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = top * uint64(i+1) / uint64(n)
	}
	return out
}

// plateau is a level that grows up to top in a third of n steps, and stays.
func plateau(top uint64, n int) []uint64 {
	out := ramp(top, n/3)
	for len(out) < n {
		out = append(out, top)
	}
	return out
}

func bufferPath() report.Path {
	p := report.Path{
		ID: "9f3ac01b5e77d210", Comm: "imgcache", Call: "mmap",
		Bytes: 21 * mib, Count: 21, MappedBytes: 21 * mib, MappedCount: 21,
		Rate: 21 * mib / 30.0, Oldest: 29*sec + 600*ms, Newest: 400 * ms, Anon: 21 * mib,
		Frames: []stack.Frame{
			lib("mmap"), c("make_buffer", "cache.c", 118), c("load_cache", "cache.c", 140),
			c("handle_request", "server.c", 77), c("main", "main.c", 12),
			lib("__libc_start_call_main"), lib("__libc_start_main@@GLIBC_2.34"), c("_start", "", 0),
		},
	}
	p.Frames[7].File = ""
	p.Verdict = verdict.Verdict{Kind: verdict.Leak, Enough: true, Why: "21 of 21 mappings were never unmapped; the oldest is 29.6 s old, and it went on through the whole window."}
	p.Levels = ramp(21*mib, 60)
	for i := range uint64(21) {
		p.Mappings = append(p.Mappings, report.Mapping{PID: 4242, Start: 0x7f3a00000000 + i*mib,
			End: 0x7f3a00000000 + (i+1)*mib, Live: mib, Age: p.Oldest - event.Time(i)*1460*ms, Kind: "anon"})
	}
	return p
}

// rich has something in every section, hostile names and doubts.
func rich() *report.Report {
	r := plainLeak()
	r.Targets[0].Comm = "img\x1b[31m\xffcache\n"
	r.Totals.Failed = 6
	r.Totals.OutstandingBytes, r.Totals.OutstandingCount = 21*mib+2*mib+768*kib+64*kib, 21+1+3+1+1
	r.Totals.HeapGrowth = 132 * kib
	r.Totals.OldUnmapped = 3 * mib
	q := &r.Quality
	q.Lost, q.Missed, q.Resyncs, q.ExactSince = 12, 6, 1, 12*sec+300*ms
	q.UnexplainedBytes, q.ExtraBytes, q.VerifiedBytes = 5*mib, 64*kib, 433*mib-64*kib
	q.Mismatches, q.StacksMissing, q.StacksTruncated, q.FramesUnresolved, q.Uncertain = 1, 1, 2, 3, 2
	q.Raced = report.Amount{Bytes: 768 * kib, Count: 3}
	q.OrderMode, q.OrderWhy = "calls", "on this kernel every page fault would pay for the exact order"
	r.Paths = append(r.Paths, lambdaPath(), oddPath(), report.Path{Comm: "imgcache", Call: "mmap", ID: "00",
		Bytes: 4 * kib, Count: 1, MappedBytes: 4 * kib, MappedCount: 1, Rate: 136.5,
		Oldest: 14 * sec, Newest: 14 * sec, Anon: 4 * kib,
		Verdict: verdict.Verdict{Kind: verdict.Once, Enough: true, Why: "It mapped once in this window."}})
	for i := range r.Paths {
		r.Paths[i].Comm = r.Targets[0].Comm
	}
	r.Remnants = []report.Remnant{{
		Comm: r.Targets[0].Comm, Left: 2 * mib, Mapped: 8 * mib, Count: 1, Where: "tail",
		Example: report.Mapping{PID: 4242, Start: 0x7f4400000000, End: 0x7f4400800000,
			Live: 2 * mib, Age: 12*sec + 100*ms},
		UnmapStart: 0x7f4400000000, UnmapEnd: 0x7f4400600000,
		MappedAt:   []stack.Frame{lib("mmap"), c("make_buffer", "cache.c", 118), c("main", "main.c", 12)},
		UnmappedAt: []stack.Frame{lib("munmap"), c("drop_buffer", "cache.c", 160), c("main", "main.c", 31)},
	}}
	r.Failures = []report.Failure{
		{Comm: "imgcache", Call: "munmap", Errno: "EINVAL", Count: 4, Example: "munmap(0x7f4400000010, 4096)",
			Why:    "The address is not a multiple of the page size, so nothing was unmapped.",
			Frames: []stack.Frame{lib("munmap"), c("drop_buffer", "cache.c", 160), c("main", "main.c", 31)}},
		{Comm: "imgcache", Call: "mmap", Errno: "ENOMEM", Count: 2,
			Example: "mmap(NULL, 1099511627776, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"},
	}
	r.Released, r.Unlisted = released(), report.Unlisted{Stacks: 2, MappedBytes: 24 * kib, MappedCount: 3, UnmappedBytes: 24 * kib}
	halve(r)
	r.Window.When = "rss>100M: img\x1bcache (4242): rss is 100.2 MiB"
	r.Caveats = []string{"Two frames of libvendor.so.3 have no unwind tables: paths that go through " +
		"it end there."}
	return r
}

// halve gives r a middle: half of the first path was there, all of the others, and
// a part of what is gone.
func halve(r *report.Report) {
	r.HalfTime = r.Window.Duration / 2
	for i := range r.Paths {
		r.Paths[i].Half = report.Amount{Bytes: r.Paths[i].Bytes, Count: r.Paths[i].Count}
	}
	r.Paths[0].Half = report.Amount{Bytes: 10 * mib, Count: 10}
	r.Released[0].Half = report.Amount{Bytes: 3 * mib, Count: 3}
	r.Totals.Half = report.Amount{Bytes: 16 * mib, Count: 18}
}

// released are paths of which nothing is outstanding.
func released() []report.Path {
	return []report.Path{
		{ID: "ab12", Comm: "imgcache", Call: "mmap", MappedBytes: 640 * mib, MappedCount: 640, UnmappedBytes: 640 * mib,
			Frames: []stack.Frame{lib("mmap"), c("make_buffer", "cache.c", 118), c("scratch", "server.c", 91),
				c("handle_request", "server.c", 80), c("main", "main.c", 12)}},
		{ID: "0", Call: "mmap", MappedBytes: 132 * kib, MappedCount: 1},
	}
}

// lambdaPath has the names of C++, files and uncertain mappings.
func lambdaPath() report.Path {
	name := "std::_Function_handler<void (std::vector<std::string, std::allocator<std::string> > const&), " +
		"img::Store::warm(img::Key const&)::{lambda(std::vector<std::string, std::allocator<std::string> > " +
		"const&)#1}>::_M_invoke(std::_Any_data const&, std::vector<std::string> const&)"
	return report.Path{
		ID: "77aa", Call: "mmap", Bytes: 2 * mib, Count: 1, MappedBytes: 40 * mib, MappedCount: 20,
		UnmappedBytes: 38 * mib, Rate: 2 * mib / 30.0, Oldest: 12 * sec, Newest: 12 * sec,
		Anon: mib, File: mib, Shared: mib, Uncertain: 1, Levels: plateau(2*mib, 60),
		Owner:   blockOwner,
		Verdict: verdict.Verdict{Kind: verdict.Cache, Enough: true, Why: "The level is steady: 20 mappings were made and 19 unmapped."},
		Frames: []stack.Frame{
			lib("__GI___mmap64"), lib("sysmalloc_mmap"), lib("malloc"),
			{Function: "img::Store::warm(img::Key const&)::{lambda(int)#1}::operator()(int) const",
				Linkage: "_ZZN3img5Store4warmERKNS_3KeyEENKUliE_clEi", Module: app, Offset: 0x2210,
				File: "/build/imgcache/src/store/warm.cc", Line: 1204, Inlined: true},
			{Function: name, Module: app, Offset: 0x2280, File: "/build/imgcache/src/store/warm.cc", Line: 88},
			{Function: "img::verylongnamespace::AVeryLongTemplateNameWithoutAnyBlankInIt<unsigned,unsigned,img::Traits<unsigned>>::run",
				Module: "/opt/vendor/lib/libverylongvendorlibraryname-2.so.3.1.4", Offset: 0x9999},
			lib("start_thread"),
		},
		Mappings: []report.Mapping{{PID: 4242, Start: 0x7f5000000000, End: 0x7f5000200000, Live: 2 * mib,
			Age: 12 * sec, File: "/srv/data/index 0\n.bin"}},
	}
}

var blockOwner = verdict.Owner{Name: "malloc block", What: "Large blocks of malloc, each with a mapping of its own.",
	Advice: "free unmaps such a block: look for the free that the caller of malloc owes."}

// oddPath has everything that has no proper name.
func oddPath() report.Path {
	return report.Path{
		ID: "c0de", Call: "mremap", Bytes: 768*kib + 60*kib, Count: 3, MappedBytes: 3 * mib, MappedCount: 3,
		Rate: 27.6 * kib, Oldest: 200 * sec, Newest: 850 * ms, Anon: 828 * kib, Levels: ramp(828*kib, 3),
		Verdict: verdict.Verdict{Kind: verdict.Growing, Longer: 100 * sec, Why: "3 of 3 mappings were never unmapped; the oldest is 29.6 s old: too few to be sure."},
		Frames: []stack.Frame{
			{Module: "/opt/vendor/lib/libvendor.so.3", Offset: 0x1234},
			{Function: "vendor; rm -rf / ;\x1b]0;owned\x07", Module: "/opt/vendor/lib/libvendor.so.3", Offset: 0x1300},
			{Module: "[anon:jit-code]", Offset: 0x7f12dead0000},
			{Module: "[anon]", Offset: 0x7f12beef0000},
			{Module: "[vdso]", Offset: 0x7ffc00000a10},
			{},
			{Function: "caf\u00e9::\u202erun", Module: "/tmp/gone.so (deleted)", Offset: 0x10},
			{Function: "read block 12", Module: "/opt/vendor/lib/libvendor.so.3", Offset: 0x99},
		},
	}
}

func interrupted() *report.Report {
	r := plainLeak()
	r.Window.Duration, r.Window.StoppedBy = 2*sec+400*ms, "signal"
	r.Host.MaxMapCount = 220
	r.Paths[0].Oldest, r.Paths[0].Rate = 2*sec+300*ms, 21*mib/2.4
	for i := range r.Paths[0].Mappings {
		r.Paths[0].Mappings[i].Age = r.Paths[0].Oldest - event.Time(i)*95*ms
	}
	return r
}

func exited() *report.Report {
	r := plainLeak()
	r.Targets[0].Ended, r.Targets[0].Mappings, r.Targets[0].Bytes = "killed by SIGKILL", 0, 0
	r.Window.Duration, r.Window.StoppedBy = 8*sec+200*ms, "exit"
	r.Paths[0].Oldest, r.Paths[0].Rate, r.Paths[0].Mappings = 8*sec, 21*mib/8.2, nil
	q := &r.Quality
	q.Verified, q.LiveBytes, q.VerifiedBytes = false, 0, 0
	return r
}

// blind saw nothing outstanding, but lost events.
func blind() *report.Report {
	r := quiet()
	r.Totals.HeapGrowth = 0
	r.Quality.Lost, r.Quality.Verified = 1, false
	r.Quality.LiveBytes, r.Quality.VerifiedBytes = 0, 0
	return r
}

func several() *report.Report {
	r := plainLeak()
	child := report.Target{PID: 4250, Parent: 4242, Comm: "thumbnailer-wrk", Exe: app, Mappings: 90,
		Bytes: 96 * mib, BytesBefore: 98 * mib, Ended: "exited with status 3"}
	r.Targets = append(r.Targets, child, report.Target{PID: 77001, Comm: "imgcache", Exe: app,
		Mappings: 1200, Bytes: 3 << 30, BytesBefore: 3 << 30},
		report.Target{PID: 77010, Parent: 77001, Comm: "convert", Ended: "exited"},
		report.Target{PID: 77010, Use: 2, Parent: 77001, Comm: "convert", Exe: app, Mappings: 80, Bytes: 90 * mib, BytesBefore: 88 * mib})
	p := bufferPath()
	p.ID, p.Comm, p.Frames = "55", "thumbnailer-wrk", p.Frames[:4]
	p.Bytes, p.Count, p.MappedCount = 3*mib, 3, 3
	p.Mappings = p.Mappings[:3]
	for i := range p.Mappings {
		p.Mappings[i].PID = 4250
	}
	r.Paths = append(r.Paths, p)
	r.Totals.OutstandingBytes, r.Totals.OutstandingCount = 24*mib, 24
	r.Failures = []report.Failure{{Comm: "thumbnailer-wrk", Call: "mmap", Errno: "EBADF", Count: 1,
		Example: "mmap(NULL, 4096, PROT_READ, MAP_SHARED, 9, 0)"}}
	r.Totals.Failed = 1
	return r
}
