//! Chromium without a window, driven by the tests. `scripts/test` installs it if it is missing; `ROOTLET_CHROMIUM`
//! names another one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The Chromium of this machine. If there is none, that is a failure: nothing would be tested.
fn chromium() -> PathBuf {
    if let Some(named) = std::env::var_os("ROOTLET_CHROMIUM") {
        return named.into();
    }
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|path| path.is_file()).expect(
        "no Chromium in the PATH; `apt-get install chromium` installs one on Debian, or name one in ROOTLET_CHROMIUM",
    )
}

/// A headless Chromium whose profile is in `folder`; its log and the consoles of its pages go to standard error.
pub fn command(folder: &Path) -> Command {
    let profile = folder.join("profile");
    let mut command = Command::new(chromium());
    command
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--no-first-run",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            "--v=0",
        ])
        .arg(format!("--user-data-dir={}", profile.display()));
    command
}
