# Descends as kbuild does, but only into folders that are there, and makes only
# those enabled objects that have a Rust source.
__kvfarm:

include $(srctree)/scripts/Makefile.build

kvfarm-objects := $(sort $(filter-out %/, $(real-obj-y) $(real-obj-m) $(lib-y) $(lib-m)))
kvfarm-sources := $(wildcard $(patsubst %.o, $(srctree)/%.rs, $(kvfarm-objects)))
kvfarm-dirs := $(foreach d, $(filter-out rust, $(subdir-ym)), \
	$(if $(wildcard $(srctree)/$d/Makefile $(srctree)/$d/Kbuild), kvfarm-in-$d))

PHONY += __kvfarm $(kvfarm-dirs)

__kvfarm: $(patsubst $(srctree)/%.rs, %.ll, $(kvfarm-sources)) $(kvfarm-dirs)
	@:

$(kvfarm-dirs): kvfarm-in-%:
	$(Q)$(MAKE) -f ../kvfarm/objects.mk obj=$* need-builtin=1 need-modorder=1
