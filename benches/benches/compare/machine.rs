//! The machine that measures, and when.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use ws_benches::packages::metadata;

/// Its processor, cores, system and compiler, and the day, in one line.
pub(crate) fn line() -> String {
    let cores = available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{}, {cores} cores, Linux {}, {}, {}",
        processor(),
        kernel.trim(),
        said("rustc", &["--version"]),
        said("date", &["-u", "+%Y-%m-%d"])
    )
}

fn processor() -> String {
    let info = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    // Some hypervisors hide the model's number in its name.
    match (field("cpu family"), field("model\t")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name,
    }
}

/// The peers of the tables with their versions, in one line.
pub(crate) fn peers() -> String {
    let found = metadata(&[]);
    let packages = found["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let version = |name: &&str| {
        let called = packages.iter().filter(|package| package["name"] == **name);
        let versions = called.filter_map(|package| package["version"].as_str());
        // Another may be there for a peer that is built on an older one.
        let newest = versions.max_by_key(|version| {
            version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u64>>()
        });
        newest.map(|newest| format!("{name} {newest}"))
    };
    PEERS.iter().filter_map(version).collect::<Vec<_>>().join(", ")
}

const PEERS: [&str; 7] = [
    "sockudo-ws",
    "yawc",
    "fastwebsockets",
    "tokio-websockets",
    "tokio-tungstenite",
    "axum",
    "tokio",
];

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| format!("{program} unknown"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
