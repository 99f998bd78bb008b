# The binary is static and holds no path of the machine that built it.
.PHONY: build install test quick lint generate bench gobench matrix soak demo release clean

build:
	CGO_ENABLED=0 go build -trimpath -o mmtrace ./cmd/mmtrace

install:
	CGO_ENABLED=0 go install -trimpath ./cmd/mmtrace

# As root, so that the live tests can run.
test:
	./scripts/test.sh

quick:
	./scripts/test.sh --quick

lint:
	test -z "$$(gofmt -l .)"
	go vet ./...
	GOOS=darwin go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	shellcheck -x $$(find . -name '*.sh' -not -path './.git/*') .ci/run scripts/release

# Takes clang-19, llvm-19 and libbpf-dev.
generate:
	./scripts/generate.sh

bench:
	./scripts/bench

# For benchstat(1): what one core does, without a kernel.
gobench:
	go test -run '^$$' -bench . -count 10 ./pkg/... ./internal/symbol ./internal/unwind ./internal/procfs

matrix:
	./scripts/vmmatrix

# An hour.
soak:
	./scripts/soak

demo:
	./scripts/demo.sh

# For VERSION=v1.2.3, or for what git says.
release:
	./scripts/release $(VERSION)

clean:
	rm -f mmtrace
	rm -rf dist
