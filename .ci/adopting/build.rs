//! Two crates mask in a private module: its file, as published and with the patch, becomes a module of ours.

use std::path::Path;
use std::{env, fs};

const FILES: [(&str, &str); 2] = [
    ("tungstenite", "tungstenite/src/protocol/frame/mask.rs"),
    ("tokio_websockets", "tokio-websockets/src/mask.rs"),
];

fn main() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/adopting");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    for side in ["before", "after"] {
        let mut modules = String::new();
        for (name, file) in FILES {
            let path = sources.join(side).join(file);
            println!("cargo:rerun-if-changed={}", path.display());
            modules +=
                &format!("#[path = {path:?}]\n#[allow(warnings, clippy::all)]\npub mod {name};\n");
        }
        fs::write(Path::new(&out).join(format!("{side}.rs")), modules).expect("cargo's folder");
    }
}
