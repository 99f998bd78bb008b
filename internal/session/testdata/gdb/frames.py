# Run by gdb: writes thread, time, result and frames of the first COUNT calls of mmap
# that the process makes, one a line, and lets it go.
import gdb, os, time

count = int(os.environ["COUNT"])
out = open(os.environ["FRAMES"], "w")
for command in (
    "set pagination off",
    "set confirm off",
    "set backtrace past-main on",
    "set backtrace past-entry on",
    "set backtrace limit 300",
    "handle all nostop noprint pass",
    "catch syscall 9",
):
    gdb.execute(command, to_string=True)
open(os.environ["READY"], "w").close()
entered = set()
while count > 0:
    try:
        gdb.execute("continue", to_string=True)
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        tid = gdb.selected_thread().ptid[1]
        if int(gdb.parse_and_eval("$orig_rax")) != 9:
            continue
        if tid not in entered:
            entered.add(tid)
            continue
        entered.discard(tid)
        frame, pcs = gdb.newest_frame(), []
        while frame is not None:
            # Inlined calls have no frame of their own, and neither have the tail
            # calls that gdb concludes from debug information.
            if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
                pcs.append("%x" % frame.pc())
            frame = frame.older()
        result = int(gdb.parse_and_eval("$rax")) & (2**64 - 1)
        print(tid, "%x" % now, "%x" % result, *pcs, file=out, flush=True)
        count -= 1
    except gdb.error:
        break
gdb.execute("delete", to_string=True)
gdb.execute("detach", to_string=True)
