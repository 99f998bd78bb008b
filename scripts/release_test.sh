#!/bin/bash
# Makes a release twice, in two directories and two environments, compares the
# bytes, and installs each package where there is nothing else: an empty
# directory, with /proc and /sys.
#
#	sudo scripts/release_test.sh           for this machine, with Go's cache
#	sudo scripts/release_test.sh --full    for all machines, the second time
#	                                       without a cache; and in a fresh Debian
#
# CI=true makes a check that cannot run a failure.
set -euo pipefail
[ -e /dev/fd/0 ] || exec </dev/null
# shellcheck source=scripts/prepare.sh
. "$(dirname "$0")/prepare.sh"
trap undo_all EXIT
trap 'exit 130' INT TERM

full=
case ${1-} in
'') ;;
--full) full=yes ;;
*)
	sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
find_go
tmp=$(mktemp -d)
undo rm -rf --one-file-system "$tmp"
arch=$(go env GOARCH)

fail() {
	echo "FAIL: $*"
	exit 1
}

# need reports whether a command is there; in CI it has to be.
need() {
	have "$1" && return
	[ "${CI-}" != true ] || fail "$1 is missing"
	echo "not tried, $1 is missing: $2"
	return 1
}

# same compares all of what was printed.
same() { # WHAT WANT GOT
	[ "$2" = "$3" ] || fail "$1:"$'\n'"$(diff <(echo "$2") <(echo "$3"))"
	echo "ok   $1"
}

# ---- two runs

flags=()
[ -n "$full" ] || flags=(-a "$arch")
"$root/scripts/release" "${flags[@]}" -o "$tmp/one" >/dev/null

mkdir "$tmp/elsewhere"
tar -C "$root" --exclude=./dist -cf - . | tar -C "$tmp/elsewhere" -xf -
(
	# What must not matter: where, when, how others' files look, and settings of Go.
	umask 077
	export TZ=Asia/Tokyo LANG=C.UTF-8 GOAMD64=v3 GOARM64=v8.2 GOFLAGS=-race CGO_ENABLED=1
	if [ -n "$full" ]; then
		GOMODCACHE=$(go env GOMODCACHE)
		export GOMODCACHE GOCACHE=$tmp/cache
	fi
	"$tmp/elsewhere/scripts/release" "${flags[@]}" -o "$tmp/two" >/dev/null
)
same "two runs give the same bytes" "$(cat "$tmp/one/SHA256SUMS")" "$(cat "$tmp/two/SHA256SUMS")"
rm -rf "$tmp/cache" "$tmp/elsewhere"
(cd "$tmp/one" && sha256sum --quiet -c SHA256SUMS) || fail "SHA256SUMS"

one() { # PATTERN
	local files
	mapfile -t files < <(find "$tmp/one" -name "$1")
	[ ${#files[@]} = 1 ] || fail "${#files[@]} files are called $1"
	echo "${files[0]}"
}
case $arch in
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
esac
deb=$(one "*_$arch.deb") rpm=$(one "*.$machine.rpm") image=$(one "*_$arch.oci.tar") archive=$(one "*_$arch.tar.gz")

# ---- the archive

mkdir "$tmp/archive"
tar -C "$tmp/archive" --strip-components=1 -xf "$archive"
bin=$tmp/archive/mmtrace
version=$("$bin" version)
case $version in
"mmtrace v"*" (commit $(git -C "$root" -c safe.directory='*' rev-parse HEAD), $(cd "$root" && go env GOVERSION), linux/$arch)") ;;
*) fail "the version is $version" ;;
esac
echo "ok   $version"
! readelf -lW "$bin" | grep -E 'INTERP|DYNAMIC' || fail "the binary is not static"
if grep -aq -e "$root" -e "$tmp" -e "$(go env GOMODCACHE)" "$bin"; then
	fail "the binary names directories of the machine that built it"
fi
echo "ok   the binary is static and names no directory of this machine"

# ---- what packages install

# contents lists an installation, without documentation's changelogs.
contents() { (cd "$1" && find usr ! -type d | sort); }

