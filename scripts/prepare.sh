# shellcheck shell=bash
# What demo.sh, test.sh and generate.sh share: packages, Go, and leaving the
# machine as it was found. It is sourced, and changes nothing by itself.
#
#	want COMMAND DEBIAN FEDORA   notes a package; "-" where there is none
#	install_wanted               says what it will install, and installs it
#	find_go                      puts a suitable Go into PATH, or explains
#	undo COMMAND...              runs at the end, last one first
#	verdict NAME                 prints the last line; for "trap ... EXIT"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '== %s\n' "$*" >&2; }

# have reports whether a command is in PATH, or where sudo's PATH may not reach.
have() { PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" = 0 ]; }

undos=()
undo() { undos+=("$(printf '%q ' "$@")"); }

undo_all() {
	local i
	for ((i = ${#undos[@]} - 1; i >= 0; i--)); do
		eval "${undos[i]}" || say "not undone: ${undos[i]}"
	done
	undos=()
}

# verdict undoes what is to be undone and prints how it went. Its status is that
# of the command before it, so it comes first in the trap.
verdict() {
	local code=$?
	trap - EXIT
	undo_all
	if [ "$code" = 0 ]; then
		echo "PASS: $1, $SECONDS s, exit code 0"
	else
		echo "FAIL: $1, $SECONDS s, exit code $code"
	fi
	exit "$code"
}

# ---- packages

# manager prints apt or dnf, or nothing where there is neither.
manager() {
	if have apt-get; then
		echo apt
	elif have dnf; then
		echo dnf
	fi
}

wants=()

# want notes what is needed: a command, and the packages that bring it, by the
# names of Debian and Ubuntu and by those of Fedora. A command of "-" means that
# only the package manager can tell whether it is there. "a|b" means either,
# "a,b" both.
want() { wants+=("$1 $2 $3"); }

installed() {
	case $(manager) in
	apt) dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed ;;
	dnf) rpm -q "$1" >/dev/null 2>&1 ;;
	*) return 1 ;;
	esac
}

available() {
	case $(manager) in
	apt) apt-cache show --no-all-versions "$1" 2>/dev/null | grep '^Filename:' >/dev/null ;; # not -q: the pipe must not break
	dnf) [ -n "$(dnf -q repoquery "$1" 2>/dev/null)" ] ;;
	*) return 1 ;;
	esac
}

