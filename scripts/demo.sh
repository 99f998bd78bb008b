#!/bin/bash
# Builds mmtrace, traces a small program that leaks in known ways, and compares
# the report with what the program did. It installs Go if there is none, and
# leaves nothing else behind but Go's caches.
#
#	sudo ./scripts/demo.sh [FLAGS OF mmtrace demo]
set -euo pipefail
[ -e /dev/fd/0 ] || exec </dev/null
# shellcheck source=scripts/prepare.sh
. "$(dirname "$0")/prepare.sh"
trap 'verdict demo' EXIT
trap 'exit 130' INT TERM

if ! is_root; then
	say "tracing takes root: sudo $0"
	exit 4
fi
say "this needs Go (1.21 or newer) and certificates to fetch Go modules"
want - ca-certificates ca-certificates
install_wanted
find_go

dir=$(mktemp -d)
undo rm -rf "$dir"
say "building"
(cd "$root" && CGO_ENABLED=0 go build -trimpath -o "$dir/mmtrace" ./cmd/mmtrace)
say "running: mmtrace demo $*"
"$dir/mmtrace" demo "$@"
