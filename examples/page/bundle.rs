//! Makes a single file of the page and the module that it runs, which any browser opens without a server:
//! `bundle MODULE.wasm PAGE.html`, as `scripts/page` calls it.

use std::error::Error;
use std::{env, fs};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, module, page] = &arguments[..] else {
        return Err("usage: bundle MODULE.wasm PAGE.html".into());
    };
    let mut output = Bindgen::new()
        .input_path(module)
        .no_modules(true)?
        .typescript(false)
        .generate_output()?;
    let code = BASE64_STANDARD.encode(output.wasm_mut().emit_wasm());
    let text = include_str!("page.html")
        .replace("/* glue */", output.js())
        .replace("/* module */", &code);
    fs::write(page, text)?;
    Ok(())
}
