//! How much goes on at once. A slot is held for one engine call and never while another is waited for, so that any
//! number of services completes with any number of slots.

use std::{sync::Arc, thread::available_parallelism};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most starts at once: beyond it the engine only gets slower (research, perf §1).
const MOST_STARTS: usize = 16;

/// Slots for engine calls; starts have their own, because one start costs the engine a hundred times a create, and so have
/// pulls, because a registry may keep them waiting for minutes.
#[derive(Clone, Debug)]
pub struct Slots {
    calls: Arc<Semaphore>,
    starts: Arc<Semaphore>,
    pulls: Arc<Semaphore>,
}

impl Slots {
    /// So many calls side by side; starts by the number of processors.
    #[must_use]
    pub fn new(calls: usize) -> Self {
        let cores = available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            calls: Arc::new(Semaphore::new(calls.max(1))),
            pulls: Arc::new(Semaphore::new(calls.max(1))),
            starts: Arc::new(Semaphore::new((cores * 4).min(MOST_STARTS).min(calls.max(1)))),
        }
    }

    /// A slot for a call.
    pub async fn call(&self) -> Option<SemaphorePermit<'_>> {
        self.calls.acquire().await.ok()
    }

    /// A slot for a start.
    pub async fn start(&self) -> Option<SemaphorePermit<'_>> {
        self.starts.acquire().await.ok()
    }

    /// A slot for a pull.
    pub async fn pull(&self) -> Option<SemaphorePermit<'_>> {
        self.pulls.acquire().await.ok()
    }
}
