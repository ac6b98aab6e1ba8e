//! Every module has a layer, and imports only go down: this reads every `crate::` and `super::` path and holds it.

use std::fs;
use std::path::Path;

use ws_benches::sources::rust_files;

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

/// The paths to other modules in code, not in comments, and not in the tests at a file's end.
fn uses(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths =
        lines.flat_map(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')));
    let absolute = |path: &str| {
        let segments = path.split("::").filter(|segment| !segment.is_empty()).map(String::from);
        match path.split_once("::")?.0 {
            "crate" => Some(segments.skip(1).collect()),
            "super" => {
                Some(module[..module.len() - 1].iter().cloned().chain(segments.skip(1)).collect())
            }
            _ => None,
        }
    };
    paths.filter_map(absolute).filter(|path: &Vec<_>| !path.is_empty()).collect()
}

fn module_of(src: &Path, file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(src).expect("a file under src").with_extension("");
    let names = inside.components().map(|name| name.as_os_str().to_string_lossy().into_owned());
    names.filter(|name| name != "mod").collect()
}
