// Maps in places that are hard to unwind: destructors that run while an
// exception passes, handlers, closures, templates, realigned frames.
#include <sys/mman.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

static void use(size_t pages)
{
	void *p = mmap(nullptr, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED)
		munmap(p, pages * 4096);
}

struct guard {
	size_t n;
	~guard() { use(n); }
};

template <int N> [[gnu::noinline]] int nested(std::vector<std::string> &v)
{
	guard g{size_t(N + 1)};
	alignas(64) volatile char block[128 * (N + 1)];
	block[0] = char(N);
	v.push_back(std::string(N * 7, 'x'));
	if constexpr (N > 0)
		return nested<N - 1>(v) + block[0];
	throw std::runtime_error(v.back());
}

[[gnu::noinline]] static void handler(int depth)
{
	std::vector<std::string> v;
	try {
		nested<6>(v);
	} catch (const std::exception &e) {
		use(v.size() + depth % 5);
		if (depth % 3 == 0)
			throw;
	}
}

[[gnu::noinline]] static int by_value(const std::function<int(int)> &f, int n)
{
	return n ? by_value(f, n - 1) + 1 : f(n);
}

static int compare(const void *a, const void *b)
{
	use(3);
	return *(const int *)a - *(const int *)b;
}

int main()
{
	puts("ready");
	fflush(stdout);
	for (int i = 0; getppid() != 1; i++) {
		try {
			handler(i);
		} catch (...) {
			use(2);
		}
		by_value([&](int n) { use(size_t(n) + 4); return n; }, i % 20);
		int list[] = {3, 1, 2};
		qsort(list, 3, sizeof *list, compare);
		std::map<int, std::unique_ptr<guard>> m;
		m.emplace(i, std::make_unique<guard>(guard{5}));
	}
}
