//! The signalling connection of one participant: LiveKit's `/rtc/v1` (one peer connection) or `/rtc`
//! (two) over a WebSocket that never blocks.
//!
//! Errors say what the server answered; they never contain the URL, because the token is in it.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};

use data_encoding::BASE64URL;
use flate2::{Compression as Level, write::GzEncoder};
use mio::{Interest, Registry, Token, net::TcpStream};
use prost::Message as _;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::{
    ClientHandshake, Request as HttpRequest, Response as HttpResponse,
};
use tungstenite::handshake::{HandshakeError, MidHandshake};
use tungstenite::{Message, WebSocket};

use crate::proto::{
    Compression, JoinRequest, Request, Response, SignalRequest, SignalResponse, WrappedJoinRequest,
};

#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    #[error("the server's URL is not usable: {0}")]
    Url(String),
    #[error("connecting to the server failed: {0}")]
    Connect(std::io::Error),
    #[error("the server refused the WebSocket with status {status}: {body}")]
    Refused { status: u16, body: String },
    #[error("the WebSocket failed: {0}")]
    WebSocket(String),
    #[error("the server sent a message that is not a SignalResponse: {0}")]
    Malformed(#[from] prost::DecodeError),
}

/// Where the server is: parsed and resolved once.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub address: SocketAddr,
    /// `ws://host:port/prefix`, without a slash at the end.
    base: String,
}

impl Endpoint {
    pub fn parse(url: &str) -> Result<Self, SignalError> {
        let bad = |why: &str| SignalError::Url(why.to_owned());
        let rest = match url.split_once("://") {
            Some(("ws" | "http", rest)) => rest,
            Some(("wss" | "https", _)) => return Err(bad("TLS is not supported, use ws://")),
            _ => return Err(bad("it must begin with ws:// or http://")),
        };
        if rest.contains(['?', '#', '@']) {
            return Err(bad("it must be host, port and path alone"));
        }
        let rest = rest.trim_end_matches('/');
        let authority = rest.split('/').next().unwrap_or_default();
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let resolvable = if has_port {
            authority.to_owned()
        } else {
            format!("{authority}:80")
        };
        let address = resolvable
            .to_socket_addrs()
            .map_err(|error| bad(&error.to_string()))?
            .next()
            .ok_or_else(|| bad("the host has no address"))?;
        Ok(Endpoint {
            address,
            base: format!("ws://{rest}"),
        })
    }

    fn request(&self, token: &str, entry: &Entry<'_>) -> Result<HttpRequest, SignalError> {
        let base = &self.base;
        let url = match entry {
            Entry::Single { join, gzip } => {
                // Padding must be escaped within a query.
                let wrapped = BASE64URL.encode(&wrap(join, *gzip).encode_to_vec());
                let wrapped = wrapped.replace('=', "%3D");
                format!("{base}/rtc/v1?access_token={token}&join_request={wrapped}")
            }
            Entry::Dual(join) => {
                let client = join.client_info.clone().unwrap_or_default();
                let settings = join.connection_settings.clone().unwrap_or_default();
                format!(
                    "{base}/rtc?access_token={token}&auto_subscribe={}&sdk=js&version={}&protocol={}\
                     &os={}&browser={}",
                    u8::from(settings.auto_subscribe),
                    client.version,
                    client.protocol,
                    client.os,
                    client.browser,
                )
            }
        };
        url.into_client_request()
            .map_err(|_| SignalError::Url("it is not a valid URI".into()))
    }
}

/// How a participant comes in.
pub enum Entry<'a> {
    /// One peer connection, with the first offer in the request.
    Single { join: &'a JoinRequest, gzip: bool },
    /// Two peer connections; what the request says is in the query.
    Dual(&'a JoinRequest),
}

fn wrap(join: &JoinRequest, gzip: bool) -> WrappedJoinRequest {
    let plain = join.encode_to_vec();
    if gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Level::default());
        if let Ok(packed) = encoder.write_all(&plain).and_then(|()| encoder.finish()) {
            return WrappedJoinRequest {
                compression: Compression::Gzip.into(),
                join_request: packed,
            };
        }
    }
    WrappedJoinRequest {
        compression: Compression::None.into(),
        join_request: plain,
    }
}

