# Gives each symbol an address of its own in a range that is never mapped, and
# lists their names in the same order. What harness.c defines wins over these.
{
	print ".weak " $1
	printf ".set %s, 0x%x\n", $1, 1879048192 + (NR - 1) * 4096
	names = names ".asciz \"" substr($1, 3) "\"\n" # without k_
}
END {
	print ".section .rodata\n.globl kvfarm_missing_names\nkvfarm_missing_names:"
	printf "%s", names
	print ".asciz \"\"\n.section .note.GNU-stack,\"\",@progbits"
}
