//! Dealing work out to the threads of a pool, or doing it where the caller is.
//!
//! Waking another thread takes as long as thousands of multiply-adds, so a small program runs on the thread that asks
//! for it, [alone](alone). Rayon's own `for_each` would take the process's pool there; these methods look first.

use std::cell::Cell;

use rayon::iter::plumbing::{Producer, ProducerCallback};
use rayon::prelude::*;

thread_local! {
    /// The pool whose work this thread does alone; 0 if there is none.
    static ALONE: Cell<usize> = const { Cell::new(0) };
}

/// Does the work of the pool with this number on the calling thread, without help.
pub(super) fn alone(pool: usize, work: impl FnOnce()) {
    struct Before(usize);
    impl Drop for Before {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    // Also after a panic.
    let _before = Before(ALONE.replace(pool));
    work();
}

/// Whether the calling thread does this pool's work alone.
pub(super) fn is_alone_for(pool: usize) -> bool {
    ALONE.get() == pool
}

/// The number of threads among which [`DealOut`] divides the caller's work.
pub(crate) fn sharing() -> usize {
    match ALONE.get() {
        0 => rayon::current_num_threads(),
        _ => 1,
    }
}

/// Ends of a parallel iterator that keep to the calling thread if it works alone.
pub(crate) trait DealOut: IndexedParallelIterator {
    /// Calls `work` with each item.
    #[expect(clippy::disallowed_methods, reason = "this is what stands for it")]
    fn deal_out(self, work: impl Fn(Self::Item) + Send + Sync) {
        match ALONE.get() {
            0 => self.for_each(work),
            _ => self.with_producer(Alone(work)),
        }
    }

    /// Calls `work` with each item and a workspace, which several items may use one after another.
    #[expect(clippy::disallowed_methods, reason = "this is what stands for it")]
    fn deal_out_init<W>(
        self,
        workspace: impl Fn() -> W + Send + Sync,
        work: impl Fn(&mut W, Self::Item) + Send + Sync,
    ) {
        match ALONE.get() {
            0 => self.for_each_init(workspace, work),
            _ => {
                let mut workspace = workspace();
                self.with_producer(Alone(|item| work(&mut workspace, item)));
            }
        }
    }

    /// What `work` makes of each item, in order.
    fn deal_out_map<T: Send>(self, work: impl Fn(Self::Item) -> T + Send + Sync) -> Vec<T> {
        match ALONE.get() {
            0 => self.map(work).collect(),
            _ => {
                let mut all = Vec::with_capacity(self.len());
                self.with_producer(Alone(|item| all.push(work(item))));
                all
            }
        }
    }
}

impl<I: IndexedParallelIterator> DealOut for I {}

/// Takes all items on the calling thread.
struct Alone<F>(F);

impl<T, F: FnMut(T)> ProducerCallback<T> for Alone<F> {
    type Output = ();

    fn callback<P: Producer<Item = T>>(self, producer: P) {
        producer.into_iter().for_each(self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::current;

    use super::*;

    #[test]
    fn all_items_come_once_alone_and_among_threads() {
        let count = || {
            let (own, caller) = (AtomicUsize::new(0), current().id());
            let mut numbers = vec![1u32; 1000];
            (numbers.par_chunks_mut(7).enumerate()).deal_out(|(i, chunk)| {
                own.fetch_add(usize::from(current().id() == caller), Ordering::Relaxed);
                chunk.iter_mut().for_each(|x| *x += i as u32);
            });
            let sums = numbers
                .par_chunks(7)
                .deal_out_map(|chunk| chunk.iter().sum::<u32>());
            (numbers.par_iter_mut()).deal_out_init(
                || 3,
                |three, x| {
                    *x *= *three;
                },
            );
            (sums, numbers, own.into_inner())
        };
        let among = count();
        let mut found = None;
        alone(1, || {
            assert_eq!((sharing(), is_alone_for(1)), (1, true));
            found = Some(count());
        });
        assert!(!is_alone_for(1));
        let found = found.unwrap();
        assert_eq!((&found.0, &found.1), (&among.0, &among.1));
        assert_eq!(found.2, 143, "another thread took part");
        assert_eq!(found.1[999], 3 * (1 + 142));
    }

    #[test]
    fn a_panic_ends_the_loneliness() {
        let panicked = std::panic::catch_unwind(|| alone(5, || panic!("on purpose")));
        assert!(panicked.is_err() && !is_alone_for(5));
    }
}
