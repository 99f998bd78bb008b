/* A 32-bit program without a C library, so that no 32-bit one is needed: every
 * 10 ms it maps 64 KiB. Its calls are those of the i386 table.
 */
__asm__(".globl _start\n"
	"_start:\n"
	"	movl $192, %eax\n" /* mmap2 */
	"	xorl %ebx, %ebx\n"
	"	movl $65536, %ecx\n"
	"	movl $3, %edx\n"
	"	movl $0x22, %esi\n"
	"	movl $-1, %edi\n"
	"	xorl %ebp, %ebp\n"
	"	int $0x80\n"
	"	pushl $10000000\n"
	"	pushl $0\n"
	"	movl $162, %eax\n" /* nanosleep */
	"	leal (%esp), %ebx\n"
	"	xorl %ecx, %ecx\n"
	"	int $0x80\n"
	"	addl $8, %esp\n"
	"	jmp _start\n");
