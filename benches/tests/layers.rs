//! Every module has a layer, and imports only go down: this reads every `crate::` and `super::` path and holds it.

use std::fs;
use std::path::Path;

use ws_benches::sources::{from_root, module_of, paths, rust_files};

type Layers = &'static [&'static [&'static str]];

/// Each crate's modules, lowest layer first. What is inside a module that is named here is its own business, unless
/// it is named too.
const CRATES: [(&str, Layers); 4] = [
    (
        "ws-mask",
        &[
            &["key"],
            &["vector"],
            &["short"],
            &["kernel"],
            &["kernels"],
            &["table"],
            &["dispatch"],
            &["mask"],
            &["lib"],
        ],
    ),
    (
        "ws-core",
        &[
            &["counts", "role", "opcode", "close_code", "utf8", "deflate::options"],
            &["deflate::params", "deflate::state", "extras"],
            &["pool"],
            &["utf8_bytes", "error", "mask_keys"],
            &["header", "limits"],
            &["close_frame", "send_queue"],
            &["message"],
            &["deflate::inflater", "deflate::deflater", "deflate::absent"],
            &["deflate"],
            &["prepared"],
            &["decoder", "encoder"],
            &["handshake::key", "handshake::headers", "handshake::origin"],
            &["handshake::http1", "handshake::extension"],
            &["handshake::client", "handshake::server"],
            &["handshake"],
            &["lib"],
        ],
    ),
    (
        "ws-tokio",
        &[
            &[
                "callbacks",
                "counters",
                "pool",
                "random",
                "settings",
                "error",
                "failure",
                "linger",
                "sync",
                "transport",
                "wants",
            ],
            &["events", "items", "pings", "wakers"],
            &["head", "inbound", "news"],
            &["outbound"],
            &["outbox"],
            &["shared"],
            &["receiving"],
            &["connection"],
            &["options"],
            &["accept", "split"],
            &[
                "broadcast",
                "byte_stream",
                "connect",
                "reader",
                "server",
                "stream_sink",
                "tracker",
                "writer",
            ],
            &["pipe"],
            &["lib"],
        ],
    ),
    ("ws-json", &[&["error"], &["json"], &["receive", "send"], &["typed"], &["lib"]]),
];

#[test]
fn imports_only_go_down_the_layers() {
    for (name, layers) in CRATES {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        for file in rust_files(&src) {
            let module = module_of(&src, &file);
            let (layer, unit) = layer_of(layers, &module);
            for used in uses(&fs::read_to_string(&file).expect("a source file"), &module) {
                let (below, used) = layer_of(layers, &used);
                assert!(
                    used == unit || below < layer,
                    "{name}: {unit} ({layer}) uses {used} ({below})"
                );
            }
        }
    }
}

/// The layer of the innermost module on this path that has one.
fn layer_of(layers: Layers, path: &[String]) -> (usize, &'static str) {
    let prefixes = (1..=path.len()).rev().map(|len| path[..len].join("::"));
    let find = |name: String| {
        let layer = layers.iter().position(|modules| modules.contains(&&*name))?;
        layers[layer].iter().find(|module| **module == name).map(|module| (layer, *module))
    };
    prefixes
        .into_iter()
        .find_map(find)
        .unwrap_or_else(|| panic!("{} has no layer", path.join("::")))
}

/// The paths to other modules.
fn uses(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let paths = paths(text).into_iter().filter_map(|path| from_root(&path, module));
    paths.filter(|path| !path.is_empty()).collect()
}
