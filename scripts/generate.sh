#!/bin/bash
# Compiles the BPF programs and writes the Go files that embed them. The result
# is committed, so that "go install" needs no compiler.
#
#	scripts/generate.sh            write internal/probe/bpf_*
#	scripts/generate.sh --check    only compare, byte for byte
#
# The committed files come from clang 19.1 and the libbpf headers of Debian 12;
# others may give other bytes that do the same.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "$0")/prepare.sh"
trap undo_all EXIT

case ${1-} in
'' | --check) ;;
*)
	sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
find_go
for tool in clang-19 llvm-strip-19; do
	if ! have "$tool"; then
		say "$tool is missing: install clang-19, llvm-19 and libbpf-dev (Fedora: clang19, llvm19, libbpf-devel)"
		exit 1
	fi
done

if [ "${1-}" != --check ]; then
	cd "$root"
	go generate ./...
	exit
fi
copy=$(mktemp -d)
undo rm -rf "$copy"
tar -C "$root" --exclude=./.git -cf - . | tar -C "$copy" -xf -
(cd "$copy" && go generate ./...)
changed=0
while IFS= read -r file; do
	if ! cmp "$root/$file" "$copy/$file" >&2; then
		changed=1
	fi
done < <(cd "$copy" && find . -name '*_bpfe[lb].*')
if [ "$changed" != 0 ]; then
	say "the committed files are not what $(clang-19 --version | head -n 1) makes of bpf/; run scripts/generate.sh"
	exit 1
fi
say "the committed files are what clang makes of bpf/"
