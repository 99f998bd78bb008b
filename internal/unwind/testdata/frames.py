# Run by gdb: writes the frames of every getppid of the process, one call a line.
import gdb, os

out = open(os.environ["FRAMES"], "w")
for command in (
    "set pagination off",
    "set confirm off",
    "set backtrace past-main on",
    "set backtrace limit 300",
    "handle SIGUSR1 nostop noprint pass",
    "catch syscall 110",
):
    gdb.execute(command, to_string=True)
open(os.environ["READY"], "w").close()
while True:
    try:
        gdb.execute("continue", to_string=True)
        if int(gdb.parse_and_eval("$orig_rax")) != 110 or int(gdb.parse_and_eval("$rax")) != -38:
            continue
        frame, pcs = gdb.newest_frame(), []
        while frame is not None:
            # Inlined calls have no frame of their own, and neither have the tail
            # calls that gdb concludes from debug information.
            if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
                pcs.append("%x" % frame.pc())
            frame = frame.older()
        print(*pcs, file=out, flush=True)
    except gdb.error:
        break
