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
# One TLS stack, and no service's client but EC2's; aws-config brings that of STS.
graph=$(cargo tree --locked --prefix none -e normal,build -p deprovision-ipam-byoasn | cut -d ' ' -f 1,2 | sort -u)
if [ "$(echo "$graph" | grep -c '^\(rustls\|native-tls\|openssl\|boring\|s2n-tls\) ')" -ne 1 ]; then
    echo "the function's graph has not one TLS stack:" >&2
    echo "$graph" | grep '^\(rustls\|native-tls\|openssl\|boring\|s2n-tls\) ' >&2
    exit 1
fi
if echo "$graph" | grep '^aws-sdk-' | grep -v '^aws-sdk-\(ec2\|sts\) '; then
    echo "the function's graph has a client that it does not call" >&2
    exit 1
fi
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
