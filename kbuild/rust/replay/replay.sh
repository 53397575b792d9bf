#!/bin/sh
# replay.sh CHECK INPUTS FILE.bc...: links the bitcode, makes a program of the
# function CHECK, and runs it with INPUTS. The first line of the output is that
# of harness.c and says how the run ended; whatever it says, the replay has then
# succeeded, with exit code 0. 2 says that no program could be made.
set -eu
check=$1 inputs=$2 passes=
shift 2
. "$(dirname "$0")/build.sh"
run "$inputs"
