#!/bin/sh
# The function's dependency graph, held to what was chosen: a feature that some crate switches on
# can bring back HTTP/2, a second TLS stack (3 MB, open advisories), or compile the EC2 SDK twice.
set -eu
for crate in aws-smithy-http-client hyper@0.14 h2 rustls@0.21 ring openssl-sys aws-sdk-sso aws-sdk-ssooidc regex regex-automata; do
    if cargo tree --locked -e normal,build -p deprovision-ipam-byoasn -i "$crate" 2>/dev/null | grep .; then
        echo "the function's graph has $crate" >&2
        exit 1
    fi
done
# The same features with the tests and stand-ins as without them, for every crate that ships.
features() { cargo tree --locked --prefix none -f '{p} {f}' "$@" | sed 's/ (\*)$//' | sort -u; }
shipped=$(mktemp)
all=$(mktemp)
trap 'rm -f "$shipped" "$all"' EXIT
features -e normal,build -p deprovision-ipam-byoasn >"$shipped"
features -e normal,build,dev --workspace >"$all"
if comm -23 "$shipped" "$all" | grep .; then
    echo "these crates are compiled again for the tests, with other features" >&2
    exit 1
fi
