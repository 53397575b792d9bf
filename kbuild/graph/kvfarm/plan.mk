include ../Makefile

PHONY += kvfarm-plan kvfarm-target

# Of scripts/ the target specification alone is needed, where the architecture
# has one: others name a target that rustc knows.
kvfarm-target: scripts_basic include/config/auto.conf
	$(if $(filter --target=%/scripts/target.json, $(KBUILD_RUSTFLAGS)), $(Q)$(MAKE) $(build)=scripts scripts/target.json)

prepare0: kvfarm-target

kvfarm-plan: prepare
	$(Q)$(MAKE) -f ../kvfarm/objects.mk obj=.
	$(Q)$(MAKE) -f ../kvfarm/objects.mk obj=kvfarm/check
