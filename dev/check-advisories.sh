#!/bin/sh
# The crates that ship and those of the tests against RustSec's advisories. Their database is a Git repository: where it
# cannot be reached this check is skipped, and says so where nobody can miss it; a finding always fails.
#
# Usage: check-advisories.sh CARGO-DENY
set -u
if ! reason=$("$1" fetch db 2>&1); then
    printf '%s\n' "$reason" >&2
    cat >&2 <<'END'
******************************************************************************
*  ADVISORIES WERE NOT CHECKED: their database cannot be reached from here.  *
*  Run `make lint-crates` where it can, before anything is released.         *
******************************************************************************
END
    exit 0
fi
exec "$1" --locked --workspace check --disable-fetch advisories
