//! Signals: the first asks the run to stop cleanly, the second ends the process.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rootlet::error::Fault;
use rootlet::{Error, Result};

use super::output;

/// Exit status of a run that Ctrl-C stopped: 128 + SIGINT, the shells' convention.
const INTERRUPTED: u8 = 130;

/// Exit status of a run that saved and stopped because the system or a scheduler asked it to (SIGTERM; the warnings
/// SIGUSR1, SIGUSR2 and SIGXCPU): EX_TEMPFAIL of sysexits.h, "try again later". The same command with `--resume`
/// continues it.
pub(super) const RESUME_ME: u8 = 75;

/// What the signals asked for.
pub struct Interrupt {
    /// Set by the first signal.
    pub stop: Arc<AtomicBool>,
    status: Arc<AtomicU8>,
}

impl Interrupt {
    /// Starts listening.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn listen() -> Result<Self> {
        let interrupt = Self {
            stop: Arc::default(),
            status: Arc::new(AtomicU8::new(INTERRUPTED)),
        };
        let (stop, status) = (interrupt.stop.clone(), interrupt.status.clone());
        let came = move |signal: Signal| {
            if stop.load(Ordering::SeqCst) {
                std::process::exit(signal.at_once.into());
            }
            // Store the status first: whoever sees the flag may ask for it.
            status.store(signal.in_order, Ordering::SeqCst);
            stop.store(true, Ordering::SeqCst);
            output::say(&format!("\n{}", signal.reported));
        };
        listen(came).map_err(|error| {
            Error::Device(Fault::Thread {
                what: "to listen for signals".to_owned(),
                why: error.to_string(),
            })
        })?;
        Ok(interrupt)
    }

    /// The exit status of a run that a signal stopped.
    pub fn status(&self) -> ExitCode {
        ExitCode::from(self.status.load(Ordering::SeqCst))
    }
}

/// What a signal means.
struct Signal {
    /// Exit status of a run that stops cleanly.
    in_order: u8,
    /// Exit status if it is the second signal.
    at_once: u8,
    /// What is printed if it is the first signal.
    reported: &'static str,
}

const STOPPING: &str = "stopping after a checkpoint; press Ctrl-C again to stop at once";

#[cfg(unix)]
fn listen(came: impl Fn(Signal) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU])?;
    // When a file reaches its size limit, the write should fail and be reported, rather than the process end.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    // Under nohup, the process must survive the end of the terminal.
    if !is_ignored(SIGHUP) {
        signals.add_signal(SIGHUP)?;
    }
    let wait = move || {
        for number in signals.forever() {
            let by_convention = 128 + number as u8;
            came(Signal {
                in_order: match number {
                    SIGTERM | SIGUSR1 | SIGUSR2 | SIGXCPU => RESUME_ME,
                    _ => by_convention,
                },
                at_once: by_convention,
                reported: match number {
                    SIGINT => STOPPING,
                    _ => "stopping after a checkpoint",
                },
            });
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)?;
    Ok(())
}

/// Whether the process was started with this signal ignored.
#[cfg(unix)]
#[expect(unsafe_code, reason = "sigaction is only in C")]
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: no new action is given, so the call only fills in the old one, which is all zeros until then and
    // therefore valid.
    let action = unsafe {
        match libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) {
            0 => action.assume_init(),
            _ => return false,
        }
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// On other systems, Ctrl-C, Ctrl-Break and closing the console are one signal.
#[cfg(not(unix))]
fn listen(came: impl Fn(Signal) + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || {
        came(Signal {
            in_order: INTERRUPTED,
            at_once: INTERRUPTED,
            reported: STOPPING,
        });
    })
}
