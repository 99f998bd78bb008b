#!/bin/bash
# Runs every check: format, vet, staticcheck, shellcheck, the BPF programs
# compiled again and compared, a release made twice and installed, unit and live
# tests with the race detector, the build for arm64, each fuzz target for a while,
# and live tests on other kernels.
#
#	sudo ./scripts/test.sh            all of it, about 18 minutes on two cores
#	sudo ./scripts/test.sh --quick    without the race detector, the fuzzing and
#	                                  the other kernels
#
# CI=true makes a test that cannot run a failure. FUZZ_SECONDS sets the time for
# each of the main fuzz targets, 10 by default; the others take a fifth of it.
# It installs the programs that live tests trace, and emulators; no service is
# started or enabled.
set -euo pipefail
[ -e /dev/fd/0 ] || exec </dev/null
# shellcheck source=scripts/prepare.sh
. "$(dirname "$0")/prepare.sh"

quick=
case ${1-} in
'') ;;
--quick) quick=yes ;;
*)
	sed -n '2,15s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
trap 'verdict test' EXIT
trap 'exit 130' INT TERM
cd "$root"

is_root || say "without root the live tests cannot run: sudo $0"
#    command        Debian, Ubuntu                     Fedora
want -              ca-certificates                    ca-certificates
want git            git                                git
want gcc            gcc                                gcc
want g++            g++                                gcc-c++
want -              libc6-dev                          glibc-devel
want musl-gcc       musl-tools                         musl-gcc
want readelf        binutils                           binutils
want clang-19       clang-19                           'clang19|clang'
want llvm-strip-19  llvm-19                            'llvm19|llvm'
want -              libbpf-dev                         libbpf-devel
want bpftool        'bpftool|linux-tools-generic'      bpftool
want shellcheck     shellcheck                         ShellCheck
want gdb            gdb                                gdb
want xz             xz-utils                           xz
want dwz            dwz                                dwz
want mandoc         mandoc                             mandoc
want groff          groff-base                         groff-base
want man            man-db                             man-db
want zsh            zsh                                zsh
want fish           fish                               fish
want -              bash-completion                    bash-completion
want rpm            rpm                                rpm
want stress-ng      stress-ng                          stress-ng
want perf           'linux-perf|linux-tools-generic'   perf
want bpftrace       bpftrace                           bpftrace
want redis-server   redis-server                       'redis|valkey-compat-redis'
want redis-cli      redis-tools                        'redis|valkey-compat-redis'
want sqlite3        sqlite3                            sqlite
want -              libsqlite3-dev                     sqlite-devel
want python3        python3                            python3
want node           nodejs                             nodejs
want javac          default-jdk-headless               'java-latest-openjdk-devel|java-21-openjdk-devel'
want rustc          rustc                              rust
want -              postgresql                         postgresql-server
want -              libjemalloc2                       jemalloc
want -              'libmimalloc2.0|libmimalloc3'      mimalloc
want -              'libtcmalloc-minimal4|libtcmalloc-minimal4t64' gperftools-libs
want -              libtbbmalloc2                      tbb
want fio            fio                                fio
want ruby           ruby                               ruby
want -              python3-lmdb                       python3-lmdb
install_wanted
find_go
mount_tracefs

logs=$(mktemp -d)
undo rm -rf "$logs"
failed=()
times=()

# step runs a command, and goes on if it fails: one run shows all that is wrong.
step() {
	local name=$1 start=$SECONDS code=0
	shift
	say "$name"
	"$@" || code=$?
	if [ "$code" = 0 ]; then
		times+=("ok    $((SECONDS - start)) s  $name")
	else
		times+=("FAIL  $((SECONDS - start)) s  $name (exit code $code)")
		failed+=("$name")
	fi
}

format() {
	local files
	files=$(gofmt -l .)
	[ -z "$files" ] || {
		echo "not formatted by gofmt:" "$files"
		return 1
	}
}

other_system() { # GOOS GOARCH
	GOOS=$1 GOARCH=$2 CGO_ENABLED=0 go build ./... &&
		GOOS=$1 GOARCH=$2 CGO_ENABLED=0 go vet ./...
}

scripts() {
	if ! have shellcheck; then
		echo "shellcheck is missing"
		[ "${CI-}" != true ]
		return
	fi
	local files
	mapfile -t files < <(find . -name '*.sh' -not -path './.git/*')
	shellcheck -x "${files[@]}" .ci/run scripts/release scripts/vmtest scripts/vmmatrix scripts/bench scripts/soak
}

bpf() {
	if ! have clang-19; then
		echo "clang-19 is missing"
		[ "${CI-}" != true ]
		return
	fi
	scripts/generate.sh --check
}

# Packages whose live tests race programs against the clock: the race detector
# makes the reader so slow that the ring overflows, which says nothing.
live=(./internal/session ./internal/verify ./internal/conformance)

