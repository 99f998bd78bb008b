#!/bin/sh
# Fetches libraries of Debian's arm64 packages into DIR, for TestReadelf:
#
#	testdata/arm64.sh DIR && MMTRACE_ELF_FILES=DIR go test -run Readelf
#
# apt works in a state of its own; that of the machine stays as it is.
set -eu
dir=${1:?usage: arm64.sh DIR}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/deb" "$work/parts"
cp /etc/apt/sources.list.d/debian.sources "$work/parts/"
cat >"$work/apt.conf" <<END
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Dir::State "$work/state";
Dir::State::status "/dev/null";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/parts";
END
export APT_CONFIG="$work/apt.conf"
apt-get -q update >&2
cd "$work/deb"
apt-get -q download libc6:arm64 libstdc++6:arm64 libssl3:arm64 redis-tools:arm64 >&2
for deb in *.deb; do
	dpkg-deb -x "$deb" "$work/root"
done
find "$work/root" -type f \( -name 'libc.so.6' -o -name 'ld-linux-aarch64.so.1' -o -name 'libstdc++.so.6*' \
	-o -name 'libcrypto.so.3' -o -name 'libssl.so.3' -o -name 'redis-check-rdb' \) ! -path '*gdb*' -exec cp {} "$dir/" \;
ls "$dir"