try_in() { # ROOT: what works there without anything else
	same "version in $(basename "$1")" "$version" "$(chroot "$1" /usr/bin/mmtrace version)"
}

mounted() { # ROOT
	mkdir -p "$1/proc" "$1/sys" "$1/tmp"
	mount -t proc proc "$1/proc"
	undo umount "$1/proc"
	mount --rbind /sys "$1/sys"
	mount --make-rslave "$1/sys"
	undo umount -R "$1/sys"
}

manual() { # FILE.gz
	same "mandoc has no warning" "" "$(zcat "$1" | mandoc -T lint -W warning 2>&1)"
	cp "$1" "$tmp"
	same "man has no warning" "" "$(MANROFFOPT=-ww man --warnings=all -E UTF-8 -l "$tmp/mmtrace.1.gz" 2>&1 >/dev/null)"
	same "the index has it" \
		"mmtrace (1) - find what maps memory and never unmaps it" \
		"$(mkdir -p "$tmp/man/man1" && cp "$1" "$tmp/man/man1" && mandb -q "$tmp/man" && whatis -M "$tmp/man" mmtrace | sed 's/  */ /g')"
}

wanted=--max-size

bash_completes() { # FILE
	same "bash completes" "$wanted" "$(PATH=$usr/bin:$PATH bash --norc -c '
		. /usr/share/bash-completion/bash_completion
		. "$1"
		COMP_WORDS=(mmtrace --max-s) COMP_CWORD=1 COMP_LINE="mmtrace --max-s" COMP_POINT=15 COMP_TYPE=9
		__start_mmtrace 2>/dev/null # compopt(1) takes a shell with a user
		printf "%s\n" "${COMPREPLY[@]%% *}"' bash "$1" 2>&1)"
}

zsh_completes() { # DIRECTORY
	same "zsh completes" "_mmtrace"$'\n'"_mmtrace: function" "$(zsh -f -c '
		fpath=($1 $fpath)
		autoload -U compinit && compinit -u -D && autoload +X _mmtrace
		print $_comps[mmtrace] && whence -w _mmtrace' zsh "$1" 2>&1)"
}

fish_completes() { # FILE
	# shellcheck disable=SC2016 # $argv is fish's
	same "fish completes" "$wanted" "$(PATH=$usr/bin:$PATH HOME=$tmp fish --no-config -c 'source $argv[1]; complete -C "mmtrace --max-s"' "$1" 2>&1 | cut -f 1)"
}

usr=$tmp/deb/usr
install_deb() {
	mkdir -p "$tmp/deb/var/lib/dpkg"
	touch "$tmp/deb/var/lib/dpkg/status"
	dpkg --root="$tmp/deb" --log=/dev/null --force-script-chrootless -i "$deb" >"$tmp/log" 2>&1 || fail "dpkg: $(cat "$tmp/log")"
	same "the deb installs" "usr/bin/mmtrace
usr/share/bash-completion/completions/mmtrace
usr/share/doc/mmtrace/CHANGELOG.md.gz
usr/share/doc/mmtrace/changelog.gz
usr/share/doc/mmtrace/copyright
usr/share/fish/vendor_completions.d/mmtrace.fish
usr/share/lintian/overrides/mmtrace
usr/share/man/man1/mmtrace.1.gz
usr/share/zsh/vendor-completions/_mmtrace" "$(contents "$tmp/deb")"
	same "the deb is complete" "" "$(dpkg --root="$tmp/deb" --verify mmtrace)"
}

install_rpm() {
	mkdir "$tmp/rpm"
	rpm --root "$tmp/rpm" --initdb
	rpm --root "$tmp/rpm" --nosignature -i "$rpm" >"$tmp/log" 2>&1 || fail "rpm: $(cat "$tmp/log")"
	same "the rpm installs" "usr/bin/mmtrace
usr/share/bash-completion/completions/mmtrace
usr/share/doc/mmtrace/CHANGELOG.md.gz
usr/share/doc/mmtrace/copyright
usr/share/fish/vendor_completions.d/mmtrace.fish
usr/share/man/man1/mmtrace.1.gz
usr/share/zsh/site-functions/_mmtrace" "$(contents "$tmp/rpm" | grep -v -e ^usr/lib)"
	same "the rpm is complete" "" "$(rpm --root "$tmp/rpm" -V mmtrace)"
}

