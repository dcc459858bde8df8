#!/bin/sh
# Checks the crates against RustSec's advisories: check-advisories.sh CARGO-DENY
#
# The advisory database is a Git repository. If it cannot be reached, the check is skipped with a warning.
set -u
if ! reason=$("$1" fetch db 2>&1); then
    printf '%s\n' "$reason" >&2
    cat >&2 <<'END'
************************************************************************
*  ADVISORIES WERE NOT CHECKED: their database cannot be reached.      *
*  Run `make lint-crates` on another machine before a release.         *
************************************************************************
END
    exit 0
fi
exec "$1" --locked --workspace check --disable-fetch advisories
