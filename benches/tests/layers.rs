//! Every room has a layer, and so has every file inside it; imports only go down. This reads every `crate::` and `super::` path
//! and holds it.

use std::fs;
use std::path::Path;

use ws_benches::sources::{from_root, module_of, paths, rust_files};

type Layers = &'static [&'static [&'static str]];

/// The modules of each crate, and of each room that has layers of its own, lowest layer first. What is inside a module that
/// is named here is its own business, unless it is named too.
const LAYERS: [(&str, Layers); 18] = [
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
            &[
                "counts",
                "role",
                "frame::opcode",
                "frame::close_code",
                "text::utf8",
                "deflate::options",
            ],
            &["deflate::params", "deflate::state", "extras"],
            &["pool"],
            &["text::utf8_bytes", "error", "frame::mask_keys"],
            &["frame::header", "limits"],
            &["frame::close_frame"],
            &["frame::control"],
            &["message"],
            &["deflate::inflater", "deflate::deflater", "deflate::absent"],
            &["deflate"],
            &["message::prepared"],
            &["decoder", "encoder"],
            &["handshake"],
            &["frame", "text"],
            &["lib"],
        ],
    ),
    (
        "ws-core/handshake",
        &[&["key", "headers", "origin"], &["http1", "extension"], &["client", "server"], &["lib"]],
    ),
    (
        "ws-tokio",
        &[
            &["error", "http2", "metrics", "settings", "tls"],
            &["items"],
            &["browser", "transport"],
            &["events"],
            &["machine"],
            &["connection"],
            &["split"],
            &["opening"],
            &["client", "server", "streams", "topics"],
            &["pipe", "upgrade"],
            &["lib"],
        ],
    ),
    (
        "ws-tokio/machine",
        &[
            &[
                "callbacks",
                "counters",
                "failure",
                "linger",
                "pings",
                "pool",
                "random",
                "sync",
                "wants",
            ],
            &["bell", "inbound", "life", "news", "wakers"],
            &["outbound", "tracking"],
            &["outbox"],
            &["shared"],
            &["handler", "receives", "receiving"],
            &["lib"],
        ],
    ),
    (
        "ws-tokio/browser",
        &[
            &["error", "settings", "timeout"],
            &["events"],
            &["drain"],
            &["socket"],
            &["connection"],
            &["connect", "split"],
            &["stream_sink"],
            &["lib"],
        ],
    ),
    (
        "ws-tokio/client",
        &[
            &["progress", "race"],
            &["proxy"],
            &["error"],
            &["dial", "handshake", "reconnect"],
            &["http2"],
            &["options"],
            &["connect"],
            &["session"],
            &["lib"],
        ],
    ),
    (
        "ws-tokio/server",
        &[
            &["asked", "choices", "error", "refuse", "served", "tracker"],
            &["asker", "options", "serving", "told"],
            &["incoming"],
            &["accept", "http2"],
            &["layer"],
            &["listener"],
            &["lib"],
        ],
    ),
    ("ws-tokio/http2", &[&["options", "sent"], &["stream"], &["lib"]]),
    (
        "ws-tokio/tls",
        &[
            &["alpn", "asked", "buffer", "error"],
            &["provider", "session"],
            &["stream"],
            &["client", "server"],
            &["lib"],
        ],
    ),
    (
        "ws-tokio/topics",
        &[
            &["options"],
            &["queue"],
            &["topic"],
            &["bus", "inbox", "single"],
            &["deliver"],
            &["hub", "subscription"],
            &["broadcast"],
            &["lib"],
        ],
    ),
    ("ws-tokio/topics/bus", &[&["nats", "redis"], &["lib"]]),
    (
        "ws-tokio/topics/bus/nats",
        &[
            &["address", "error", "ready", "subject"],
            &["callback", "calls", "received"],
            &["live"],
            &["lib"],
        ],
    ),
    (
        "ws-tokio/topics/bus/redis",
        &[&["channels", "connect", "inbox"], &["link"], &["keeper"], &["lib"]],
    ),
    (
        "ws-tokio/topics/hub",
        &[
            &["named", "names"],
            &["gap"],
            &["channel", "published"],
            &["event", "link"],
            &["registry"],
            &["seat"],
            &["nodes", "subscriber"],
            &["lib"],
        ],
    ),
    (
        "ws-tokio/topics/hub/nodes",
        &[&["envelope", "interest"], &["side"], &["incoming", "outgoing"], &["lib"]],
    ),
    (
        "ws-tokio/upgrade",
        &[
            &["proof", "refused", "stream"],
            &["judged"],
            &["upgrading"],
            &["request"],
            &["axum", "in_memory"],
            &["lib"],
        ],
    ),
    ("ws-json", &[&["duplex", "error"], &["json"], &["receive", "send"], &["typed"], &["lib"]]),
];

/// What a feature may stand on beside the machine's public types: with more, it would be a second machine.
const DOORS: [&str; 11] = [
    "Inbound", "Outbox", "Outcome", "Receives", "Registry", "Shared", "Stage", "Ticket", "Waiter",
    "Want", "random",
];

/// The rooms of features: they end in a connection, and nothing of a connection's knows of them.
const FEATURES: [&str; 5] = ["client", "server", "streams", "topics", "upgrade"];

#[test]
fn imports_only_go_down_the_layers() {
    for (place, layers) in LAYERS {
        let (name, room) = place.split_once('/').unwrap_or((place, ""));
        for (module, text) in sources(name) {
            let Some(inner) = inside(&module, room) else { continue };
            let (layer, unit) = layer_of(layers, &inner);
            // Paths to other rooms are the crate's to judge.
            for used in uses(&text, &module).iter().filter_map(|used| inside(used, room)) {
                let (below, used) = layer_of(layers, &used);
                assert!(
                    used == unit || below < layer,
                    "{place}: {unit} ({layer}) uses {used} ({below})"
                );
            }
        }
    }
}

#[test]
fn a_features_room_uses_the_machine_through_few_doors() {
    for (module, text) in sources("ws-tokio") {
        if !FEATURES.contains(&module[0].as_str()) {
            continue;
        }
        let uses = uses(&text, &module);
        for door in uses.iter().filter(|used| used[0] == "machine").filter_map(|used| used.get(1)) {
            assert!(DOORS.contains(&door.as_str()), "{} uses {door}", module.join("::"));
        }
    }
}

/// Each file of a crate: its module, and what it says.
fn sources(name: &str) -> Vec<(Vec<String>, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    let files = rust_files(&src).into_iter();
    files.map(|file| (module_of(&src, &file), fs::read_to_string(file).expect("text"))).collect()
}

/// The path below the room, if it leads there; `lib` for the room's own file.
fn inside(path: &[String], room: &str) -> Option<Vec<String>> {
    if room.is_empty() {
        return Some(path.to_vec());
    }
    match path.split_first()? {
        (first, []) if first == room => Some(vec![String::from("lib")]),
        (first, rest) if first == room => Some(rest.to_vec()),
        _ => None,
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
