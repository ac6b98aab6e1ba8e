//! A client's HTTP/2: connections to servers, shared by the WebSockets to each (RFC 8441).

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use h2::Reason;
use h2::client::{Connection, SendRequest};
use h2::ext::Protocol;
use http::Response;
use tokio::sync;
use ws_core::handshake::client::{Answer, Offer, Security, Target};

use super::dial::{Versions, Way};
use super::error::{ConnectError, Http2Error};
use super::handshake::{Accepted, Answered, Refused};
use super::progress::{Progress, Step};
use crate::http2::{Http2Options, Http2Stream, Sent, Session, UNTOLD, broken};
use crate::transport::Transport;

/// The connections to the servers that were asked, one for each.
#[derive(Clone)]
pub(super) struct Sessions {
    servers: Arc<Mutex<Vec<Place>>>,
    http2: Http2Options,
    max_head: usize,
}

/// On how many connections to ask, where servers go away. Also counts the one that turns out not to allow it.
pub(super) const CONNECTIONS: usize = 4;

type Origin = (Security, String, u16);
type Place = (Origin, Arc<Server>);

/// What is known of a server; locked while it is found out.
#[derive(Default)]
pub(super) struct Server(sync::Mutex<Known>);

#[derive(Clone, Default)]
enum Known {
    #[default]
    Nothing,
    /// It is asked over HTTP/1.1.
    Http1,
    Http2(Client),
}

/// An answer, or the stream on which to ask over HTTP/1.1.
pub(super) enum Either {
    Answered(Answered<Transport>),
    Http1(Transport),
}

impl Sessions {
    pub(super) fn new(http2: Http2Options, max_head: usize) -> Self {
        Self { servers: Arc::default(), http2, max_head }
    }

    /// Asks over HTTP/2, or opens a stream for HTTP/1.1 where that is what the server speaks or allows.
    pub(super) async fn ask(
        &self,
        way: &Way,
        target: &Target,
        offer: &Offer,
        progress: &Progress,
    ) -> Result<Either, ConnectError> {
        if target.security() == Security::Plain {
            return way.dial(target, Versions::Http1, progress).await.map(Either::Http1);
        }
        let server = self.server(target);
        for _ in 0..CONNECTIONS {
            let mut known = server.0.lock().await;
            let client = match &*known {
                Known::Http2(client) if client.is_usable() => client.clone(),
                Known::Http1 => {
                    // Others need not wait for this one.
                    drop(known);
                    return way.dial(target, Versions::Http1, progress).await.map(Either::Http1);
                }
                Known::Nothing | Known::Http2(_) => {
                    let stream = way.dial(target, Versions::Both, progress).await?;
                    if !speaks_http2(&stream) {
                        *known = Known::Http1;
                        return Ok(Either::Http1(stream));
                    }
                    match Client::begin(stream, &self.http2, self.max_head, progress).await {
                        Ok(client) => {
                            *known = Known::Http2(client.clone());
                            client
                        }
                        Err(ConnectError::Http2(Http2Error::NotAllowed)) => {
                            *known = Known::Http1;
                            continue;
                        }
                        Err(error) => return Err(error),
                    }
                }
            };
            drop(known);
            if let Some(answered) = client.ask(target, offer).await? {
                return Ok(Either::Answered(answered));
            }
        }
        Err(ConnectError::NoAnswer)
    }

    fn server(&self, target: &Target) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = (target.security(), target.host(), target.port());
        let known =
            servers.iter().find(|((security, host, port), _)| asked == (*security, host, *port));
        if let Some((_, server)) = known {
            return server.clone();
        }
        servers.retain(|(_, server)| server.is_of_use());
        let server = Arc::<Server>::default();
        servers.push(((asked.0, asked.1.to_owned(), asked.2), server.clone()));
        server
    }
}

impl Server {
    /// Whether it is being asked, or has a connection that can be.
    fn is_of_use(self: &Arc<Self>) -> bool {
        let open = |known: &Known| matches!(known, Known::Http2(client) if client.is_usable());
        Arc::strong_count(self) > 1 || self.0.try_lock().is_ok_and(|known| open(&known))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("http2", &self.http2).finish_non_exhaustive()
    }
}

