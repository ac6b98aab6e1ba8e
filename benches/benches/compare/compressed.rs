//! Echoes of compressed messages, and what connections hold for them.

use ws_benches::load::texts::TEXTS;
use ws_benches::servers::Deflate;
use ws_tokio::Compression::{ContextTakeover, NoContextTakeover};

use crate::cells::cpu_and_share;
use crate::effort::Effort;
use crate::page::{Compared, Page, rows};
use crate::plot::Failure;
use crate::rig::{NODE, in_turn, node_is_there, resident, start};

/// Those that compress and are there, with yawc in the form that suits.
fn compressing(yawc: &'static str) -> Vec<&'static str> {
    let all = ["ws-tokio run", "ws-tokio recv+feed", "sockudo-ws", yawc];
    all.into_iter().chain(node_is_there().then_some(NODE)).collect()
}

pub(crate) fn idle(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = compressing("yawc small buffers");
    let connections = effort.half_idle.to_string();
    let mut columns = vec![];
    for takeover in [NoContextTakeover, ContextTakeover] {
        let deflate = Deflate { takeover, level: 6 };
        let load = ["idle", &connections, &deflate.to_argument()];
        columns.push(resident(&names, deflate, &load)?);
    }
    let title =
        format!("Idle and compressed: KiB resident per connection, {connections} connections");
    let modes = ["no context takeover", "context takeover"];
    page.table(&title, &modes, &rows(names, &columns), Compared::Rows)
}

pub(crate) fn compression(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = compressing("yawc");
    let terms = [("no context takeover", NoContextTakeover), ("context takeover", ContextTakeover)];
    for (kind, takeover) in terms {
        let mut lines = vec![];
        for level in [1, 6] {
            let deflate = Deflate { takeover, level };
            let servers = start(&names, deflate)?;
            let texts = TEXTS.iter().flat_map(|text| SIZES.map(|size| (text.name, size)));
            for (text, size) in texts {
                let (bytes, seconds) = (size.to_string(), (effort.seconds / 4.0).to_string());
                let load = ["compressed", text, &bytes, &deflate.to_argument(), &seconds];
                let took = in_turn(effort.rounds.min(5), &servers, &load)?;
                let name = format!("{text}, {size} B, level {level}");
                lines.push((name, cpu_and_share(&took, size)));
            }
        }
        let title = format!("Compressed echo, {kind}: us of server CPU per message");
        page.table(&title, &names, &lines, Compared::Columns)?;
    }
    Ok(())
}

/// Bytes of compressed messages.
const SIZES: [usize; 3] = [256, 4096, 65_536];