# others prints all packages but those.
others() {
	local package
	for package in $(go list ./...); do
		case $package in
		*/internal/session | */internal/verify | */internal/conformance) ;;
		*) echo "$package" ;;
		esac
	done
}

# go_test shows what failed and what was skipped, and keeps the rest in a file.
go_test() {
	local code=0
	go test -v -count=1 -timeout 12m "$@" 2>&1 | tee "$logs/now" | {
		grep --line-buffered -E '^(ok|FAIL)[[:space:]]|^ *--- (FAIL|SKIP)|this test needs|^panic:' || true
	} || code=$?
	cat "$logs/now" >>"$logs/test"
	if [ "$code" != 0 ]; then
		echo "what failed:"
		grep -vE '^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS)|^PASS$|^(ok|\?)[[:space:]]' "$logs/now" | tail -n 400
	fi
	return "$code"
}

# kernels runs live tests in emulated machines, on kernels that are packages of
# Debian.
kernels() {
	if ! grep -qx 'ID=debian' /etc/os-release || ! is_root; then
		echo "this takes root and Debian's packages"
		[ "${CI-}" != true ]
		return
	fi
	scripts/vmmatrix
}

# fuzz_targets prints PACKAGE NAME for each, first those that all else stands on.
fuzz_targets() {
	local all core='event Fuzz(Decode|Text)|interval FuzzMap|track FuzzTracker'
	all=$(grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . |
		sed -E 's|^(.*)/[^/]*:func (.*)$|\1 \2|' | sort)
	grep -E "($core)\$" <<<"$all"
	grep -vE "($core)\$" <<<"$all"
}

# fuzz_one fuzzes one target and prints what came of it. By default go test takes
# up to a minute to shorten each input that covers something new, and with many
# arguments that is all it does.
fuzz_one() { # SECONDS PACKAGE NAME
	local log
	log=$(mktemp -p "$logs")
	if ! go test -run '^$' -fuzz "^$3\$" -fuzztime "$1s" -fuzzminimizetime 20x -parallel 1 "$2" >"$log" 2>&1 &&
		! out_of_time "$log"; then
		echo "FAIL $2 $3"
		tail -n 40 "$log"
		return 1
	fi
	echo "ok   $2 $3: $(grep -oE 'execs: [0-9]+' "$log" | tail -n 1)"
}

# out_of_time tells the end of the fuzzing time, which go test takes for a failure
# now and then, from one that left an input.
out_of_time() { # LOG
	grep -q '^ *context deadline exceeded$' "$1" && ! grep -q 'Failing input written' "$1"
}

# fuzz runs all targets, two at a time: the first four for so long, the others for
# a fifth of it.
fuzz() { # SECONDS
	export -f fuzz_one out_of_time
	export logs
	fuzz_targets | awk -v long="$1" '{ print (NR > 4 ? int((long + 4) / 5) : long), $1, $2 }' |
		xargs -P 2 -L 1 bash -c 'fuzz_one "$@"' fuzz
}

step "gofmt" format
step "vet" go vet ./...
step "build and vet for darwin" other_system darwin arm64
step "build and vet for linux/arm64" other_system linux arm64
step "staticcheck" go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
step "shellcheck" scripts
step "the installing scripts" scripts/prepare_test.sh
step "BPF programs, compiled again" bpf
step "a release, made twice and installed" scripts/release_test.sh
if [ -n "$quick" ]; then
	step "go test" go_test ./...
else
	mapfile -t packages < <(others)
	step "go test -race" go_test -race -skip '^TestFault' "${packages[@]}"
	# One after the other: some of their programs take all process IDs or swap.
	step "go test, live" go_test -p 1 -skip '^(TestFault|TestKill$)' "${live[@]}"
	step "go test, faults" go_test -run '^(TestFault|TestKill$)' ./cmd/mmtrace ./internal/session
	step "go test -race, live" go_test -race -run '^(TestChaos|TestAttachMidway|TestGoCases)$' ./internal/session
	count=$(fuzz_targets | wc -l)
	each=${FUZZ_SECONDS:-10}
	step "fuzzing, 4 targets for $each s each and $((count - 4)) for a fifth of it" fuzz "$each"
	step "live tests on other kernels" kernels
fi

echo
echo "go test said:"
grep -E '^(ok|FAIL|---|panic)' "$logs/test" | grep -v -e '--- PASS' -e '^FAIL$' || true
echo
printf '%-60s %4s %8s %7s\n' "what went wrong on purpose" times lost right
sed -n 's/^ *[a-z_]*\.go:[0-9]*: fault| //p' "$logs/test"
echo
printf '%s\n' "${times[@]}"
echo "skipped tests: $(grep -cE '^ *--- SKIP' "$logs/test" || true)"
[ ${#failed[@]} = 0 ]
