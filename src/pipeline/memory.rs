//! The function's memory, shared among the photos in flight.
//!
//! Lambda kills a process that takes more than the function has, and with it every photo of the event. So
//! a photo's header tells how much the photo needs, and the photo waits until that much is free.

use std::sync::Arc;

use photo::PhotoError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of the MB in which Lambda counts.
const MB: u64 = 1 << 20;
/// Memory of the process beside the photos: its code, the clients, the buffers of the connections (20 MB measured),
/// and the 40 MB that glibc may keep of the photo before (`MALLOC_TRIM_THRESHOLD_` in template.yaml).
const PROCESS_MB: u64 = 72;

/// Memory for photos.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Memory of the whole function in MB.
    size_mb: u64,
    /// One permit for each free MB.
    free: Arc<Semaphore>,
}

/// Memory that a photo may take until this is dropped.
#[derive(Debug)]
pub struct Grant(OwnedSemaphorePermit);

impl Memory {
    /// The memory of a function of `size_mb`.
    pub fn new(size_mb: u64) -> Memory {
        let all = size_mb.saturating_sub(PROCESS_MB).clamp(1, u32::MAX.into()) as usize;
        Memory { size_mb, free: Arc::new(Semaphore::new(all)) }
    }

    /// Memory for all photos together, in bytes.
    pub fn for_photos(&self) -> u64 {
        self.size_mb.saturating_sub(PROCESS_MB) * MB
    }

    /// Refuses a photo that would not fit even if it were alone.
    ///
    /// # Errors
    /// [`PhotoError::TooLittleMemory`].
    pub fn refuse_too_much(&self, bytes: u64) -> Result<(), PhotoError> {
        if bytes <= self.for_photos() {
            return Ok(());
        }
        let needs_mb = bytes.div_ceil(MB) + PROCESS_MB;
        Err(PhotoError::TooLittleMemory { has_mb: self.size_mb, needs_mb })
    }

    /// Waits until so many bytes are free, or as many as there can ever be. A photo that waits must hold no
    /// other grant: two that wait for each other would wait for ever.
    pub async fn wait(&self, bytes: u64) -> Option<Grant> {
        let permits = permits(bytes.min(self.for_photos()));
        self.free.clone().acquire_many_owned(permits).await.ok().map(Grant)
    }

    /// Extends a grant to so many bytes, if they are free now.
    pub fn extend(&self, grant: &mut Grant, bytes: u64) -> bool {
        let missing = (permits(bytes) as usize).saturating_sub(grant.0.num_permits());
        match self.free.clone().try_acquire_many_owned(missing as u32) {
            Ok(more) => {
                grant.0.merge(more);
                true
            }
            Err(_) => false,
        }
    }
}

fn permits(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MB)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn wait(memory: &Memory, bytes: u64) -> Option<Grant> {
        memory.wait(bytes).now_or_never().flatten()
    }

    #[test]
    fn a_photo_that_would_not_fit_alone_is_refused_with_the_size_that_would_do() {
        let memory = Memory::new(256);
        assert_eq!(memory.refuse_too_much(184 * MB), Ok(()));
        let refusal = memory.refuse_too_much(184 * MB + 1).unwrap_err();
        assert_eq!(refusal, PhotoError::TooLittleMemory { has_mb: 256, needs_mb: 257 });
        assert_eq!(Memory::new(257).refuse_too_much(184 * MB + 1), Ok(()));
    }

    #[test]
    fn a_photo_waits_until_another_gives_its_memory_back() {
        let memory = Memory::new(172);
        let mut first = wait(&memory, 30 * MB).unwrap();
        assert!(memory.extend(&mut first, 70 * MB));
        assert!(!memory.extend(&mut first, 101 * MB), "more than there is");
        assert!(wait(&memory, 31 * MB).is_none());
        assert!(wait(&memory, 30 * MB).is_some());
        drop(first);
        assert!(wait(&memory, 100 * MB).is_some());
    }

    #[test]
    fn a_photo_that_asks_for_more_than_there_is_gets_all_of_it() {
        let memory = Memory::new(160);
        let all = wait(&memory, u64::MAX);
        assert!(all.is_some());
        assert!(wait(&memory, MB).is_none());
    }
}
