//! Pixel work on threads of its own, and the part of it that goes on although nobody waits for it any
//! more: libjpeg-turbo decodes a JPEG in one call, which nothing can stop.
//!
//! Each invocation counts its own abandoned work, and the process that of all. Invocations in the same process
//! do not wait for each other's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use photo::{CancelFlag, PhotoError};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The blocking work of one invocation.
#[derive(Clone, Debug, Default)]
pub struct BlockingWork {
    /// Of this invocation.
    own: Abandoned,
    /// Of all invocations of the process.
    all: Abandoned,
}

/// Number of pieces that were given up and go on.
#[derive(Clone, Debug)]
struct Abandoned(Arc<watch::Sender<usize>>);

impl Default for Abandoned {
    fn default() -> Abandoned {
        Abandoned(Arc::new(watch::Sender::new(0)))
    }
}

impl Abandoned {
    async fn none(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// A piece of blocking work, seen from one of its two ends.
struct Work {
    /// Whether neither end has been dropped yet. It is read and written under the locks of the counts.
    is_running: Arc<AtomicBool>,
    of: BlockingWork,
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
        work.count(|is_running, count| *count += usize::from(is_running));
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.count(|is_running, count| *count -= usize::from(!is_running));
    }
}

impl Work {
    /// Drops one of its ends, and changes both counts by whether the work was running.
    fn count(&self, change: impl Fn(bool, &mut usize)) {
        self.of.all.0.send_modify(|all| {
            self.of.own.0.send_modify(|own| {
                let was_running = self.is_running.swap(false, Ordering::Relaxed);
                change(was_running, own);
                change(was_running, all);
            });
        });
    }
}

impl BlockingWork {
    /// The work of another invocation of the same process.
    pub fn of_another_invocation(&self) -> BlockingWork {
        BlockingWork { own: Abandoned::default(), all: self.all.clone() }
    }

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
        let work = || Work { is_running: is_running.clone(), of: self.clone() };
        let _waiting = Waiting(work(), cancel.clone());
        let working = Working(work());
        let computed = spawn_blocking(move || {
            let _working = working;
            compute(&cancel)
        });
        computed.await.map_err(|error| PhotoError::DecoderPanic(error.to_string()))
    }

    /// Waits this long for the abandoned work of this invocation to end.
    pub async fn settle(&self, patience: Duration) {
        let _ = timeout(patience, self.own.none()).await;
    }

    /// Waits until no invocation of the process has abandoned work that goes on.
    pub async fn all_ended(&self) {
        self.all.none().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::time::sleep;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    async fn is_abandoned(work: &Abandoned, patience: Duration) -> bool {
        timeout(patience, work.none()).await.is_err()
    }

    #[tokio::test]
    async fn work_that_is_given_up_is_abandoned_until_it_ends() {
        let own = BlockingWork::default();
        let other = own.of_another_invocation();
        let (release, held) = mpsc::channel::<()>();
        let work = own.run(move |cancel| {
            held.recv().unwrap();
            cancel.check().is_err()
        });
        assert!(timeout(SOON, work).await.is_err());
        assert!(is_abandoned(&own.own, SOON).await);
        assert!(!is_abandoned(&other.own, SOON).await, "it is not that of another invocation");
        assert!(is_abandoned(&other.all, SOON).await, "but of the process");
        release.send(()).unwrap();
        assert!(!is_abandoned(&own.own, Duration::from_secs(10)).await);
        assert!(!is_abandoned(&other.all, Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn work_that_is_awaited_is_never_abandoned() {
        let work = BlockingWork::default();
        assert_eq!(work.run(|cancel| cancel.check().is_ok()).await, Ok(true));
        let panic = work.run(|_| panic!("all is lost")).await;
        assert!(matches!(panic, Err::<(), _>(PhotoError::DecoderPanic(_))));
        sleep(SOON).await;
        assert!(!is_abandoned(&work.all, Duration::ZERO).await);
    }
}
