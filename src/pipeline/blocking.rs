//! Pixel work on threads of its own, and the part of it that goes on although nobody waits for it any
//! more: libjpeg-turbo decodes a JPEG in one call, which nothing can stop.
//!
//! Each invocation counts its own abandoned work. Invocations in the same process do not wait for each
//! other's.

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
    /// Number of pieces that were given up and go on.
    abandoned: Arc<watch::Sender<usize>>,
}

impl Default for BlockingWork {
    fn default() -> BlockingWork {
        BlockingWork { abandoned: Arc::new(watch::Sender::new(0)) }
    }
}

/// A piece of blocking work, seen from one of its two ends.
struct Work {
    /// Whether neither end has been dropped yet. It is read and written under the lock of the count.
    is_running: Arc<AtomicBool>,
    abandoned: Arc<watch::Sender<usize>>,
}

/// The end of the caller: when it is dropped, the cancel flag is raised, and work that still goes on is
/// abandoned.
struct Waiting(Work, CancelFlag);

/// The end of the work itself, which is dropped where it panics too.
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
    /// Computes on a thread that may block, with a flag that is raised once nobody awaits the result.
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

    /// Whether abandoned work still goes on after this long.
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
        assert!(!others.is_abandoned_after(SOON).await, "it is not that of another invocation");
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
