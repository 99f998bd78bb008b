#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <unordered_map>
#include <vector>
#include <cstdio>
namespace pool {
namespace {
struct Item { std::string name; double weight; };
inline int hidden(int n) { return n * 31 + 7; }
}
template <class T, int N> class Arena {
	std::vector<std::unique_ptr<T[]>> blocks;
	size_t used = N;
public:
	T *get(size_t n) {
		if (used + n > N) { blocks.push_back(std::make_unique<T[]>(N > n ? N : n)); used = 0; }
		T *p = blocks.back().get() + used;
		used += n;
		return p;
	}
	size_t size() const { return std::accumulate(blocks.begin(), blocks.end(), size_t(0), [](size_t a, auto &) { return a + N; }); }
};
class Index {
	std::map<std::string, std::vector<Item>> items;
	std::unordered_map<int, std::function<int(int)>> fns;
public:
	void add(const char *key, double w) { items[key].push_back(Item{std::string(key) + "!", w}); }
	void hook(int n) { fns[n] = [n, this](int x) { return hidden(x) + n + int(items.size()); }; }
	double sum() const;
	int call(int n, int x) { auto it = fns.find(n); return it == fns.end() ? -1 : it->second(x); }
	void sort();
	struct Visitor { virtual ~Visitor() {} virtual bool visit(const Item &i) = 0; };
	int walk(Visitor &v) const { int n = 0; for (auto &[k, list] : items) for (auto &i : list) if (v.visit(i)) n++; return n; }
};
double Index::sum() const {
	double s = 0;
	for (auto &[k, list] : items)
		s += std::accumulate(list.begin(), list.end(), 0.0, [](double a, const Item &i) { return a + i.weight; });
	return s;
}
void Index::sort() {
	for (auto &[k, list] : items) {
		std::sort(list.begin(), list.end(), [](const Item &a, const Item &b) { return a.weight < b.weight; });
		std::stable_sort(list.begin(), list.end(), [](const Item &a, const Item &b) { return a.name < b.name; });
	}
}
struct Heavy : Index::Visitor {
	double min;
	explicit Heavy(double m) : min(m) {}
	bool visit(const Item &i) override { if (i.weight < 0) throw std::string("negative"); return i.weight > min; }
};
}
static int helper(int n) { int s = 0; for (int i = 0; i < n; i++) s += pool::hidden(i) ^ s; return s; }
template <class F> int repeat(int n, F f) { int r = 0; while (n-- > 0) r += f(n); return r; }
int main(int argc, char **argv) {
	pool::Arena<char, 4096> a;
	pool::Arena<double, 128> b;
	pool::Index ix;
	for (int i = 0; i < argc * 100; i++) {
		ix.add(argv[i % argc], i * 0.5);
		*a.get(i) = 'x';
		*b.get(i % 7) = i;
		if (i % 3 == 0) ix.hook(i);
	}
	ix.sort();
	pool::Heavy h(3);
	int r = 0;
	try { r = ix.walk(h); } catch (std::string &s) { std::puts(s.c_str()); }
	auto twice = [&](int n) { return repeat(n, [&](int m) { return ix.call(m, n) + helper(m); }); };
	std::printf("%d %f %zu %d\n", r, ix.sum(), a.size() + b.size(), twice(argc) + repeat(3, twice));
}
