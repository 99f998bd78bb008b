// A program with generics, closures and iterators that are inlined into each
// other.
use std::collections::{BTreeMap, HashMap};

mod pool {
    use std::fmt;

    pub trait Weight {
        fn weight(&self) -> f64;
        fn heavier<W: Weight>(&self, other: &W) -> bool {
            self.weight() > other.weight()
        }
    }

    #[derive(Clone, Debug)]
    pub struct Item {
        pub name: String,
        pub weight: f64,
    }

    impl Weight for Item {
        #[inline]
        fn weight(&self) -> f64 {
            self.weight * 1.5
        }
    }

    impl fmt::Display for Item {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}={:.2}", self.name, self.weight())
        }
    }

    pub struct Arena<T> {
        blocks: Vec<Vec<T>>,
        size: usize,
    }

    impl<T: Clone + Default> Arena<T> {
        pub fn new(size: usize) -> Self {
            Arena { blocks: Vec::new(), size }
        }
        pub fn get(&mut self, n: usize) -> &mut [T] {
            let size = self.size.max(n);
            if self.blocks.last().map_or(true, |b| b.len() + n > size) {
                self.blocks.push(Vec::with_capacity(size));
            }
            let b = self.blocks.last_mut().unwrap();
            let at = b.len();
            b.resize(at + n, T::default());
            &mut b[at..]
        }
        pub fn total(&self) -> usize {
            self.blocks.iter().map(|b| b.capacity()).sum()
        }
    }
}

use pool::{Arena, Item, Weight};

fn sort(items: &mut BTreeMap<String, Vec<Item>>) {
    for list in items.values_mut() {
        list.sort_by(|a, b| b.weight().partial_cmp(&a.weight()).unwrap());
        list.dedup_by(|a, b| !a.heavier(b) && !b.heavier(a));
    }
}

fn count(words: &[String]) -> HashMap<&str, usize> {
    let mut out = HashMap::new();
    for w in words.iter().filter(|w| !w.is_empty()) {
        *out.entry(w.as_str()).or_insert(0) += w.len();
    }
    out
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let words: Vec<String> = args.iter().cycle().take(500).enumerate().map(|(i, w)| format!("{w}{}", i % 17)).collect();
    let mut arena: Arena<u64> = Arena::new(1024);
    let mut items: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for (i, w) in words.iter().enumerate() {
        arena.get(w.len() + i % 5)[0] = i as u64;
        items.entry(w.clone()).or_default().push(Item { name: w.to_uppercase(), weight: (i % 7) as f64 });
    }
    sort(&mut items);
    let n: usize = count(&words).values().sum();
    let names: Vec<String> = items.values().flatten().map(|i| i.to_string()).collect();
    println!("{} {} {}", n, arena.total(), names.join(","));
}
