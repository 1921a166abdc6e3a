//! Ctrl-C, and SIGTERM as `python -m photos_dev.local_aws with` sends it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Exit code that a shell reports for a command ended by SIGINT.
pub const EXIT_CODE: u8 = 130;

/// Longest time until a signal is noticed.
const PACE: Duration = Duration::from_millis(50);

/// Whether somebody asked the test to end.
#[derive(Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on: the first signal is noted, a second one ends the process.
    pub fn listen() -> io::Result<Interrupt> {
        let came = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order, so that the process ends only if the flag was set before this signal.
            flag::register_conditional_shutdown(signal, EXIT_CODE.into(), Arc::clone(&came))?;
            flag::register(signal, Arc::clone(&came))?;
        }
        Ok(Interrupt(came))
    }

    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for a signal.
    pub async fn wait(&self) {
        while !self.came() {
            tokio::time::sleep(PACE).await;
        }
    }
}
