// Maps from closures, trait objects, iterators, threads and while a panic passes.
use std::io::Write;

extern "C" {
    fn mmap(addr: *mut u8, len: usize, prot: i32, flags: i32, fd: i32, off: i64) -> *mut u8;
    fn munmap(addr: *mut u8, len: usize) -> i32;
    fn getppid() -> i32;
}

fn once(pages: usize) {
    unsafe {
        let p = mmap(std::ptr::null_mut(), pages * 4096, 3, 0x22, -1, 0);
        munmap(p, pages * 4096);
    }
}

trait Step {
    fn step(&self, n: usize) -> usize;
}
struct Deep(Vec<usize>);
impl Step for Deep {
    #[inline(never)]
    fn step(&self, n: usize) -> usize {
        if n == 0 {
            self.0.iter().map(|p| { once(*p); *p }).sum()
        } else {
            self.step(n - 1) + 1
        }
    }
}
struct Guard;
impl Drop for Guard {
    fn drop(&mut self) {
        once(6);
    }
}

fn round(i: usize) {
    let d: Box<dyn Step> = Box::new(Deep(vec![1, 2, 3]));
    unsafe { std::ptr::read_volatile(&d.step(i % 30)) }; // it is used
    let _ = std::panic::catch_unwind(|| {
        let _g = Guard;
        if i % 2 == 0 {
            panic!("passes a guard");
        }
    });
}

fn main() {
    std::panic::set_hook(Box::new(|_| once(4)));
    println!("ready");
    std::io::stdout().flush().unwrap();
    let t: Vec<_> = (0..3)
        .map(|k| std::thread::spawn(move || { let mut i = k; while unsafe { getppid() } != 1 { round(i); i += 1; } }))
        .collect();
    for t in t {
        t.join().unwrap();
    }
}