/// A connection to a server that allows WebSockets over HTTP/2. It ends once this, its clones and its streams are gone.
#[derive(Clone)]
pub(super) struct Client {
    requests: SendRequest<Sent>,
    session: Arc<Session>,
}

impl Client {
    /// Begins to speak HTTP/2, and waits for the server's settings.
    pub(super) async fn begin(
        stream: Transport,
        http2: &Http2Options,
        max_head: usize,
        progress: &Progress,
    ) -> Result<Self, ConnectError> {
        progress.begin(Step::Handshake);
        let session = Arc::new(stream.session());
        let handshake = http2.client(max_head).handshake(stream);
        let (requests, mut connection) = handshake.await.map_err(broken)?;
        settled(&requests, &mut connection).await?;
        if !requests.is_extended_connect_protocol_enabled() {
            return Err(Http2Error::NotAllowed.into());
        }
        // What ends it is told to each stream.
        tokio::spawn(async move { _ = connection.await });
        Ok(Self { requests, session })
    }

    /// Returns whether more streams can be opened: no GOAWAY has come, and no error.
    pub(super) fn is_usable(&self) -> bool {
        let mut requests = self.requests.clone();
        let mut cx = Context::from_waker(Waker::noop());
        !matches!(requests.poll_ready(&mut cx), Poll::Ready(Err(_)))
    }

    /// Opens a stream, and asks on it. Waits where the server allows no more streams yet. `None` if the server goes away, and has not
    /// looked at the request: ask on another connection.
    pub(super) async fn ask(
        &self,
        target: &Target,
        offer: &Offer,
    ) -> Result<Option<Answered<Transport>>, ConnectError> {
        let mut request = offer.connect_request(target)?;
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        let mut requests = self.requests.clone();
        let (response, send) = match requests.send_request(request, false) {
            Ok(sent) => sent,
            Err(_) if !self.is_usable() => return Ok(None),
            Err(error) => return Err(broken(error).into()),
        };
        let response = match response.await {
            Ok(response) => response,
            // It has not been looked at (RFC 9113, 6.8).
            Err(error) if error.is_go_away() => return Ok(None),
            Err(error) if error.reason() == Some(Reason::REFUSED_STREAM) => {
                return Err(Http2Error::Busy.into());
            }
            Err(error) => return Err(broken(error).into()),
        };
        let (head, recv) = response.into_parts();
        let stream = Http2Stream::new(send, recv, self.session.clone());
        let (stream, leftover) = (Transport::Http2(stream), BytesMut::new());
        let response = Response::from_parts(head, ());
        Ok(Some(match offer.judge_connect(response)? {
            Answer::Interim => return Err(ConnectError::NoAnswer),
            Answer::Accepted(facts) => Answered::Accepted(Accepted { stream, leftover, facts }),
            Answer::Refused(response) => Answered::Refused(Refused { stream, leftover, response }),
        }))
    }
}

/// Whether TLS has chosen HTTP/2.
pub(super) fn speaks_http2(stream: &Transport) -> bool {
    #[cfg(feature = "rustls")]
    return stream.tls().and_then(|tls| tls.alpn_protocol()) == Some(crate::tls::HTTP_2);
    #[cfg(not(feature = "rustls"))]
    return {
        _ = stream;
        false
    };
}

/// Waits for the server's first settings, which come before anything else (RFC 9113, 3.4).
async fn settled(
    requests: &SendRequest<Sent>,
    connection: &mut Connection<Transport, Sent>,
) -> Result<(), ConnectError> {
    poll_fn(|cx| {
        let ended = Pin::new(&mut *connection).poll(cx);
        if requests.current_max_send_streams() != UNTOLD {
            return Poll::Ready(Ok(()));
        }
        ended.map(|ended| match ended {
            Ok(()) => Err(ConnectError::NoAnswer),
            Err(error) => Err(broken(error).into()),
        })
    })
    .await
}
