//! Frames as bytes on the wire, built without the library's own codec.

use ws_tokio::Role;

/// The key that a test's own client masks with: that of the RFC's example (RFC 6455, 5.7).
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Both ends of a connection.
pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// The role at the other end.
pub(crate) const fn peer_of(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// A frame as this role sends it.
pub(crate) fn frame(sender: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    match sender {
        Role::Client => {
            let masked = payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
            head(first, 0x80, payload.len()).into_iter().chain(KEY).chain(masked).collect()
        }
        Role::Server => [&head(first, 0, payload.len()), payload].concat(),
    }
}

/// A close frame with a code and a reason, as this role sends it.
pub(crate) fn close(sender: Role, code: u16, reason: &str) -> Vec<u8> {
    frame(sender, 0x88, &close_payload(code, reason))
}

/// The payload of a close frame.
pub(crate) fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// A header up to its length, which stands in the shortest form.
fn head(first: u8, mask: u8, len: usize) -> Vec<u8> {
    match len {
        0..=125 => vec![first, mask | len as u8],
        126..=0xffff => [&[first, mask | 126][..], &(len as u16).to_be_bytes()].concat(),
        _ => [&[first, mask | 127][..], &(len as u64).to_be_bytes()].concat(),
    }
}
