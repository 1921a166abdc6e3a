//! Blocking work that nobody waits for any more, but that goes on: a JPEG is decoded in one call, which
//! nothing can stop.
//!
//! It is counted by itself, for the invocation that gave it up: other work, of other invocations in the
//! same process, does not matter to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use photo::{CancelFlag, PhotoError};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The blocking work of one invocation.
#[derive(Clone, Debug)]
pub struct BlockingWork {
    /// How much of it is given up and goes on.
    abandoned: Arc<watch::Sender<usize>>,
}

impl Default for BlockingWork {
    fn default() -> BlockingWork {
        BlockingWork { abandoned: Arc::new(watch::Sender::new(0)) }
    }
}

/// A piece of blocking work, seen from one of its two ends.
struct Work {
    /// Until the first of both ends is dropped. It is looked at together with the count, under its lock.
    is_running: Arc<AtomicBool>,
    abandoned: Arc<watch::Sender<usize>>,
}

/// Held by who waits for the work: when it is dropped the flag is raised, and what still goes on is
/// abandoned.
struct Waiting(Work, CancelFlag);

/// Held by the work itself, also where it panics.
struct Working(Work);

impl Drop for Waiting {
    fn drop(&mut self) {
        let Waiting(work, cancel) = self;
        cancel.raise();
        work.abandoned.send_modify(|count| {
            *count += usize::from(work.is_running.swap(false, Ordering::Relaxed));
        });
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let Working(work) = self;
        work.abandoned.send_modify(|count| {
            *count -= usize::from(!work.is_running.swap(false, Ordering::Relaxed));
        });
    }
}

impl BlockingWork {
    /// Computes where that blocks nobody, with a flag that is raised when the result is not awaited any
    /// more.
    ///
    /// # Errors
    /// A panic, as [`PhotoError::DecoderPanic`].
    pub async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce(&CancelFlag) -> T + Send + 'static,
    ) -> Result<T, PhotoError> {
        let cancel = CancelFlag::default();
        let is_running = Arc::new(AtomicBool::new(true));
        let work = || Work { is_running: is_running.clone(), abandoned: self.abandoned.clone() };
        let _waiting = Waiting(work(), cancel.clone());
        let working = Working(work());
        let computed = spawn_blocking(move || {
            let _working = working;
            compute(&cancel)
        });
        computed.await.map_err(|error| PhotoError::DecoderPanic(error.to_string()))
    }

    /// Whether work that was given up goes on after this long.
    pub async fn is_abandoned_after(&self, patience: Duration) -> bool {
        let mut abandoned = self.abandoned.subscribe();
        timeout(patience, abandoned.wait_for(|count| *count == 0)).await.is_err()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::time::sleep;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn work_that_is_given_up_is_abandoned_until_it_ends() {
        let (own, others) = (BlockingWork::default(), BlockingWork::default());
        let (release, held) = mpsc::channel::<()>();
        let work = own.run(move |cancel| {
            held.recv().unwrap();
            cancel.check().is_err()
        });
        assert!(timeout(SOON, work).await.is_err());
        assert!(own.is_abandoned_after(SOON).await);
        assert!(!others.is_abandoned_after(SOON).await, "it is nobody else's");
        release.send(()).unwrap();
        assert!(!own.is_abandoned_after(Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn work_that_is_awaited_is_never_abandoned() {
        let work = BlockingWork::default();
        assert_eq!(work.run(|cancel| cancel.check().is_ok()).await, Ok(true));
        let panic = work.run(|_| panic!("all is lost")).await;
        assert!(matches!(panic, Err::<(), _>(PhotoError::DecoderPanic(_))));
        sleep(SOON).await;
        assert!(!work.is_abandoned_after(Duration::ZERO).await);
    }
}
