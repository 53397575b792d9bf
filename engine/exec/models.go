package exec

import "maps"

// models holds every function that is executed without a body, by symbol.
// Intrinsics stand under their name without type suffixes.
var models map[string]model

// The table is filled here, not where it is declared: models call functions that look into it.
func init() {
	models = map[string]model{
		// Written checks: model_check.go.
		"kvfarm_any_u8": anyInt, "kvfarm_any_u16": anyInt, "kvfarm_any_u32": anyInt, "kvfarm_any_u64": anyInt,
		"kvfarm_any_u128": anyInt, "kvfarm_any_usize": anyInt, "kvfarm_any_bool": anyBool,
		"kvfarm_any_bytes": anyBytes, "kvfarm_assume": checkAssume, "kvfarm_assert": checkAssert,

		// Integers: model_int.go.
		"llvm.uadd.with.overflow": laneOverflow, "llvm.sadd.with.overflow": laneOverflow,
		"llvm.usub.with.overflow": laneOverflow, "llvm.ssub.with.overflow": laneOverflow,
		"llvm.umul.with.overflow": laneOverflow, "llvm.smul.with.overflow": laneOverflow,
		"llvm.uadd.sat": laneModel(binaryInt), "llvm.usub.sat": laneModel(binaryInt), "llvm.sadd.sat": laneModel(binaryInt), "llvm.ssub.sat": laneModel(binaryInt),
		"llvm.umin": laneModel(binaryInt), "llvm.umax": laneModel(binaryInt), "llvm.smin": laneModel(binaryInt), "llvm.smax": laneModel(binaryInt),
		"llvm.ctpop": laneModel(unaryInt), "llvm.bswap": laneModel(unaryInt), "llvm.bitreverse": laneModel(unaryInt),
		"llvm.ctlz": laneModel(countZeros), "llvm.cttz": laneModel(countZeros), "llvm.abs": laneModel(absolute),
		"llvm.fshl": laneModel(funnel), "llvm.fshr": laneModel(funnel),
		"llvm.ucmp": laneModel(threeWay), "llvm.scmp": laneModel(threeWay),

		// Vectors: vector.go. The integer models above take them too.
		"llvm.vector.reduce.add": reduce, "llvm.vector.reduce.mul": reduce, "llvm.vector.reduce.and": reduce,
		"llvm.vector.reduce.or": reduce, "llvm.vector.reduce.xor": reduce, "llvm.vector.reduce.smax": reduce,
		"llvm.vector.reduce.smin": reduce, "llvm.vector.reduce.umax": reduce, "llvm.vector.reduce.umin": reduce,

		// Hints: model_hint.go.
		"llvm.assume": assumeHint, "llvm.expect": firstArgument, "llvm.expect.with.probability": firstArgument,
		"llvm.is.constant": anyResult, "llvm.trap": trap, "llvm.donothing": nothing, "llvm.sideeffect": nothing,
		"llvm.experimental.noalias.scope.decl": nothing, "llvm.prefetch": nothing,
		"llvm.lifetime.start": lifetimeStart, "llvm.lifetime.end": lifetimeEnd, "llvm.objectsize": unknownSize,
		"llvm.stacksave": stackSave, "llvm.stackrestore": nothing, "llvm.ptrmask": ptrMask,
		"llvm.launder.invariant.group": firstArgument, "llvm.strip.invariant.group": firstArgument,
		"llvm.threadlocal.address": firstArgument,

		// Memory: model_mem.go.
		"llvm.memcpy": memCopy, "llvm.memcpy.inline": memCopy, "llvm.memmove": memMove, "llvm.memset": memSet, "llvm.memset.inline": memSet,
		"memcpy": memCopy, "memmove": memMove, "memset": memSet, "memcmp": memCompare, "bcmp": memCompare, "strlen": strLen, "memchr": memChr,

		// Allocation: model_alloc.go.
		"kmalloc": allocate, "vmalloc": allocate, "kfree": release, "vfree": release, "kvfree": release,
		"krealloc":                   reallocate,
		"krealloc_node_align_noprof": reallocate, "vrealloc_node_align_noprof": reallocate, "kvrealloc_node_align_noprof": reallocate,
		"rust_helper_krealloc_node_align": reallocate, "rust_helper_vrealloc_node_align": reallocate, "rust_helper_kvrealloc_node_align": reallocate,
		"rust_helper_krealloc": reallocate, "rust_helper_vrealloc": reallocate, "rust_helper_kvrealloc": reallocate, // 6.12
		"rust_helper_kfree": release, "rust_helper_vfree": release, "rust_helper_kvfree": release,

		// C's library where it is not the kernel's: model_libc.go.
		"malloc": cAllocate, "calloc": cZeroed, "realloc": cReallocate, "free": cRelease,
		"abort": trap, "exit": leave, "_exit": leave, "_Exit": leave, "__assert_fail": assertFail,
	}
	maps.Copy(models, kernelModels)   // model_kernel.go
	maps.Copy(models, atomicModels()) // model_atomic.go
	for symbol, first := range formatters {
		models[symbol] = formatting(first)
	}
}
