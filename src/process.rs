//! The process of the function among its invocations, of which there can be several at a time (AWS Lambda Developer
//! Guide, "Rust runtime for Lambda Managed Instances").

use std::pin::pin;
use std::process::exit;

use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::pipeline::BlockingWork;

/// The process, from its first invocation on.
#[derive(Debug)]
pub struct Process {
    /// Number of invocations that are not answered yet.
    invocations: watch::Sender<usize>,
    blocking_work: BlockingWork,
}

impl Process {
    /// The process that does this work, of whichever invocation.
    pub fn new(blocking_work: BlockingWork) -> Process {
        Process { invocations: watch::Sender::new(0), blocking_work }
    }

    /// Runs an invocation until it is answered, and takes its place for longer if pixel work of the process was
    /// given up and goes on: no other event is taken beside that. If the last invocation is answered before the
    /// work ends, the process ends, and Lambda starts another one.
    pub async fn invocation<F: Future>(&self, answered: F) -> F::Output {
        self.invocations.send_modify(|count| *count += 1);
        let output = answered.await;
        self.invocations.send_modify(|count| *count -= 1);
        if self.is_done_before_work_ends().await {
            tracing::warn!("the process ends: a photo that was given up is still being decoded");
            exit(1);
        }
        output
    }

    /// Whether all invocations are answered while abandoned work goes on.
    async fn is_done_before_work_ends(&self) -> bool {
        let mut invocations = self.invocations.subscribe();
        let work_ends = pin!(self.blocking_work.all_ended());
        let answered = pin!(invocations.wait_for(|count| *count == 0));
        matches!(select(work_ends, answered).await, Either::Right(_))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    /// Work that was given up, which goes on until what is returned is dropped.
    async fn abandon(work: &BlockingWork) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel();
        let work = work.of_another_invocation();
        assert!(timeout(SOON, work.run(move |_| held.recv())).await.is_err());
        release
    }

    #[tokio::test]
    async fn an_invocation_after_which_no_work_goes_on_is_over_at_once() {
        let process = Process::new(BlockingWork::default());
        assert_eq!(timeout(SOON, process.invocation(async { 1 })).await, Ok(1));
    }

    #[tokio::test]
    async fn a_process_with_abandoned_work_is_done_when_its_last_invocation_is_answered() {
        let work = BlockingWork::default();
        let process = Arc::new(Process::new(work.clone()));
        let (answer, answered) = oneshot::channel::<()>();
        let other = tokio::spawn({
            let process = process.clone();
            async move { process.invocation(answered).await }
        });
        tokio::task::yield_now().await;
        let release = abandon(&work).await;
        let mut done = pin!(process.is_done_before_work_ends());
        assert!(timeout(SOON, &mut done).await.is_err(), "the other one is not answered");
        process.invocations.send_modify(|count| *count -= 1); // as if it were
        assert!(done.await);
        process.invocations.send_modify(|count| *count += 1);
        drop(release);
        work.all_ended().await;
        answer.send(()).unwrap();
        assert_eq!(other.await.unwrap(), Ok(()), "with the work ended, it goes on");
    }

    #[tokio::test]
    async fn a_process_whose_abandoned_work_ends_first_goes_on() {
        let work = BlockingWork::default();
        let process = Process::new(work.clone());
        process.invocations.send_modify(|count| *count += 1);
        let release = abandon(&work).await;
        let mut done = pin!(process.is_done_before_work_ends());
        assert!(timeout(SOON, &mut done).await.is_err());
        drop(release);
        assert!(!done.await);
    }
}
