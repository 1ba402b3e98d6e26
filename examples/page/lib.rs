//! The module that the page runs. `scripts/page` builds it and combines it with the page into one file,
//! `target/page/page.html`.
#![cfg(target_family = "wasm")]

mod training;

use std::panic;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The page's function, which shows a line.
    fn tell(line: &str);
}

/// Trains, and reports the result.
#[wasm_bindgen]
pub fn train() -> Result<String, JsError> {
    // A module has nowhere to write to, so the page is told.
    panic::set_hook(Box::new(|panic| {
        wasm_bindgen::throw_str(&panic.to_string())
    }));
    Ok(training::train(tell)?.to_string())
}
