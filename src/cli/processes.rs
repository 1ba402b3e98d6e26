//! `rootlet train --processes N`: starts the ranks on this machine, looks after them, and starts them again.
//!
//! Each is this program with the same command line, and torchrun's variables. A rank stops in order when its standard
//! input ends, so nothing is left behind when this process dies.

use std::ffi::OsString;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rootlet::error::RankFault;
use rootlet::report::RunFolder;
use rootlet::{Error, Result};

use super::interrupt::Interrupt;
use super::output;

/// Tells a process that it is a rank, and names the file that rank 0 writes its run's folder into.
const LAUNCHED: &str = "ROOTLET_LAUNCHED";

/// The variable with the secret that all ranks of a run know.
pub(super) const SECRET: &str = "ROOTLET_SECRET";

/// How long ranks may take to end after the first has failed, besides the silence after which they notice.
const GRACE: Duration = Duration::from_secs(5);

/// Time between two looks at the ranks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What to start.
pub(super) struct Processes {
    /// How many.
    pub count: usize,
    /// How often to start again after a failure.
    pub restarts: u32,
    /// Seconds after which a silent rank counts as dead.
    pub silence: u64,
    /// The run that they resume, if they do.
    pub resumes: Option<PathBuf>,
    /// Flags of a command that goes on with a run.
    pub again: Vec<OsString>,
}

/// Whether this process is a rank that `--processes` started.
pub(super) fn is_launched() -> bool {
    std::env::var_os(LAUNCHED).is_some()
}

/// For a rank: stops in order when the process that started it is gone.
pub(super) fn stop_with_parent(stop: &Arc<AtomicBool>) -> Result<()> {
    let stop = stop.clone();
    let wait = move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        stop.store(true, Ordering::SeqCst);
    };
    let started = std::thread::Builder::new().spawn(wait);
    started.map(drop).map_err(refused("start a thread"))
}

/// For rank 0: says where the run is, so that it can be started again.
pub(super) fn tell_folder(folder: &Path) {
    if let Some(file) = std::env::var_os(LAUNCHED) {
        // Without it, a restart begins anew.
        let _ = std::fs::write(file, folder.as_os_str().as_encoded_bytes());
    }
}

/// How the ranks ended.
enum Outcome {
    /// All of them in order.
    Done,
    /// With the status of the first that failed.
    Failed(u8),
}

/// Starts the ranks, and again after a failure, as often as allowed.
pub(super) fn launch(processes: &Processes, interrupt: &Interrupt) -> Result<ExitCode> {
    let told = tempfile::NamedTempFile::new().map_err(refused("make a temporary file"))?;
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut left = processes.restarts;
    loop {
        match processes.run(&words, told.path(), interrupt)? {
            _ if interrupt.stop.load(Ordering::SeqCst) => return Ok(interrupt.status()),
            Outcome::Done => return Ok(ExitCode::SUCCESS),
            // A mistake in the command line stays one.
            Outcome::Failed(status) if left == 0 || status == 2 => {
                if let Some(run) = processes.run_folder(told.path()) {
                    note_saved(&run);
                }
                return Ok(ExitCode::from(status));
            }
            Outcome::Failed(_) => {
                left -= 1;
                match processes
                    .run_folder(told.path())
                    .filter(|run| is_saved(run))
                {
                    None => output::note("the ranks are started again, from the beginning"),
                    Some(run) => {
                        output::note(&format!(
                            "the ranks are started again, and go on with {}",
                            run.display()
                        ));
                        words = vec!["train".into(), "--resume".into(), run.into()];
                        words.extend(processes.again.clone());
                    }
                }
            }
        }
    }
}

/// Whether a run has something to go on from.
fn is_saved(run: &Path) -> bool {
    RunFolder::open(run).is_ok_and(|folder| folder.has_checkpoint())
}

