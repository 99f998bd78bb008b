#!/bin/bash
# Tests prepare.sh on made-up machines: a PATH that holds nothing but what is
# put there, with an apt-get, dnf or go that only notes how it was called.
# shellcheck disable=SC2016 # what the made-up machines run is in single quotes
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
failures=0

# machine makes an empty one, with the tools that every system has.
machine() {
	bin=$top/$1/bin
	mkdir -p "$bin" "$top/$1/home"
	local tool
	for tool in bash sh cat sed grep sort tail head cut paste find comm mktemp rm chmod dirname env mkdir mv; do
		ln -s "$(type -P "$tool")" "$bin/$tool"
	done
	fake id 'echo 0'
	log=$top/$1/log
	: >"$log"
}

# fake adds a command.
fake() { printf '#!/bin/bash\n%s\n' "$2" >"$bin/$1" && chmod +x "$bin/$1"; }

debian() {
	machine "$1"
	fake apt-get "echo apt-get \"\$@\" services=\$([ ! -e $top/$1/policy ] || tail -n 1 $top/$1/policy) >>$log"
	fake dpkg-query 'case ${!#} in libc6-dev) echo installed ;; *) exit 1 ;; esac'
	fake apt-cache 'case ${!#} in gone) exit 100 ;; golang-1.) printf "golang-1.19-go\ngolang-1.22-go\ngolang-1.9-go\n" ;; *) echo Filename: pool/x.deb ;; esac'
}

fedora() {
	machine "$1"
	fake dnf "case \$* in *'repoquery gone'*) ;; *repoquery*) echo found ;; *) echo dnf \"\$@\" >>$log ;; esac"
	fake rpm 'case ${!#} in glibc-devel) ;; *) exit 1 ;; esac'
}

# old_go is a go command of a version, in a directory of its own.
old_go() {
	mkdir -p "$2"
	bin=$2 fake go "case \$* in 'env GOVERSION') echo $1 ;; 'env GOARCH') echo amd64 ;; *download*) echo \$* >>$log; mkdir -p $top/sdk/bin $top/sdk/pkg/tool; echo '	\"Dir\": \"$top/sdk\",' ;; esac"
}

# on runs a script with prepare.sh on the machine and prints what was said.
on() {
	(
		set +e
		cd /
		env -i HOME="$top" PATH="$bin" policy="$(dirname "$log")/policy" go_dirs="$(dirname "$log")/go/bin" \
			"$bin/bash" -c "set -euo pipefail; . $here/prepare.sh; have() { command -v \"\$1\" >/dev/null 2>&1; }; $1" 2>&1
		echo "exit code $?"
	)
}

# expect compares all of what was said and done.
expect() { # NAME SCRIPT WANT
	local got
	got=$(on "$2"; cat "$log")
	got=${got//$top/TOP}
	if [ "$got" != "$3" ]; then
		echo "$1:"
		diff <(echo "$3") <(echo "$got") | sed 's/^/	/' || true
		failures=$((failures + 1))
	fi
}

wants='want gcc gcc gcc; want - libc6-dev glibc-devel; want javac jdk "gone|jdk-devel"; want - "gone|both,of" -; want x gone gone;'

debian apt
expect "apt" "$wants install_wanted; [ -e \$policy ] && undo_all; [ ! -e \$policy ]" \
	"== packages to install: gcc jdk gone|both,of gone
== not to be had on this system: gone
exit code 0
apt-get -q update services=
apt-get -q install -y --no-install-recommends gcc jdk both of services=exit 101"

debian apt-nothing
fake gcc :
expect "apt, nothing to do" "want gcc gcc gcc; want - libc6-dev x; install_wanted" \
	"== packages: all are there, nothing to install
exit code 0"

debian apt-user
fake id 'echo 1000'
expect "apt, not root" "want gcc gcc gcc; install_wanted" \
	"== packages to install: gcc
== only root can install; going on without them
exit code 0"

fedora dnf
expect "dnf" "$wants install_wanted" \
	"== packages to install: gcc gone|jdk-devel gone
== not to be had on this system: gone
exit code 0
dnf -q makecache
dnf -q install -y --setopt=install_weak_deps=False gcc jdk-devel"

machine neither
expect "neither" "want gcc gcc gcc; install_wanted" \
	"== packages to install: gcc
== neither apt-get nor dnf is here; going on without them
exit code 0"

debian apt-fails
fake apt-get 'echo "E: no network"; exit 100'
expect "apt fails" "want gcc gcc gcc; install_wanted" \
	"== packages to install: gcc
E: no network
== failed: apt-get -q update
exit code 100"

debian go-there
old_go go1.24.4 "$top/go-there/go/bin"
expect "an older Go fetches a newer one" 'find_go 2>/dev/null; echo $GOTOOLCHAIN ${PATH%%:*}' \
	"auto TOP/go-there/go/bin
exit code 0"

debian go-debian
fake apt-get "[ \$2 != install ] || { mkdir -p $top/go-debian/go/bin; mv $top/go-debian/soon $top/go-debian/go/bin/go; }; echo apt-get \"\$@\" >>$log"
old_go go1.22.1 "$top/go-debian/hidden"
mv "$top/go-debian/hidden/go" "$top/go-debian/soon"
expect "no Go on Debian" 'find_go 2>&1 | sed "s/^== Go:.*of/== Go: of/"' \
	"== packages to install: golang-1.22-go ca-certificates
== Go: of TOP/go-debian/go/bin
exit code 0
apt-get -q update
apt-get -q install -y --no-install-recommends golang-1.22-go ca-certificates"

debian go-too-old
old_go go1.19.8 "$top/go-too-old/go/bin"
fake go-sdk :
expect "a Go from before 1.21" 'find_go 2>/dev/null; echo ${PATH%%:*}' \
	"TOP/sdk/bin
exit code 0
mod download -json golang.org/toolchain@v0.0.1-go$(sed -n 's/^go //p' "$here/../go.mod").linux-amd64"

fedora go-fedora
fake dnf "[ \$2 != install ] || { mkdir -p $top/go-fedora/go/bin; mv $top/go-fedora/soon $top/go-fedora/go/bin/go; }; echo dnf \"\$@\" >>$log"
old_go go1.26.1 "$top/go-fedora/hidden"
mv "$top/go-fedora/hidden/go" "$top/go-fedora/soon"
expect "no Go on Fedora" 'find_go 2>/dev/null; echo ${GOTOOLCHAIN-unset} ${PATH%%:*}' \
	"unset TOP/go-fedora/go/bin
exit code 0
dnf -q makecache
dnf -q install -y --setopt=install_weak_deps=False golang ca-certificates"

machine go-none
expect "no Go and no way to get one" find_go \
	"== no Go since 1.21 was found; install one from https://go.dev/dl and put it into PATH
exit code 1"

machine verdicts
expect "the last line after success" 'SECONDS=0; undo echo undone; trap "verdict x" EXIT; true' \
	"undone
PASS: x, 0 s, exit code 0
exit code 0"
expect "the last line after failure" 'SECONDS=0; undo echo first; undo echo "second one"; trap "verdict x" EXIT; exit 7' \
	"second one
first
FAIL: x, 0 s, exit code 7
exit code 7"

[ "$failures" = 0 ] && echo "ok: prepare.sh"