enum State {
    Connecting(TcpStream, HttpRequest),
    Handshaking(MidHandshake<ClientHandshake<TcpStream>>),
    Open(Box<WebSocket<TcpStream>>),
    Closed,
}

pub struct Signal {
    state: State,
    sent: Vec<Vec<u8>>,
}

/// What `Signal::advance` found.
#[derive(Default)]
pub struct Progress {
    pub has_opened: bool,
    pub responses: Vec<Response>,
    /// The server closed the connection in order, or it broke.
    pub is_closed: bool,
}

impl Signal {
    pub fn connect(
        endpoint: &Endpoint,
        token: &str,
        entry: &Entry<'_>,
        registry: &Registry,
        event_token: Token,
    ) -> Result<Self, SignalError> {
        let request = endpoint.request(token, entry)?;
        let mut stream = TcpStream::connect(endpoint.address).map_err(SignalError::Connect)?;
        registry
            .register(
                &mut stream,
                event_token,
                Interest::READABLE | Interest::WRITABLE,
            )
            .map_err(SignalError::Connect)?;
        Ok(Signal {
            state: State::Connecting(stream, request),
            sent: Vec::new(),
        })
    }

    /// Send as soon as the WebSocket is open; nothing is sent once it is closed.
    pub fn send(&mut self, message: Request) -> Result<(), SignalError> {
        let bytes = SignalRequest {
            message: Some(message),
        }
        .encode_to_vec();
        match &mut self.state {
            State::Open(socket) => tolerate(socket.send(Message::binary(bytes))),
            State::Closed => Ok(()),
            _ => {
                self.sent.push(bytes);
                Ok(())
            }
        }
    }

    /// Go on as far as the socket allows: call it at every readiness event.
    pub fn advance(&mut self) -> Result<Progress, SignalError> {
        let mut progress = Progress::default();
        loop {
            match std::mem::replace(&mut self.state, State::Closed) {
                State::Connecting(stream, request) => match connected(&stream)? {
                    false => {
                        self.state = State::Connecting(stream, request);
                        return Ok(progress);
                    }
                    true => {
                        if !self.shake(tungstenite::client::client(request, stream))? {
                            return Ok(progress);
                        }
                        progress.has_opened = true;
                    }
                },
                State::Handshaking(middle) => {
                    if !self.shake(middle.handshake())? {
                        return Ok(progress);
                    }
                    progress.has_opened = true;
                }
                State::Open(mut socket) => {
                    progress.is_closed =
                        !exchange(&mut socket, &mut self.sent, &mut progress.responses)?;
                    if !progress.is_closed {
                        self.state = State::Open(socket);
                    }
                    return Ok(progress);
                }
                State::Closed => {
                    progress.is_closed = true;
                    return Ok(progress);
                }
            }
        }
    }

    /// Begin the closing handshake; `advance` reports when it is done.
    pub fn close(&mut self) {
        if let State::Open(socket) = &mut self.state {
            // A connection that is broken already needs no close.
            let _ = socket.close(None);
            let _ = socket.flush();
        }
    }

    fn shake(
        &mut self,
        result: Result<
            (WebSocket<TcpStream>, HttpResponse),
            HandshakeError<ClientHandshake<TcpStream>>,
        >,
    ) -> Result<bool, SignalError> {
        match result {
            Ok((socket, _)) => {
                self.state = State::Open(Box::new(socket));
                Ok(true)
            }
            Err(HandshakeError::Interrupted(middle)) => {
                self.state = State::Handshaking(middle);
                Ok(false)
            }
            Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => {
                let body = response.body().as_deref().unwrap_or_default();
                let body = String::from_utf8_lossy(&body[..body.len().min(200)])
                    .trim()
                    .to_owned();
                Err(SignalError::Refused {
                    status: response.status().as_u16(),
                    body,
                })
            }
            Err(HandshakeError::Failure(error)) => Err(SignalError::WebSocket(error.to_string())),
        }
    }
}