/// After a failure, says how the run can go on, if anything was saved.
pub(super) fn note_saved(run: &Path) {
    if is_saved(run) {
        output::note(&format!(
            "what was trained is saved: go on with `rootlet train --resume {}`, with as many ranks as you like",
            run.display()
        ));
    }
}

/// The folder that rank 0 wrote.
fn read_folder(file: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(file).ok()?;
    (!text.is_empty()).then(|| text.into())
}

fn refused(doing: &str) -> impl FnOnce(std::io::Error) -> Error {
    let doing = doing.to_owned();
    move |error| {
        Error::Rank(RankFault::Connection {
            doing,
            why: error.to_string(),
        })
    }
}

impl Processes {
    /// The run that the ranks train, if rank 0 has begun one. `told`: the file that it writes.
    fn run_folder(&self, told: &Path) -> Option<PathBuf> {
        self.resumes.clone().or_else(|| read_folder(told))
    }

    fn run(&self, words: &[OsString], told: &Path, interrupt: &Interrupt) -> Result<Outcome> {
        let mut ranks = Ranks(Vec::new());
        let program = std::env::current_exe().map_err(refused("find this program"))?;
        let port = free_port()?;
        let secret = secret()?;
        for rank in 0..self.count {
            let mut command = Command::new(&program);
            command
                .args(words)
                .env(LAUNCHED, told)
                .env(SECRET, &secret)
                .env("RANK", rank.to_string())
                .env("LOCAL_RANK", rank.to_string())
                .env("WORLD_SIZE", self.count.to_string())
                .env("LOCAL_WORLD_SIZE", self.count.to_string())
                .env("MASTER_ADDR", "127.0.0.1")
                .env("MASTER_PORT", port.to_string())
                .stdin(Stdio::piped());
            if rank > 0 {
                command.stdout(Stdio::null());
            }
            // Signals from the terminal come to this process alone, which passes them on.
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            let started = command.spawn();
            (ranks.0).push(started.map_err(refused(&format!("start rank {rank}")))?);
        }
        ranks.wait(interrupt, Duration::from_secs(self.silence) + GRACE)
    }
}

/// The started ranks; they are ended if they are dropped.
struct Ranks(Vec<Child>);

impl Ranks {
    /// Waits for all of them; for at most `patience` after the first has failed.
    fn wait(mut self, interrupt: &Interrupt, patience: Duration) -> Result<Outcome> {
        let mut failed: Option<(u8, Instant)> = None;
        loop {
            let mut runs = false;
            for (rank, child) in self.0.iter_mut().enumerate() {
                if interrupt.stop.load(Ordering::SeqCst) {
                    drop(child.stdin.take());
                }
                let doing = format!("wait for rank {rank}");
                match child.try_wait().map_err(refused(&doing))? {
                    None => runs = true,
                    Some(status) if status.success() || failed.is_some() => {}
                    Some(status) => {
                        // Whoever ends by itself has said why.
                        if status.code().is_none() {
                            output::note(&format!("rank {rank} was ended from outside ({status})"));
                        }
                        let status = status.code().and_then(|code| u8::try_from(code).ok());
                        failed = Some((status.unwrap_or(1), Instant::now()));
                    }
                }
            }
            match failed {
                Some((status, _)) if !runs => return Ok(Outcome::Failed(status)),
                // One that is stopped does not end by itself: dropping ends it.
                Some((status, since)) if since.elapsed() > patience => {
                    return Ok(Outcome::Failed(status));
                }
                None if !runs => return Ok(Outcome::Done),
                _ => std::thread::sleep(LOOK_EVERY),
            }
        }
    }
}

impl Drop for Ranks {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port that no one uses.
fn free_port() -> Result<u16> {
    let doing = "find a free port";
    let listener = TcpListener::bind("127.0.0.1:0").map_err(refused(doing))?;
    Ok(listener.local_addr().map_err(refused(doing))?.port())
}

/// What the ranks of one run know.
fn secret() -> Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::Rank(RankFault::Connection {
            doing: "draw random numbers".to_owned(),
            why: error.to_string(),
        })
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
