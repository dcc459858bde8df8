#!/bin/sh
# Checks the function's dependency graph. A feature that another crate enables can add HTTP/2, a second TLS stack or a second
# cryptography library to the function, or compile the EC2 SDK twice.
set -eu
for crate in aws-smithy-http-client hyper@0.14 h2 rustls@0.21 aws-lc-sys openssl-sys aws-sdk-sso aws-sdk-ssooidc regex regex-automata; do
    if cargo tree --locked -e normal,build -p deprovision-ipam-byoasn -i "$crate" 2>/dev/null | grep .; then
        echo "the function must not depend on $crate" >&2
        exit 1
    fi
done
graph=$(cargo tree --locked --prefix none -e normal,build -p deprovision-ipam-byoasn | cut -d ' ' -f 1,2 | sort -u)
if [ "$(echo "$graph" | grep -c '^\(rustls\|native-tls\|openssl\|boring\|s2n-tls\) ')" -ne 1 ]; then
    echo "the function must have exactly one TLS stack:" >&2
    echo "$graph" | grep '^\(rustls\|native-tls\|openssl\|boring\|s2n-tls\) ' >&2
    exit 1
fi
# aws-config depends on the client of STS; none of it is linked.
if echo "$graph" | grep '^aws-sdk-' | grep -v '^aws-sdk-\(ec2\|sts\) '; then
    echo "the function must have no client of another service" >&2
    exit 1
fi
# Below the EC2 SDK, the tests must enable no feature that the function does not: it would be compiled once more.
below_sdk() {
    cargo tree --locked --prefix depth --no-dedupe -f ' {p} {f}' "$@" |
        awk '$2 == "aws-sdk-ec2" { top = $1 + 0; inside = 1; sub(/^[0-9]+ /, ""); print; next }
             inside && $1 + 0 > top { sub(/^[0-9]+ /, ""); print; next }
             { inside = 0 }' | sort -u
}
shipped=$(mktemp)
tested=$(mktemp)
trap 'rm -f "$shipped" "$tested"' EXIT
below_sdk -e normal,build -p deprovision-ipam-byoasn >"$shipped"
below_sdk -e normal,build,dev --workspace >"$tested"
grep -q '^aws-sdk-ec2 ' "$shipped"
if diff "$shipped" "$tested"; then :; else
    echo "the tests enable other features below aws-sdk-ec2 than the function" >&2
    exit 1
fi
