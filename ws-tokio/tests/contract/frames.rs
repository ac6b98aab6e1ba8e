//! Frames that end a connection, and the close code that the peer reads although it is still sending.

use tokio::io::AsyncWriteExt;
use ws_tokio::{CloseCode, DecodeError, Error, Role, Settings};

use crate::support::parse::frames;
use crate::support::tcp;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

/// What a peer goes on to send before it reads anything: more than the buffers of a TCP connection hold.
static MORE: [u8; 1 << 20] = [0; 1 << 20];
const TIMES: usize = 8;

/// A peer sends `wire` and megabytes behind it: it reads a close frame with `code`, and then the end; our end says
/// `error`, as often as it is asked.
async fn refused(us: Role, settings: Settings, wire: Vec<u8>, error: DecodeError, code: CloseCode) {
    let (mut connection, mut stream) = tcp::connection(us, settings).await;
    let peer = async move {
        stream.write_all(&wire).await.expect("we read on");
        for _ in 0..TIMES {
            stream.write_all(&MORE).await.expect("we read on");
        }
        tcp::read_to_end(&mut stream).await
    };
    let ours = async {
        loop {
            match connection.recv().await {
                Ok(Some(_)) => {}
                ended => return ended,
            }
        }
    };
    let (ended, read) = tokio::join!(ours, peer);
    assert!(matches!(ended, Err(Error::Protocol(it)) if it == error), "{ended:?}, not {error}");
    assert_eq!(frames(us, &read), [(0x88, close_payload(code.get(), ""))], "{error}");
    let again = connection.recv().await;
    assert!(matches!(again, Err(Error::Protocol(it)) if it == error), "{again:?}, again");
}

