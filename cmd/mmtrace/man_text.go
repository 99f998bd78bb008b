package main

// What the manual page says beyond the command tree.

const manDescription = `
The report goes to standard output, everything else to standard error.
Its first lines are the answer: whether a call path leaks, where, how much and
how fast, why mmtrace thinks so, how sure that is, and what to do next.
Sizes take the units K, M, G and T, which are powers of 1024.
Times take the units ms, s, m and h; a bare number is in seconds.`

const manConditions = `
What --fail-on compares, by >, >=, <, <= or =, with a number or a size:`

var manSignals = [][2]string{
	{"SIGINT, SIGTERM", `The first one ends the window: mmtrace prints the report of
what it has seen and exits with 0. The second one ends mmtrace without a report.
After -- COMMAND the first one goes to the command, and the window ends with it.`},
	{"SIGUSR1", "Print a report of the window so far, and go on."},
}

var manEnvironment = [][2]string{
	{"NO_COLOR", "If it is not empty, output has no colours unless --color asks for them."},
	{"CLICOLOR_FORCE", "If it is neither empty nor 0, output has colours even if it is no terminal."},
	{"TERM", "If it is dumb, output has no colours."},
	{"COLUMNS", "How wide reports are, in place of the terminal's width."},
	{"DEBUGINFOD_URLS", `Servers of debug information, with spaces between them. Without
it nothing is downloaded.`},
	{"DEBUGINFOD_TIMEOUT", "How long downloads may take, in seconds. The default is 30."},
	{"DEBUGINFOD_CACHE_PATH", "The directory that keeps what was downloaded."},
	{"XDG_CACHE_HOME", "Where that directory is by default: mmtrace/debuginfod in it."},
	{"HOME", "The same, if there is no XDG_CACHE_HOME: .cache/mmtrace/debuginfod in it."},
	{"SUDO_UID, SUDO_GID", "Who called sudo(8). A command after -- runs as this user, unless --as-root is set."},
}

var manFiles = [][2]string{
	{"/sys/kernel/btf/vmlinux", "Types of the running kernel. Tracing needs it."},
	{"/proc/PID/maps", "The kernel's own map, which the report is compared with."},
	{"/usr/lib/debug", "Where debug information is looked for, besides the files themselves."},
	{"/tmp/perf-PID.map", "Names of generated code, if the process's runtime writes it."},
}

const manPrivileges = `
Tracing takes root, or cap_bpf, cap_perfmon and cap_sys_ptrace (capabilities(7)).
"mmtrace doctor" says what is missing.
Reports from recordings take no privileges.`

const manExamples = `
The text of a report is for people; -o makes others of the same window.`

const manSeeAlso = `\fBperf\-trace\fR(1), \fBpmap\fR(1), \fBstrace\fR(1), \fBmmap\fR(2), \fBproc\fR(5), \fBcapabilities\fR(7)`
