//! Bytes on the wire read back as frames, without the library's own codec.

use ws_tokio::Role;

/// A frame's first byte (FIN, reserved bits, opcode) and its payload, unmasked.
pub(crate) type Frame = (u8, Vec<u8>);

/// All frames of these bytes, which must be whole and of this role.
pub(crate) fn frames(sender: Role, wire: &[u8]) -> Vec<Frame> {
    let (frames, rest) = whole_frames(sender, wire);
    assert!(rest.is_empty(), "a cut frame");
    frames
}

/// The whole frames of these bytes, which must be of this role, and what is there of one more.
pub(crate) fn whole_frames(sender: Role, wire: &[u8]) -> (Vec<Frame>, &[u8]) {
    let (mut frames, mut whole) = (Vec::new(), wire);
    let mut rest = wire;
    while let Some(frame) = take_frame(sender, &mut rest) {
        frames.push(frame);
        whole = rest;
    }
    (frames, whole)
}

fn take_frame(sender: Role, rest: &mut &[u8]) -> Option<Frame> {
    let [first, second] = *take(rest, 2)? else { return None };
    assert_eq!(second & 0x80 != 0, sender == Role::Client, "a client masks, a server doesn't");
    let len = match second & 0x7f {
        126 => number(take(rest, 2)?),
        127 => number(take(rest, 8)?),
        short => usize::from(short),
    };
    let key = match sender {
        Role::Client => take(rest, 4)?,
        Role::Server => &[0; 4],
    };
    let payload = take(rest, len)?.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
    Some((first, payload.collect()))
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}