fn connected(stream: &TcpStream) -> Result<bool, SignalError> {
    if let Some(error) = stream.take_error().map_err(SignalError::Connect)? {
        return Err(SignalError::Connect(error));
    }
    match stream.peer_addr() {
        Ok(_) => {
            // Small messages must not wait for acknowledgements.
            let _ = stream.set_nodelay(true);
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(SignalError::Connect(error)),
    }
}

/// Send what waits, read what is there; `false` once the connection is closed.
fn exchange(
    socket: &mut WebSocket<TcpStream>,
    waiting: &mut Vec<Vec<u8>>,
    responses: &mut Vec<Response>,
) -> Result<bool, SignalError> {
    for bytes in waiting.drain(..) {
        tolerate(socket.send(Message::binary(bytes)))?;
    }
    loop {
        match socket.read() {
            Ok(Message::Binary(bytes)) => {
                responses.extend(SignalResponse::decode(bytes)?.message);
            }
            Ok(_) => {}
            Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                tolerate(socket.flush())?;
                return Ok(true);
            }
            Err(
                tungstenite::Error::ConnectionClosed
                | tungstenite::Error::AlreadyClosed
                | tungstenite::Error::Io(_)
                | tungstenite::Error::Protocol(_),
            ) => return Ok(false),
            Err(error) => return Err(SignalError::WebSocket(error.to_string())),
        }
    }
}

/// A socket that is full keeps the bytes and sends them at the next flush; one that is closing
/// reports that by `read`.
fn tolerate(result: Result<(), tungstenite::Error>) -> Result<(), SignalError> {
    match result {
        Ok(()) | Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {
            Ok(())
        }
        Err(tungstenite::Error::Protocol(_)) => Ok(()),
        Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(SignalError::WebSocket(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::proto::SessionDescription;

    fn join() -> JoinRequest {
        let offer = SessionDescription {
            sdp: "v=0\r\n".repeat(500),
            ..Default::default()
        };
        JoinRequest {
            publisher_offer: Some(offer),
            ..Default::default()
        }
    }

    #[test]
    fn a_join_request_comes_back_out_of_its_wrapping() {
        let packed = wrap(&join(), true);
        assert_eq!(packed.compression, i32::from(Compression::Gzip));
        assert!(packed.join_request.len() < 500);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&packed.join_request[..])
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(JoinRequest::decode(&plain[..]).unwrap(), join());
        let bare = wrap(&join(), false);
        assert_eq!(JoinRequest::decode(&bare.join_request[..]).unwrap(), join());
    }

    #[test]
    fn endpoints_are_checked() {
        let endpoint = Endpoint::parse("http://127.0.0.1:7880/").unwrap();
        assert_eq!(endpoint.base, "ws://127.0.0.1:7880");
        assert_eq!(endpoint.address, "127.0.0.1:7880".parse().unwrap());
        assert_eq!(
            Endpoint::parse("ws://127.0.0.1").unwrap().address.port(),
            80
        );
        for bad in [
            "127.0.0.1:7880",
            "wss://127.0.0.1",
            "ws://127.0.0.1/?a=b",
            "ftp://x",
            "ws://",
        ] {
            assert!(
                matches!(Endpoint::parse(bad), Err(SignalError::Url(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_url_has_token_and_request_and_no_raw_padding() {
        let endpoint = Endpoint::parse("ws://127.0.0.1:7880/media").unwrap();
        let uri = |entry: &Entry<'_>| {
            let request = endpoint.request("a.b.c", entry).unwrap();
            request.uri().to_string()
        };
        let join = join();
        let (dual, uri) = (
            uri(&Entry::Dual(&join)),
            uri(&Entry::Single {
                join: &join,
                gzip: true,
            }),
        );
        assert!(dual.starts_with(
            "ws://127.0.0.1:7880/media/rtc?access_token=a.b.c&auto_subscribe=0&sdk=js"
        ));
        assert!(
            uri.starts_with("ws://127.0.0.1:7880/media/rtc/v1?access_token=a.b.c&join_request=")
        );
        assert!(
            !uri.rsplit_once("join_request=")
                .unwrap()
                .1
                .contains(['=', '+', '/'])
        );
    }

    #[test]
    fn a_refused_connection_is_an_error() {
        let endpoint = Endpoint::parse("ws://127.0.0.1:1").unwrap();
        let mut poll = mio::Poll::new().unwrap();
        let join = join();
        let entry = Entry::Dual(&join);
        let mut signal =
            Signal::connect(&endpoint, "t", &entry, poll.registry(), Token(0)).unwrap();
        let mut events = mio::Events::with_capacity(4);
        poll.poll(&mut events, Some(std::time::Duration::from_secs(5)))
            .unwrap();
        assert!(matches!(signal.advance(), Err(SignalError::Connect(_))));
    }
}
