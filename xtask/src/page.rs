//! `cargo xtask page`: the audit's page in a real browser.

use std::fs;

use crate::command::{Outcome, run, works};

/// Where the page, its pictures and what drives the browser lie.
const FOLDER: &str = "target/page";

/// A site whose weakening is killed.
const SITE: &str = "Unlock";

/// Writes the page from the verdicts of the last audit, opens it in Chromium, and uses it. Where there is no Chromium,
/// Debian's is installed, if that is possible.
pub(crate) fn page() -> Outcome {
    if !works("chromium --version") && !works("apt-get install -y -q --no-install-recommends chromium") {
        // Its lists may be old, or not there yet.
        let installed = works("apt-get update") && works("apt-get install -y -q --no-install-recommends chromium");
        if !installed {
            eprintln!("SKIPPED: the page in a browser: there is no Chromium, and none can be installed");
            return Ok(());
        }
    }
    run(&format!("cargo run -q --bin audit -- html {FOLDER}"))?;
    let folder = rescind_models::root().join(FOLDER);
    let script = rescind_models::root().join("audit/tests/page/check.mjs");
    fs::copy(script, folder.join("check.mjs")).map_err(|e| format!("cannot copy the page's check: {e}"))?;
    if !works(&format!("npm install --silent --no-save --prefix {FOLDER} playwright-core@1.56.1")) {
        eprintln!("SKIPPED: the page in a browser: npm cannot install playwright-core");
        return Ok(());
    }
    run(&format!("node {FOLDER}/check.mjs {FOLDER}/index.html {FOLDER} {SITE}"))?;
    println!("the page works in Chromium; pictures of it: {FOLDER}/page-*.png");
    Ok(())
}
