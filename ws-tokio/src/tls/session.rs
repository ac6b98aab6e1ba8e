//! A session of TLS between two buffers of ciphertext: rustls's unbuffered connections, a client's and a server's.

use std::cmp;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::ReadBuf;
use tokio_rustls::rustls::client::UnbufferedClientConnection;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::server::UnbufferedServerConnection;
use tokio_rustls::rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, WriteTraffic,
};
use tokio_rustls::rustls::{ClientConfig, CommonState, Error, ServerConfig};

use super::asked::{Asked, note_name};
use super::buffer::Buffer;

/// Longest plaintext of a record (RFC 8446, 5.1).
pub(super) const RECORD: usize = 16 * 1024;

/// More than a record adds to its plaintext (RFC 8446, 5.2): a guess at the room for it; rustls says what it needs.
const OVERHEAD: usize = 64;

/// Moves ciphertext from `incoming`, which others fill, and to `outgoing`, which others empty.
pub(super) struct Session {
    side: Side,
    asked: Asked,
    pub(super) incoming: Buffer,
    pub(super) outgoing: Buffer,
    /// Plaintext of a record that was longer than the reader's room.
    rest: Bytes,
    /// Whether `incoming` may begin with a whole record. If not, it has the beginning of a record, or of a handshake message.
    unseen: bool,
    /// The peer's `close_notify` has arrived.
    peer_closed: bool,
    /// Ours is in `outgoing`, or has left.
    closed: bool,
    failed: Option<Error>,
}

enum Side {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

/// What to do where plaintext may be sent.
#[derive(Clone, Copy)]
enum Wish<'a> {
    Nothing,
    Encrypt(&'a [u8]),
    Close,
}

/// The result of a step.
enum Next {
    Again,
    Plaintext,
    /// The wish has come true.
    Written,
    /// More ciphertext is needed.
    Blocked,
    PeerClosed,
    Failed(Error),
}

impl Session {
    pub(super) fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Box<Self>, Error> {
        let side = UnbufferedClientConnection::new(config, name)?;
        Ok(Self::new(Side::Client(side), Arc::default()))
    }

    /// Begins a server's session with a configuration for it alone.
    pub(super) fn server(mut config: ServerConfig) -> Result<Box<Self>, Error> {
        let asked = note_name(&mut config);
        // It would have to be read before the handshake is complete, and can be replayed.
        config.max_early_data_size = 0;
        let side = UnbufferedServerConnection::new(Arc::new(config))?;
        Ok(Self::new(Side::Server(side), asked))
    }

    fn new(side: Side, asked: Asked) -> Box<Self> {
        Box::new(Self {
            side,
            asked,
            incoming: Buffer::default(),
            outgoing: Buffer::default(),
            rest: Bytes::new(),
            unseen: true,
            peer_closed: false,
            closed: false,
            failed: None,
        })
    }

    pub(super) fn state(&self) -> &CommonState {
        match &self.side {
            Side::Client(side) => side,
            Side::Server(side) => side,
        }
    }

    /// Returns the name that the client asked for.
    pub(super) fn server_name(&self) -> Option<&str> {
        self.asked.get().map(|name| &**name)
    }

    /// Returns what ended the session. Both directions have ended then.
    pub(super) fn failure(&self) -> Option<io::Error> {
        let error = self.failed.clone()?;
        Some(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Returns whether nothing will be decrypted any more, as the peer has said so.
    pub(super) const fn peer_closed(&self) -> bool {
        self.peer_closed && self.rest.is_empty()
    }

    /// Goes on with the handshake, as far as what has arrived allows. Returns whether it is complete. What is behind it stays
    /// where it is.
    pub(super) fn shake_hands(&mut self) -> bool {
        while self.state().is_handshaking() || self.state().wants_write() {
            let Next::Again = self.step(Wish::Nothing, &mut ReadBuf::new(&mut [])) else { break };
        }
        let is_complete = !self.state().is_handshaking();
        // A record may have arrived behind the last handshake message.
        self.unseen |= is_complete;
        is_complete
    }

    /// Decrypts what has arrived, until the room is full or no whole record is left.
    pub(super) fn decrypt(&mut self, room: &mut ReadBuf<'_>) {
        let len = cmp::min(self.rest.len(), room.remaining());
        room.put_slice(&self.rest.split_to(len));
        while room.remaining() > 0 && !self.incoming.is_empty() {
            let (Next::Again | Next::Plaintext) = self.step(Wish::Nothing, room) else { return };
        }
    }

    /// Encrypts into `outgoing`.
    pub(super) fn encrypt(&mut self, plain: &[u8]) -> io::Result<()> {
        if plain.is_empty() {
            return Ok(());
        }
        if self.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.write(Wish::Encrypt(plain))
    }

    /// Puts a `close_notify` into `outgoing`, unless one or a fatal alert was there before.
    pub(super) fn close(&mut self) -> io::Result<()> {
        if self.closed || self.failed.is_some() {
            return Ok(());
        }
        self.closed = true;
        self.write(Wish::Close)
    }

    fn write(&mut self, wish: Wish<'_>) -> io::Result<()> {
        loop {
            match self.step(wish, &mut ReadBuf::new(&mut [])) {
                Next::Again | Next::PeerClosed => {}
                Next::Written => return Ok(()),
                Next::Plaintext | Next::Blocked => return Err(io::ErrorKind::BrokenPipe.into()),
                Next::Failed(error) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
    }

    fn step(&mut self, wish: Wish<'_>, room: &mut ReadBuf<'_>) -> Next {
        if let Some(error) = &self.failed {
            return Next::Failed(error.clone());
        }
        let Self { side, incoming, outgoing, rest, .. } = self;
        // Writing must not find a record to decrypt, as nobody reads. What was seen must be shown again.
        let records = match wish {
            Wish::Encrypt(_) | Wish::Close if self.unseen => &mut [],
            Wish::Nothing | Wish::Encrypt(_) | Wish::Close => incoming.filled_mut(),
        };
        let mut ends = Ends { outgoing, rest, room };
        let (used, next) = match side {
            Side::Client(side) => {
                let status = side.process_tls_records(records);
                (status.discard, ends.take(status.state, wish))
            }
            Side::Server(side) => {
                let status = side.process_tls_records(records);
                (status.discard, ends.take(status.state, wish))
            }
        };
        self.incoming.discard(used);
        match &next {
            Next::Again | Next::Written => {}
            Next::Plaintext => self.unseen = true,
            Next::Blocked => self.unseen = false,
            Next::PeerClosed => {
                self.peer_closed = true;
                // To be ignored (RFC 8446, 6.1).
                self.incoming.clear();
            }
            Next::Failed(error) => self.fail(error.clone()),
        }
        next
    }

    /// Ends the session. The alert goes to `outgoing`.
    #[cold]
    fn fail(&mut self, error: Error) {
        self.incoming.clear();
        while self.state().wants_write() {
            let Next::Again = self.step(Wish::Nothing, &mut ReadBuf::new(&mut [])) else { break };
        }
        self.failed = Some(error);
    }
}

/// Where what a session has for others goes.
struct Ends<'a, 'b> {
    outgoing: &'a mut Buffer,
    rest: &'a mut Bytes,
    room: &'a mut ReadBuf<'b>,
}

impl Ends<'_, '_> {
    fn take<Data>(
        &mut self,
        state: Result<ConnectionState<'_, '_, Data>, Error>,
        wish: Wish<'_>,
    ) -> Next {
        match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                // One record: a second one would wait for the next step.
                while let Some(record) = traffic.next_record() {
                    match record {
                        Ok(record) => self.deliver(record.payload),
                        Err(error) => return Next::Failed(error),
                    }
                }
                Next::Plaintext
            }
            Ok(ConnectionState::WriteTraffic(traffic)) => self.write(traffic, wish),
            Ok(ConnectionState::EncodeTlsData(data)) => self.encode(data),
            Ok(ConnectionState::TransmitTlsData(data)) => {
                // All that follows is behind it in `outgoing`.
                data.done();
                Next::Again
            }
            Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed) => Next::Blocked,
            Ok(ConnectionState::PeerClosed) => Next::PeerClosed,
            Ok(_) => Next::Failed(Error::General("an unexpected state of TLS".into())),
            Err(error) => Next::Failed(error),
        }
    }

    fn deliver(&mut self, plain: &[u8]) {
        let (now, later) = plain.split_at(cmp::min(plain.len(), self.room.remaining()));
        self.room.put_slice(now);
        if !later.is_empty() {
            *self.rest = Bytes::copy_from_slice(later);
        }
    }

    fn encode<Data>(&mut self, mut data: EncodeTlsData<'_, Data>) -> Next {
        let mut needed = OVERHEAD;
        loop {
            match data.encode(self.outgoing.room(needed)) {
                Ok(len) => self.outgoing.add(len),
                Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) => {
                    needed = required_size;
                    continue;
                }
                Err(EncodeError::AlreadyEncoded) => {}
            }
            return Next::Again;
        }
    }

    fn write<Data>(&mut self, mut traffic: WriteTraffic<'_, Data>, wish: Wish<'_>) -> Next {
        let mut needed = match wish {
            Wish::Nothing => return Next::Blocked,
            Wish::Encrypt(plain) => plain.len() + (plain.len() / RECORD + 1) * OVERHEAD,
            Wish::Close => OVERHEAD,
        };
        loop {
            let room = self.outgoing.room(needed);
            let written = match wish {
                Wish::Nothing => return Next::Blocked,
                Wish::Encrypt(plain) => traffic.encrypt(plain, room),
                Wish::Close => traffic.queue_close_notify(room),
            };
            match written {
                Ok(len) => {
                    self.outgoing.add(len);
                    return Next::Written;
                }
                Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size })) => {
                    needed = required_size;
                }
                Err(EncryptError::EncryptExhausted) => return Next::Failed(Error::EncryptError),
            }
        }
    }
}
