//! Bytes on the wire read back as frames, without the library's own codec.

use ws_tokio::Role;

/// A frame's first byte (FIN, reserved bits, opcode) and its payload, unmasked.
pub(crate) type Frame = (u8, Vec<u8>);

/// All frames of these bytes, which must be whole and of this role.
pub(crate) fn frames(sender: Role, wire: &[u8]) -> Vec<Frame> {
    let (mut frames, mut rest) = (Vec::new(), wire);
    while !rest.is_empty() {
        frames.push(take_frame(sender, &mut rest));
    }
    frames
}

fn take_frame(sender: Role, rest: &mut &[u8]) -> Frame {
    let [first, second] = take(rest, 2) else { panic!("a cut header") };
    assert_eq!(second & 0x80 != 0, sender == Role::Client, "a client masks, a server doesn't");
    let len = match second & 0x7f {
        126 => take(rest, 2).iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
        127 => take(rest, 8).iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
        short => usize::from(short),
    };
    let key = match sender {
        Role::Client => take(rest, 4),
        Role::Server => &[0; 4],
    };
    let payload = take(rest, len).iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
    (*first, payload.collect())
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at_checked(len).expect("whole frames");
    *rest = left;
    taken
}
