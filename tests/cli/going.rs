//! Processes that are observed while they run. Nothing depends on the machine's speed: a training does not end until a
//! test makes it, and it is paused while something is done to it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{Desk, Done, newest, small};

/// Many more epochs than are trained while a test observes. The end is a signal, a kill, or the `--steps` of a resume.
pub const ENDLESS: [&str; 3] = ["--epochs=100000", "--round-until=100000", "--quiet"];

/// Optimiser steps of an epoch of the small run.
const EPOCH: u64 = 19;

/// How long a loaded machine may take for something that normally takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(200);

/// A running process. None outlives its test.
pub struct Going(Option<Child>);

impl Going {
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().unwrap()))
    }

    /// A small training that goes on until it is ended.
    pub fn endless(desk: &Desk, more: &[&str]) -> Self {
        Self::start(desk.command(&small(&[&ENDLESS[..], more].concat())))
    }

    pub fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    fn has_ended(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// Waits until something is found, or the process has ended without it.
    pub fn look_for<T>(&mut self, what: &str, found: impl Fn() -> Option<T>) -> Option<T> {
        let began = Instant::now();
        loop {
            // In this order: whatever it leaves is there after it has ended.
            let ended = self.has_ended();
            if let Some(it) = found() {
                return Some(it);
            }
            if ended {
                return None;
            }
            assert!(began.elapsed() < PATIENCE, "{what} did not come");
            sleep(Duration::from_millis(1));
        }
    }

    /// Like [`Going::look_for`], if it must be found.
    pub fn wait_for<T>(&mut self, what: &str, found: impl Fn() -> Option<T>) -> T {
        let it = self.look_for(what, found);
        it.unwrap_or_else(|| panic!("it ended without {what}"))
    }

    /// The run that is not in `before`, once it has a checkpoint.
    pub fn saved_run(&mut self, desk: &Desk, before: &[PathBuf]) -> PathBuf {
        self.wait_for("a checkpoint", || {
            let mut runs = desk.runs().into_iter();
            runs.find(|run| !before.contains(run) && crate::has_saved(run))
        })
    }

    /// Sends a signal, if it has not ended.
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "signals are sent in C")]
    pub fn signal(&mut self, signal: libc::c_int) {
        if !self.has_ended() {
            // SAFETY: the call only takes numbers. The process is a child that nobody has waited for, so the number is
            // still its own.
            assert_eq!(unsafe { libc::kill(self.id() as libc::pid_t, signal) }, 0);
        }
    }

    /// Pauses it.
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "only C tells when a child has stopped")]
    pub fn hold(&mut self) {
        self.signal(libc::SIGSTOP);
        let states = libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT;
        // SAFETY: all zeros are a valid value of the structure, which is written while it is borrowed.
        let told = unsafe {
            let mut told = std::mem::zeroed();
            libc::waitid(libc::P_PID, self.id(), &mut told, states)
        };
        assert_eq!(told, 0, "{}", std::io::Error::last_os_error());
        assert!(!self.has_ended(), "it has ended");
    }

    #[cfg(unix)]
    pub fn go_on(&mut self) {
        self.signal(libc::SIGCONT);
    }

    /// The result after its end.
    pub fn end(mut self) -> Done {
        Done::of(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The step of a run's newest checkpoint.
pub fn step(run: &Path) -> u64 {
    let name = newest(run).file_name().unwrap().to_owned();
    name.to_str().unwrap()[5..].parse().unwrap()
}

/// The first end of an epoch of a small run after all of these steps, as a flag.
pub fn end_past(steps: impl IntoIterator<Item = u64>) -> String {
    let last = steps.into_iter().max().unwrap();
    format!("--steps={}", (last / EPOCH + 1) * EPOCH)
}
