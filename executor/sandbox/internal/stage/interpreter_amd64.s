#include "textflag.h"

// The numbers of format.go, and of system calls.
#define CONTROL 3
#define BASE $0x200000000
#define FAILED 0
#define ERRNO 8
#define PID 24
#define ON_FAILURE 176
#define KIND 0
#define CALL_NUMBER 8
#define STORE 64
#define IGNORE 72
#define JUMP 80
#define SIZE 88
#define READ $0
#define MMAP $9
#define EXIT_GROUP $231

// The interpreter is copied into an executable of its own and starts there: nothing but
// registers is set, and it must not refer to anything else of this program.
// It uses no stack, for threads and children share it with their parent.
TEXT interpreter<>(SB),NOSPLIT|NOFRAME,$0-0
	XORQ R12, R12        // not a child
	LEAQ -16(SP), SI     // the two words, for now
	MOVQ $16, BX
	XORQ R13, R13        // the first step, once it is known

fill: // reads BX bytes to SI
	MOVQ READ, AX
	MOVQ $CONTROL, DI
	MOVQ BX, DX
	SYSCALL
	TESTQ AX, AX
	JLE  gone
	ADDQ AX, SI
	SUBQ AX, BX
	JNE  fill
	TESTQ R13, R13
	JNE  next

	MOVQ -16(SP), BX
	MOVQ -8(SP), R13
	MOVQ MMAP, AX
	MOVQ BASE, DI
	MOVQ BX, SI
	MOVQ $3, DX          // PROT_READ | PROT_WRITE
	MOVQ $0x100022, R10  // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
	MOVQ $-1, R8
	XORQ R9, R9
	SYSCALL
	MOVQ AX, SI
	JMP  fill            // where read fails if mmap did

next:
	MOVQ CALL_NUMBER(R13), AX
	MOVQ 16(R13), DI
	MOVQ 24(R13), SI
	MOVQ 32(R13), DX
	MOVQ 40(R13), R10
	MOVQ 48(R13), R8
	MOVQ 56(R13), R9
	SYSCALL
	CMPQ AX, $-4095
	JCC  failed
	MOVQ STORE(R13), BX
	TESTQ BX, BX
	JEQ  stored
	MOVL AX, (BX)

stored:
	MOVQ KIND(R13), BX
	CMPQ BX, $1
	JEQ  fork
	CMPQ BX, $2
	JEQ  wait
	CMPQ BX, $3
	JEQ  thread
	CMPQ BX, $4
	JEQ  drain
	CMPQ BX, $5
	JEQ  jump

advance:
	ADDQ $SIZE, R13
	JMP  next

fork:
	TESTQ AX, AX
	JNE  advance
	MOVQ $1, R12

thread:
	TESTQ AX, AX
	JNE  advance

jump:
	MOVQ JUMP(R13), R13
	JMP  next

wait:
	MOVQ BASE, BX
	CMPL PID(BX), AX
	JEQ  advance
	JMP  next

drain:
	TESTQ AX, AX
	JEQ  advance
	JMP  next

failed:
	NEGQ AX
	MOVQ AX, DX
	CMPQ DX, $63
	JLS  known
	MOVQ $63, DX

known:
	MOVQ IGNORE(R13), BX
	BTQ  DX, BX
	JCS  jump
	MOVQ BASE, BX
	CMPQ FAILED(BX), $0
	JNE  gone            // this is what is to be done on failure
	MOVQ R13, FAILED(BX)
	MOVQ AX, ERRNO(BX)
	TESTQ R12, R12
	JNE  gone
	MOVQ ON_FAILURE(BX), R13
	JMP  next

gone:
	MOVQ EXIT_GROUP, AX
	MOVQ $1, DI
	SYSCALL
	JMP  gone
	QUAD $0x656874666f646e65 // "endofthe"
	QUAD $0x2e6d6172676f7270 // "program.", which Text looks for
	RET

// func code() uintptr
TEXT ·code(SB),NOSPLIT,$0-8
	LEAQ interpreter<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET
