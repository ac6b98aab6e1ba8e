//! What our stream of TLS makes of a peer that is wrong, and of one that says that we are; and keys that change.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_tokio::rustls::crypto::{CryptoProvider, ring};
use ws_tokio::rustls::{
    AlertDescription, CipherSuiteCommon, Error, InvalidMessage, SupportedCipherSuite,
    Tls13CipherSuite, version,
};

use crate::peer::{Side, Stream, Terms, all_terms, found, open, open_with};

const WIDE: usize = 1 << 20;

/// The stream fails, and goes on failing.
async fn fails(ours: &mut Box<dyn Stream>, expected: &Error) {
    for _ in 0..2 {
        let error = ours.read(&mut [0; 64]).await.expect_err("it has failed");
        assert_eq!((error.kind(), found(&error)), (io::ErrorKind::InvalidData, Some(expected)));
    }
    ours.write_all(b"more").await.expect_err("both directions have ended");
    ours.shutdown().await.expect("the transport's");
}

#[tokio::test]
async fn a_record_that_was_changed_is_told_to_the_peer_behind_what_came_before() {
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        let mut records = peer.sealed(b"fine");
        records.extend(peer.sealed(b"changed"));
        *records.last_mut().unwrap() ^= 1;
        peer.pipe.write_all(&records).await.unwrap();
        let mut read = [0; 64];
        assert_eq!(ours.read(&mut read).await.unwrap(), 4, "{terms:?}");
        fails(&mut ours, &Error::DecryptError).await;
        let alert = Error::AlertReceived(AlertDescription::BadRecordMac);
        assert_eq!(peer.fails().await, alert);
    }
}

#[tokio::test]
async fn a_record_of_a_length_or_a_type_that_there_is_not_is_told_to_the_peer_at_once() {
    let too_long = [0x17, 3, 3, 0xff, 0xff];
    let no_type = [0x99, 3, 3, 0, 5];
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        peer.pipe.write_all(&too_long).await.unwrap();
        fails(&mut ours, &Error::InvalidMessage(InvalidMessage::MessageTooLarge)).await;
        assert!(matches!(peer.fails().await, Error::AlertReceived(_)), "{terms:?}");
        let (mut ours, mut peer) = open(terms).await;
        peer.pipe.write_all(&no_type).await.unwrap();
        fails(&mut ours, &Error::InvalidMessage(InvalidMessage::InvalidContentType)).await;
        let alert = Error::AlertReceived(AlertDescription::DecodeError);
        assert_eq!(peer.fails().await, alert, "{terms:?}");
    }
}

#[tokio::test]
async fn an_alert_of_the_peer_is_an_error_that_names_it() {
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        // It finds no record of ours in this, and says so.
        peer.session.read_tls(&mut &[0x17, 3, 3, 0, 40][..]).unwrap();
        peer.session.read_tls(&mut &[7; 40][..]).unwrap();
        peer.session.process_new_packets().expect_err("nonsense");
        let alert = peer.unsent();
        peer.pipe.write_all(&alert).await.unwrap();
        fails(&mut ours, &Error::AlertReceived(AlertDescription::BadRecordMac)).await;
    }
}

#[tokio::test]
async fn an_alert_that_has_no_room_is_not_waited_for() {
    for terms in all_terms(64) {
        let (mut ours, mut peer) = open(terms).await;
        ours.write_all(&[7; 100]).await.unwrap();
        peer.pipe.write_all(&[0x99, 3, 3, 0, 5]).await.unwrap();
        let error = ours.read(&mut [0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

const SIDES: [Terms; 2] = [
    Terms { side: Side::Client, version: &version::TLS13, pipe: WIDE },
    Terms { side: Side::Server, version: &version::TLS13, pipe: WIDE },
];

#[tokio::test]
async fn keys_change_in_both_directions_when_the_peer_asks_for_it() {
    for terms in SIDES {
        let (mut ours, mut peer) = open(terms).await;
        for round in 0..50_u8 {
            // It asks for ours too, which is answered in front of the next record.
            peer.session.refresh_traffic_keys().unwrap();
            let mut records = peer.unsent();
            records.extend(peer.sealed(&[round; 100]));
            // Cut in the request, and between it and what follows.
            for part in records.chunks(10) {
                peer.pipe.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
            let mut read = [0; 100];
            ours.read_exact(&mut read).await.unwrap();
            assert_eq!(read, [round; 100], "{terms:?}");
            ours.write_all(&read).await.unwrap();
            assert_eq!(peer.receive(100).await, [round; 100]);
        }
    }
}

/// Keys that are good for few records.
fn short_lived() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    provider.cipher_suites = vec![SupportedCipherSuite::Tls13(Box::leak(Box::new(short(
        ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().expect("of 1.3"),
    ))))];
    Arc::new(provider)
}

fn short(suite: &'static Tls13CipherSuite) -> Tls13CipherSuite {
    let Tls13CipherSuite { common, hkdf_provider, aead_alg, quic } = suite;
    Tls13CipherSuite {
        common: CipherSuiteCommon {
            suite: common.suite,
            hash_provider: common.hash_provider,
            confidentiality_limit: 5,
        },
        hkdf_provider: *hkdf_provider,
        aead_alg: *aead_alg,
        quic: *quic,
    }
}

#[tokio::test]
async fn our_keys_change_by_themselves_before_they_are_used_up() {
    let provider = short_lived();
    for terms in SIDES {
        let (mut ours, mut peer) = open_with(terms, &provider).await;
        for round in 0..50_u8 {
            ours.write_all(&[round; 100]).await.unwrap();
            assert_eq!(peer.receive(100).await, [round; 100], "{terms:?}");
            peer.send(&[round]).await;
            assert_eq!(ours.read_u8().await.unwrap(), round);
        }
    }
}
