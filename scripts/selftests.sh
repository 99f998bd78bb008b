#!/bin/sh
# Builds the kernel's own memory tests (tools/testing/selftests/mm) and prints
# the directory that holds them.
#
#	scripts/selftests.sh [DIR]
#
# The source is Debian's package linux-source-6.12, fetched with apt-get and
# unpacked without being installed. Everything stays under DIR, by default
# mmtrace/selftests in the user's cache directory; what is already there is not
# built again. Tests that need what this machine lacks are left out, with a line
# on stderr.
set -eu

version=6.12
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/mmtrace/selftests}
out=$dir/mm
if [ -f "$out/.complete" ]; then
	echo "$out"
	exit 0
fi

mkdir -p "$dir/deb" "$out"
cd "$dir"
if [ ! -d "linux-source-$version" ]; then
	(
		cd deb
		apt-get -q download "linux-source-$version" >&2
		dpkg-deb --fsys-tarfile "linux-source-$version"_*.deb |
			tar -xO "./usr/src/linux-source-$version.tar.xz" >source.tar.xz
	)
	# What "make headers" and the tests read, not the whole 1.5 GB.
	s=linux-source-$version
	tar -xJf deb/source.tar.xz "$s/Makefile" "$s/Kbuild" "$s/Kconfig" "$s/scripts" \
		"$s/include" "$s/arch/x86" "$s/arch/arm64" "$s/usr/include" "$s/mm/gup_test.h" \
		"$s/tools/include" "$s/tools/arch" "$s/tools/scripts" \
		"$s/tools/testing/selftests" >&2
	rm -f deb/source.tar.xz deb/*.deb
fi

src=$dir/linux-source-$version
[ -d "$src/usr/include/linux" ] || make -C "$src" headers >"$dir/headers.log" 2>&1 || {
	tail -n 20 "$dir/headers.log" >&2
	echo "selftests: building the kernel's headers in $src" >&2
	exit 1
}

mm=$src/tools/testing/selftests/mm
cflags="-O2 -g -w -D_GNU_SOURCE= -I$mm/.. -isystem $src/usr/include -I$src/tools/include/uapi -I$src"
built=0
# local_config.h says which optional libraries there are: none.
[ -f "$mm/local_config.h" ] || : >"$mm/local_config.h"
for c in "$mm"/*.c; do
	name=$(basename "$c" .c)
	case $name in
	vm_util | thp_settings | uffd-common | pkey_util) continue ;;
	esac
	[ -x "$out/$name" ] && built=$((built + 1)) && continue
	extra="$mm/vm_util.c $mm/thp_settings.c"
	case $name in
	uffd-*) extra="$extra $mm/uffd-common.c" ;;
	pkey* | protection_keys)
		[ ! -f "$mm/pkey_util.c" ] || extra="$extra $mm/pkey_util.c"
		[ "$(uname -m)" != x86_64 ] || extra="-mxsave $extra"
		;;
	esac
	# shellcheck disable=SC2086 # the flags are words
	if gcc $cflags "$c" $extra -o "$out/$name" -lpthread -lrt -lm 2>"$out/$name.log"; then
		rm -f "$out/$name.log"
		built=$((built + 1))
	else
		echo "selftests: $name does not build here: $(grep -m1 -E 'error|undefined' "$out/$name.log")" >&2
	fi
done
if [ "$built" -lt 20 ]; then
	echo "selftests: only $built programs were built in $out" >&2
	exit 1
fi
: >"$out/.complete"
echo "$out"
