//! How many photos are at work at a time.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Turns at something that few photos may do at a time.
#[derive(Debug)]
pub(super) struct Turns(Semaphore);

impl Turns {
    /// Turns of which so many are under way at a time.
    pub fn new(count: usize) -> Turns {
        Turns(Semaphore::new(count))
    }

    /// Does some work in its turn. After `patience`, the work goes on, but its turn is over: where something
    /// holds a photo up, the others go on.
    pub async fn take<F: Future>(&self, patience: Duration, work: F) -> F::Output {
        let turn = self.0.acquire().await;
        let mut work = pin!(work);
        if let Ok(output) = timeout(patience, &mut work).await {
            return output;
        }
        drop(turn);
        work.await
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn the_next_takes_its_turn_when_one_ends_or_is_given_up() {
        let turns = Turns::new(2);
        let never = || Box::pin(turns.take(LONG, pending::<()>()));
        let (mut first, mut second) = (never(), never());
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        assert_eq!(turns.take(LONG, async { 3 }).now_or_never(), None);
        drop(first);
        assert_eq!(turns.take(LONG, async { 3 }).now_or_never(), Some(3));
    }

    #[tokio::test]
    async fn work_that_takes_long_goes_on_beside_the_next() {
        let turns = Turns::new(1);
        let (done, end) = oneshot::channel();
        let mut slow = Box::pin(turns.take(SHORT, end));
        assert!((&mut slow).now_or_never().is_none());
        assert_eq!(turns.take(LONG, async { 2 }).now_or_never(), None);
        assert!(timeout(2 * SHORT, &mut slow).await.is_err());
        assert_eq!(turns.take(LONG, async { 2 }).now_or_never(), Some(2));
        done.send(1).unwrap();
        assert_eq!(slow.await, Ok(1));
    }
}