# The tests of scripts/packaging have other tools read the image; its layer is a
# root directory.
install_image() {
	mkdir "$tmp/layout" "$tmp/image"
	tar -C "$tmp/layout" -xf "$image"
	local layer
	layer=$(sed -n 's/.*"Layers":\["\([^"]*\)"\].*/\1/p' "$tmp/layout/manifest.json")
	tar -C "$tmp/image" -xf "$tmp/layout/$layer"
	same "the image holds" $'usr/bin/mmtrace\nusr/share/doc/mmtrace/copyright' "$(contents "$tmp/image")"
}

# traces lets an installed mmtrace show that it works.
traces() { # ROOT
	chroot "$1" /usr/bin/mmtrace doctor >"$tmp/log" 2>&1 || fail "doctor: $(cat "$tmp/log")"
	same "doctor in $(basename "$1")" "mmtrace can trace here." "$(tail -n 1 "$tmp/log")"
	chroot "$1" /usr/bin/mmtrace demo >"$tmp/log" 2>&1 || fail "demo: $(cat "$tmp/log")"
	echo "ok   demo in $(basename "$1"): $(grep '^found ' "$tmp/log")"
}

# fresh_debian installs the deb as a user would, and removes it.
fresh_debian() {
	local at=$tmp/debian mirror
	# shellcheck disable=SC2016 # $(REPO_URI) is apt's
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -v security | head -n 1)
	quietly debootstrap --variant=minbase "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$at" "$mirror"
	mounted "$at"
	cp "$deb" "$at/tmp"
	before=$(cd "$at" && find etc usr | sort)
	quietly chroot "$at" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y "/tmp/$(basename "$deb")"
	# A minimal Debian leaves out documentation and keeps copyright files.
	try_in "$at"
	traces "$at"
	quietly chroot "$at" env DEBIAN_FRONTEND=noninteractive apt-get -q purge -y mmtrace
	same "nothing is left of it" "$before" "$(cd "$at" && find etc usr | sort)"
}

fresh_dnf() {
	quietly dnf -q -y --installroot="$tmp/dnf" --releasever=1 --disablerepo='*' --nogpgcheck --nodocs install "$rpm"
	try_in "$tmp/dnf"
}

(cd "$root/scripts/packaging" && GOFLAGS='' go vet . && GOFLAGS='' go test -count=1 .)
if ! is_root; then
	[ "${CI-}" != true ] || fail "installing takes root"
	echo "not tried without root: the packages"
	exit
fi
if need dpkg "the deb"; then
	install_deb
	try_in "$tmp/deb"
	if need mandoc "the manual page" && need man "the manual page"; then manual "$usr/share/man/man1/mmtrace.1.gz"; fi
	if [ -e /usr/share/bash-completion/bash_completion ]; then bash_completes "$usr/share/bash-completion/completions/mmtrace"; fi
	if need zsh "completion in zsh"; then zsh_completes "$usr/share/zsh/vendor-completions"; fi
	if need fish "completion in fish"; then fish_completes "$usr/share/fish/vendor_completions.d/mmtrace.fish"; fi
	mounted "$tmp/deb"
	traces "$tmp/deb"
	if [ -n "$full" ] && need debootstrap "the deb in a fresh Debian"; then fresh_debian; fi
	if [ -n "$full" ] && need lintian "lintian"; then
		# MAINTAINER was not set.
		same "lintian" "" "$(lintian --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$deb" 2>/dev/null)"
	fi
fi
if need rpm "the rpm"; then
	install_rpm
	try_in "$tmp/rpm"
	if [ -n "$full" ] && need dnf "the rpm by dnf"; then fresh_dnf; fi
fi
install_image
try_in "$tmp/image"
if [ -n "$full" ]; then
	mounted "$tmp/image"
	traces "$tmp/image"
fi
