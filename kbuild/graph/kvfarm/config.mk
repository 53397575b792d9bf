# One run of make, so that its own parts and the tools' versions are found once.
include ../Makefile

kvfarmconfig: outputmakefile scripts_basic
	$(Q)$(MAKE) $(build)=scripts/kconfig defconfig
	$(Q)cat ../kvfarm/fragment >> .config
	$(Q)$(MAKE) $(build)=scripts/kconfig olddefconfig