# missing prints the wanted packages that are not there, one want a line.
missing() {
	local w command debian fedora names name one
	for w in "${wants[@]}"; do
		read -r command debian fedora <<<"$w"
		[ "$command" = - ] || ! have "$command" || continue
		names=$debian
		[ "$(manager)" != dnf ] || names=$fedora
		[ "$names" != - ] || continue
		one=
		if [ "$command" = - ]; then
			for name in ${names//|/ }; do
				! all_of installed "$name" || one=yes
			done
		fi
		[ -n "$one" ] || echo "$names"
	done
}

# all_of runs a test on each of "a,b".
all_of() {
	local name
	for name in ${2//,/ }; do
		"$1" "$name" || return 1
	done
}

# install_wanted says first what it is about to do. A package that this system
# does not have is named and left out: what needs it says so itself.
install_wanted() {
	local lines line name chosen=() absent=()
	lines=$(missing)
	if [ -z "$lines" ]; then
		say "packages: all are there, nothing to install"
		return
	fi
	say "packages to install: $(echo "$lines" | paste -sd ' ')"
	if [ -z "$(manager)" ]; then
		say "neither apt-get nor dnf is here; going on without them"
		return
	fi
	if ! is_root; then
		say "only root can install; going on without them"
		return
	fi
	refresh
	while read -r line; do
		for name in ${line//|/ }; do
			if all_of available "$name"; then
				chosen+=("${name//,/ }")
				continue 2
			fi
		done
		absent+=("$line")
	done <<<"$lines"
	[ ${#absent[@]} = 0 ] || say "not to be had on this system: ${absent[*]}"
	# shellcheck disable=SC2068,SC2206 # "a b" are two packages
	chosen=(${chosen[@]-})
	[ ${#chosen[@]} = 0 ] || install "${chosen[@]}"
}

refresh() {
	case $(manager) in
	apt) quietly apt-get -q update ;;
	dnf) quietly dnf -q makecache ;;
	esac
}

install() {
	case $(manager) in
	apt)
		keep_services_off
		DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 quietly apt-get -q install -y --no-install-recommends "$@"
		disable_new_services
		;;
	dnf) quietly dnf -q install -y --setopt=install_weak_deps=False "$@" ;;
	esac
}

# quietly runs a command and shows what it said only if it failed.
quietly() {
	local log code=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 </dev/null || code=$?
	if [ "$code" != 0 ]; then
		tail -n 30 "$log" >&2
		say "failed: $*"
	fi
	rm -f "$log"
	return "$code"
}

# On Debian a package's daemon starts when the package is installed. A
# policy-rc.d that says 101 forbids it (invoke-rc.d(8)).
keep_services_off() {
	policy=${policy-/usr/sbin/policy-rc.d}
	services_before=$(services)
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		undo rm -f "$policy"
	fi
}

services() { find /etc/systemd/system -name '*.service' -path '*.wants/*' -printf '%f\n' 2>/dev/null | sort -u; }

# disable_new_services keeps the daemons from starting at the next boot, too.
disable_new_services() {
	local s
	while read -r s; do
		[ -n "$s" ] || continue
		if have systemctl; then
			systemctl disable --quiet "$s"
		else
			update-rc.d "${s%.service}" disable
		fi >/dev/null 2>&1 </dev/null || say "still enabled: $s"
	done < <(comm -13 <(echo "$services_before") <(services))
}

# ---- Go

# find_go puts into PATH a Go that can build this module. Any Go since 1.21
# will do: it fetches by itself the version that go.mod asks for. A Go that has
# it already comes first.
find_go() {
	local need=21 bin
	export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}" GOFLAGS="${GOFLAGS:--buildvcs=false}" GOWORK=off
	bin=$(best_go)
	if [ -z "$bin" ] && is_root && [ -n "$(manager)" ]; then
		install_go
		bin=$(best_go)
	fi
	if [ -n "$bin" ] && [ "$(go_minor "$bin/go")" -lt "$need" ]; then
		bin=$(bootstrap_go "$bin/go") || bin=
	fi
	if [ -z "$bin" ]; then
		say "no Go since 1.$need was found; install one from https://go.dev/dl and put it into PATH"
		return 1
	fi
	export PATH="$bin:$PATH"
	if [ "$(go_minor "$bin/go")" -lt "$(wanted_minor)" ]; then
		export GOTOOLCHAIN=auto # some distributions say "local"
	fi
	say "Go: $(cd "$root" && go env GOVERSION) of $bin"
}

# wanted_minor prints the 26 of "go 1.26.0" in go.mod.
wanted_minor() { sed -n 's/^go 1\.\([0-9]*\).*/\1/p' "$root/go.mod"; }

# go_minor prints the 26 of go1.26.8 for a go command, 0 if it is none.
go_minor() {
	local v
	v=$(cd / && GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || v=
	v=$(echo "$v" | sed -n 's/^.*go1\.\([0-9]*\).*/\1/p')
	echo "${v:-0}"
}

# best_go prints the directory of the newest go command. sudo hides the
# caller's PATH, so the usual places are looked at, too.
best_go() {
	local dirs dir minor best='' best_minor=0 home=''
	[ -z "${SUDO_USER-}" ] || home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
	# shellcheck disable=SC2206 # a pattern for several directories
	dirs=("$(dirname "$(command -v go || echo /nowhere/go)")" ${go_dirs-/usr/local/go/bin /usr/lib/go-*/bin /usr/lib/golang/bin /snap/bin})
	[ -z "$home" ] || dirs+=("$home"/go/bin "$home"/sdk/go*/bin "$home"/.local/go/bin)
	for dir in "${dirs[@]}"; do
		[ -x "$dir/go" ] || continue
		minor=$(go_minor "$dir/go")
		if [ "$minor" -gt "$best_minor" ]; then
			best=$dir best_minor=$minor
		fi
	done
	[ -z "$best" ] || echo "$best"
}

# install_go installs the newest Go of the distribution, even if it is too old:
# then it helps to fetch a newer one.
install_go() {
	local package=golang
	refresh
	if [ "$(manager)" = apt ]; then
		package=$(apt-cache pkgnames golang-1. | grep -E '^golang-1\.[0-9]+-go$' | sort -V | tail -n 1)
		package=${package:-golang-go}
	fi
	say "packages to install: $package ca-certificates"
	install "$package" ca-certificates
}

# bootstrap_go lets a Go from before 1.21 do what newer ones do by themselves:
# fetch the toolchain that go.mod asks for, as a module whose checksum is
# verified. It prints the directory of its go command.
bootstrap_go() {
	local version dir log
	version=$(sed -n 's/^toolchain //p' "$root/go.mod")
	version=${version:-go$(sed -n 's/^go //p' "$root/go.mod")}
	say "Go $("$1" env GOVERSION) is too old; fetching $version with it"
	log=$(mktemp)
	(cd / && GOFLAGS='' "$1" mod download -json "golang.org/toolchain@v0.0.1-$version.linux-$("$1" env GOARCH)") >"$log" 2>&1 || true
	dir=$(sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p' "$log")
	if [ -z "$dir" ]; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
	# The module cache keeps files without the right to execute them.
	chmod -R u+x "$dir/bin" "$dir/pkg/tool"
	echo "$dir/bin"
}

# ---- the machine

# mount_tracefs makes tracefs visible for as long as the script runs.
mount_tracefs() {
	local at=/sys/kernel/tracing
	if ! is_root || mountpoint -q "$at" || [ ! -d "$at" ]; then
		return
	fi
	if mount -t tracefs tracefs "$at" 2>/dev/null; then
		say "tracefs is mounted at $at until the end"
		undo umount "$at"
	fi
}