/// In both roles, a peer's `wire` closes with 1002.
async fn breaks_the_protocol(wire: impl Fn(Role) -> Vec<u8>, error: DecodeError) {
    for us in ROLES {
        let wire = wire(peer_of(us));
        refused(us, Settings::default(), wire, error, CloseCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn a_reserved_bit_without_its_extension_closes_1002() {
    for first in [0xc1, 0xa1, 0x91, 0xc9, 0xa8] {
        breaks_the_protocol(|peer| frame(peer, first, b""), DecodeError::ReservedBit).await;
    }
    let on_continuation = |peer| [frame(peer, 0x01, b"a"), frame(peer, 0xc0, b"b")].concat();
    breaks_the_protocol(on_continuation, DecodeError::ReservedBit).await;
}

#[tokio::test]
async fn a_reserved_opcode_closes_1002() {
    for opcode in [3, 7, 11, 15] {
        let wire = |peer| frame(peer, 0x80 | opcode, b"x");
        breaks_the_protocol(wire, DecodeError::ReservedOpcode(opcode)).await;
    }
}

#[tokio::test]
async fn a_control_frame_over_125_bytes_closes_1002() {
    for first in [0x88, 0x89, 0x8a] {
        let wire = |peer| frame(peer, first, &[b'x'; 126]);
        breaks_the_protocol(wire, DecodeError::ControlTooLong).await;
    }
}

#[tokio::test]
async fn a_fragmented_control_frame_closes_1002() {
    breaks_the_protocol(|peer| frame(peer, 0x09, b"p"), DecodeError::ControlFragmented).await;
}

#[tokio::test]
async fn a_continuation_without_a_start_closes_1002() {
    let error = DecodeError::ContinuationWithoutStart;
    breaks_the_protocol(|peer| frame(peer, 0x80, b"x"), error).await;
    let behind = |peer| [frame(peer, 0x81, b"whole"), frame(peer, 0x80, b"x")].concat();
    breaks_the_protocol(behind, error).await;
}

#[tokio::test]
async fn new_data_inside_a_message_closes_1002() {
    let wire = |peer| [frame(peer, 0x01, b"a"), frame(peer, 0x82, b"b")].concat();
    breaks_the_protocol(wire, DecodeError::MessageInsideMessage).await;
}

#[tokio::test]
async fn wrong_masking_closes_1002() {
    let code = CloseCode::PROTOCOL_ERROR;
    let (plain, masked) = (b"\x81\x02hi".to_vec(), b"\x81\x82\x00\x00\x00\x00hi".to_vec());
    refused(Role::Server, Settings::default(), plain, DecodeError::MaskMissing, code).await;
    refused(Role::Client, Settings::default(), masked, DecodeError::MaskUnexpected, code).await;
}

/// A header whose length is written out by hand, with a mask where the sender is a client.
fn with_length(sender: Role, length: &[u8]) -> Vec<u8> {
    let mut wire = [b"\x82", length, &[0; 4]].concat();
    if sender == Role::Client {
        wire[1] |= 0x80;
    }
    wire
}

#[tokio::test]
async fn a_length_that_is_not_minimal_closes_1002() {
    let error = DecodeError::LengthNotMinimal;
    breaks_the_protocol(|peer| with_length(peer, b"\x7e\x00\x7d"), error).await;
    breaks_the_protocol(|peer| with_length(peer, b"\x7f\0\0\0\0\0\0\xff\xff"), error).await;
}

#[tokio::test]
async fn a_length_with_its_top_bit_set_closes_1002() {
    let wire = |peer| with_length(peer, b"\x7f\x80\0\0\0\0\0\0\0");
    breaks_the_protocol(wire, DecodeError::LengthTopBit).await;
}

#[tokio::test]
async fn a_close_payload_of_one_byte_closes_1002() {
    breaks_the_protocol(|peer| frame(peer, 0x88, b"\x03"), DecodeError::ClosePayloadTooShort).await;
}

#[tokio::test]
async fn a_close_code_that_may_not_be_sent_closes_1002() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let wire = |peer| close(peer, code, "");
        breaks_the_protocol(wire, DecodeError::CloseCodeInvalid(code)).await;
    }
}

async fn is_no_utf8(wire: impl Fn(Role) -> Vec<u8>) {
    for us in ROLES {
        let (wire, error) = (wire(peer_of(us)), DecodeError::InvalidUtf8);
        refused(us, Settings::default(), wire, error, CloseCode::INVALID_PAYLOAD).await;
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_1007() {
    is_no_utf8(|peer| frame(peer, 0x81, b"\xce\xba\xff")).await;
    is_no_utf8(|peer| [frame(peer, 0x01, b"\xce"), frame(peer, 0x80, b"\xce")].concat()).await;
}

#[tokio::test]
async fn a_close_reason_that_is_not_utf8_closes_1007() {
    is_no_utf8(|peer| frame(peer, 0x88, b"\x03\xe8\xff")).await;
}

#[tokio::test]
async fn a_message_over_the_limit_closes_1009() {
    let settings = Settings::default().max_message(1000);
    let error = DecodeError::MessageTooBig { limit: 1000 };
    for us in ROLES {
        let whole = frame(peer_of(us), 0x82, &[7; 1001]);
        refused(us, settings, whole, error, CloseCode::TOO_BIG).await;
        let start = frame(peer_of(us), 0x02, &[7; 600]);
        let cumulative = [start, frame(peer_of(us), 0x80, &[7; 401])].concat();
        refused(us, settings, cumulative, error, CloseCode::TOO_BIG).await;
    }
}

#[tokio::test]
async fn a_message_of_too_many_fragments_closes_1008() {
    let settings = Settings::default().max_fragments(3);
    let error = DecodeError::TooManyFragments { limit: 3 };
    for us in ROLES {
        let start = frame(peer_of(us), 0x02, b"");
        let wire = [start, frame(peer_of(us), 0x00, b"").repeat(3)].concat();
        refused(us, settings, wire, error, CloseCode::POLICY_VIOLATION).await;
    }
}

/// With no more than these bytes, and silence, the connection is closed with `code`.
async fn refused_at_once(us: Role, wire: &[u8], code: CloseCode) {
    let (mut connection, mut peer) = tcp::connection(us, Settings::default()).await;
    let ours = async { connection.recv().await.expect_err("a refusal") };
    let peer = async move {
        peer.write_all(wire).await.expect("an open connection");
        tcp::read_to_end(&mut peer).await
    };
    let (_, read) = tokio::join!(ours, peer);
    assert_eq!(frames(us, &read), [(0x88, close_payload(code.get(), ""))]);
}

#[tokio::test]
async fn bad_text_is_refused_at_its_first_bad_byte() {
    for us in ROLES {
        let whole = frame(peer_of(us), 0x81, &[&b"good \xff"[..], &[b'x'; 1000]].concat());
        let head = whole.len() - 1006;
        refused_at_once(us, &whole[..head + 6], CloseCode::INVALID_PAYLOAD).await;
    }
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_at_its_header() {
    for us in ROLES {
        let header = with_length(peer_of(us), b"\x7f\x40\0\0\0\0\0\0\0");
        refused_at_once(
            us,
            &header[..if us == Role::Server { 14 } else { 10 }],
            CloseCode::TOO_BIG,
        )
        .await;
    }
}
