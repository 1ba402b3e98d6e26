//! Where the engine waits, and the only place: for the future of a device, for submissions, for memory that is mapped.
//!
//! A page must not be blocked: the GPU's answers come through its event loop. So there the whole stack is suspended by
//! the page (WebAssembly's JSPI), which gives the function `pause` of the module `rootlet_host`: a
//! `WebAssembly.Suspending` whose promise is kept in a later turn of the loop. What calls the engine is exported
//! through `WebAssembly.promising`.

use std::sync::mpsc::Receiver;

use crate::error::{Error, Fault, Result};

/// What mapping a buffer comes to.
pub(super) type Mapped = Receiver<Result<(), wgpu::BufferAsyncError>>;

#[cfg(not(target_family = "wasm"))]
mod host {
    use super::*;

    /// Resolves a future of wgpu.
    pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
        pollster::block_on(future)
    }

    /// Waits for a submission, or for all of them.
    pub(crate) fn submitted(
        device: &wgpu::Device,
        _: &wgpu::Queue,
        submission: Option<wgpu::SubmissionIndex>,
    ) -> Result<()> {
        device
            .poll(wgpu::PollType::Wait {
                submission_index: submission,
                timeout: None,
            })
            .map(|_| ())
            .map_err(|e| {
                Error::Device(Fault::Driver {
                    doing: "waiting for the device".to_owned(),
                    why: e.to_string(),
                })
            })
    }

    /// What a mapping came to whose submission was waited for.
    pub(crate) fn mapped(mapped: &Mapped) -> Result<(), String> {
        let answer = mapped.try_recv().map_err(|e| e.to_string())?;
        answer.map_err(|e| e.to_string())
    }
}

#[cfg(target_family = "wasm")]
mod host {
    use std::pin::pin;
    use std::sync::mpsc::{TryRecvError, channel};
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[link(wasm_import_module = "rootlet_host")]
    #[expect(
        unsafe_code,
        reason = "the page's function, which takes and gives nothing"
    )]
    unsafe extern "C" {
        /// Lets the page go on, and returns in a later turn of its event loop.
        safe fn pause();
    }

    /// Resolves a future of wgpu.
    pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            pause();
        }
    }

    /// Waits for all submissions: WebGPU tells of no single one.
    pub(crate) fn submitted(
        _: &wgpu::Device,
        queue: &wgpu::Queue,
        _: Option<wgpu::SubmissionIndex>,
    ) -> Result<()> {
        let (sender, done) = channel();
        queue.on_submitted_work_done(move || {
            // The receiver waits below.
            let _ = sender.send(());
        });
        receive(&done).map_err(|e| {
            Error::Device(Fault::Driver {
                doing: "waiting for the device".to_owned(),
                why: e.to_string(),
            })
        })
    }

    /// What a mapping came to.
    pub(crate) fn mapped(mapped: &Mapped) -> Result<(), String> {
        receive(mapped)?.map_err(|e| e.to_string())
    }

    fn receive<T>(receiver: &Receiver<T>) -> Result<T, String> {
        loop {
            match receiver.try_recv() {
                Ok(answer) => return Ok(answer),
                Err(TryRecvError::Empty) => pause(),
                Err(gone @ TryRecvError::Disconnected) => return Err(gone.to_string()),
            }
        }
    }
}

pub(crate) use host::{block_on, mapped, submitted};
