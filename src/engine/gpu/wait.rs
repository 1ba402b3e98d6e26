//! The only place where the engine waits: for a device's future, for submissions, and for mapped memory.
//!
//! A page must not block, because the GPU's answers come through its event loop. So in a page the whole stack is
//! suspended (WebAssembly's JSPI). The page provides the function `pause` of the module `rootlet_host`: a
//! `WebAssembly.Suspending` whose promise resolves in a later turn of the loop. Whatever calls the engine is exported
//! through `WebAssembly.promising`.

use std::sync::mpsc::Receiver;

use crate::error::{Error, Fault, Result};

/// The result of mapping a buffer.
pub(super) type Mapped = Receiver<Result<(), wgpu::BufferAsyncError>>;

#[cfg(not(target_family = "wasm"))]
mod host {
    use super::*;

    /// Waits for one of wgpu's futures.
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

    /// The result of a mapping whose submission was waited for.
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
        /// Lets the page continue, and returns in a later turn of its event loop.
        safe fn pause();
    }

    /// Waits for one of wgpu's futures.
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

    /// Waits for all submissions, because WebGPU cannot wait for a single one.
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

    /// The result of a mapping.
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
