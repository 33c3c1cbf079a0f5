//! Servers that misbehave: each must end the participant with a clear reason and nothing worse.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use prost::Message as _;
use tungstenite::{Message, WebSocket};

use crate::peer::Credentials;
use crate::proto::{
    JoinResponse, LeaveRequest, MediaSectionsRequirement, Response, SessionDescription,
    SignalResponse, TrickleRequest,
};
use crate::scenario::{Shared, Spec};
use crate::signal::Endpoint;
use crate::worker::{Board, run};

type Script = fn(&mut WebSocket<TcpStream>);

/// Why a participant failed at a server that accepts the WebSocket and then follows a script.
fn reason(script: Script) -> String {
    reason_on(false, script)
}

fn reason_on(is_dual: bool, script: Script) -> String {
    serve_on(is_dual, move |stream| {
        if let Ok(mut socket) = tungstenite::accept(stream) {
            script(&mut socket);
            // Wait for the client to go, so that it is not the connection's end that it sees.
            while socket.read().is_ok() {}
        }
    })
}

fn serve(server: impl FnOnce(TcpStream) + Send + 'static) -> String {
    serve_on(false, server)
}

fn serve_on(is_dual: bool, server: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        server(stream);
    });
    let shared = Shared {
        endpoint: Endpoint::parse(&format!("ws://{address}")).unwrap(),
        credentials: Credentials::generate().unwrap(),
        gzip: true,
        seed: 1,
        first_sections: (1, 1),
        is_dual,
        is_dynacast: false,
        wanted_layer: 2,
        switch_every: None,
        gap_limit_us: 500_000,
        key: "key".into(),
        secret: "secret".into(),
        token_lifetime: 60,
        measured: OnceLock::new(),
    };
    let spec = Spec {
        room: "room".into(),
        identity: "somebody".into(),
        tracks: Vec::new(),
        expects: Vec::new(),
        subscribes: true,
        starts_after: Duration::ZERO,
        churn: None,
        token: None,
    };
    let board = Arc::new(Board::default());
    let hard_stop = Instant::now() + Duration::from_secs(10);
    let clients = run(vec![spec], &shared, &board, hard_stop).unwrap();
    thread.join().unwrap();
    let tally = &clients[0].tally;
    assert_eq!(tally.failures, 1);
    assert!(tally.reasons[0].starts_with("somebody: "));
    assert!(!tally.reasons[0].contains("access_token"));
    tally.reasons[0].clone()
}

fn say(socket: &mut WebSocket<TcpStream>, response: Response) {
    let bytes = SignalResponse {
        message: Some(response),
    }
    .encode_to_vec();
    socket.send(Message::binary(bytes)).unwrap();
}

fn answer(socket: &mut WebSocket<TcpStream>, sdp: &str) {
    say(socket, Response::Join(JoinResponse::default()));
    let description = SessionDescription {
        sdp: sdp.into(),
        id: 1,
        ..Default::default()
    };
    say(socket, Response::Answer(description));
}

#[test]
fn a_refused_websocket_is_told_with_its_status_and_words() {
    let reason = serve(|mut stream| {
        use std::io::{Read, Write};
        let mut request = [0; 16_384];
        let _ = stream.read(&mut request).unwrap();
        let body = "the token has expired";
        write!(
            stream,
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    });
    assert!(
        reason.contains("401") && reason.contains("the token has expired"),
        "{reason}"
    );
}

#[test]
fn something_else_than_http_is_an_error() {
    let reason = serve(|mut stream| {
        use std::io::{Read, Write};
        let mut request = [0; 16_384];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(&[0xFF; 4_096]).unwrap();
    });
    assert!(reason.contains("WebSocket failed"), "{reason}");
}

#[test]
fn a_message_that_is_no_protobuf_is_an_error() {
    let reason = reason(|socket| {
        socket
            .send(Message::binary(vec![0x0A, 0xFF, 0xFF]))
            .unwrap()
    });
    assert!(reason.contains("not a SignalResponse"), "{reason}");
}

#[test]
fn a_leave_is_told_with_its_reason() {
    let reason = reason(|socket| {
        say(
            socket,
            Response::Leave(LeaveRequest {
                reason: 5,
                action: 0,
            }),
        );
    });
    assert!(reason.contains("reason 5"), "{reason}");
}

#[test]
fn a_closed_websocket_is_an_error() {
    let reason = reason(|socket| socket.close(None).unwrap());
    assert!(reason.contains("closed the WebSocket"), "{reason}");
}

#[test]
fn an_empty_answer_is_an_error() {
    let reason = reason(|socket| answer(socket, ""));
    assert!(reason.contains("no ICE user fragment"), "{reason}");
}

#[test]
fn an_answer_with_a_malformed_fingerprint_is_an_error() {
    let reason = reason(|socket| {
        answer(
            socket,
            "a=fingerprint:sha-256 nonsense\r\nm=application 9 x\r\na=mid:0\r\na=ice-ufrag:u\r\n\
             a=ice-pwd:p\r\nm=audio 9 x\r\na=mid:1\r\nm=video 9 x\r\na=mid:2\r\n",
        );
    });
    assert!(reason.contains("fingerprint"), "{reason}");
}

#[test]
fn an_offer_is_refused() {
    let reason = reason(|socket| say(socket, Response::Offer(SessionDescription::default())));
    assert!(
        reason.contains("no place on a single peer connection"),
        "{reason}"
    );
}

#[test]
fn a_greedy_demand_for_sections_is_refused() {
    let reason = reason(|socket| {
        let greedy = MediaSectionsRequirement {
            num_audios: u32::MAX,
            num_videos: u32::MAX,
        };
        say(socket, Response::SectionsRequired(greedy));
    });
    assert!(reason.contains("media sections at once"), "{reason}");
}

#[test]
fn a_candidate_that_is_not_json_is_refused() {
    let reason = reason(|socket| {
        let trickle = TrickleRequest {
            candidate_init: "{".into(),
            ..Default::default()
        };
        say(socket, Response::Trickle(trickle));
    });
    assert!(reason.contains("candidate is malformed"), "{reason}");
}

/// To a participant of two peer connections.
fn offer(socket: &mut WebSocket<TcpStream>, sdp: &str) {
    say(socket, Response::Join(JoinResponse::default()));
    let description = SessionDescription {
        r#type: "offer".into(),
        sdp: sdp.into(),
        id: 1,
        ..Default::default()
    };
    say(socket, Response::Offer(description));
}

#[test]
fn an_offer_without_credentials_is_an_error_on_two_connections() {
    let reason = reason_on(true, |socket| offer(socket, "v=0\r\nm=video 9 x 96\r\n"));
    assert!(reason.contains("no ICE user fragment"), "{reason}");
}

#[test]
fn an_offer_that_names_a_stream_twice_is_an_error_on_two_connections() {
    let reason = reason_on(true, |socket| {
        offer(
            socket,
            "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 AA\r\nm=audio 9 x 111\r\na=mid:0\r\n\
             a=ssrc:5 cname:x\r\nm=video 9 x 96\r\na=mid:1\r\na=ssrc:5 cname:y\r\n",
        );
    });
    assert!(reason.contains("SSRC 5"), "{reason}");
}

#[test]
fn an_answer_that_was_not_asked_for_is_passed_over_on_two_connections() {
    let reason = reason_on(true, |socket| {
        answer(socket, "nonsense");
        socket.close(None).unwrap();
    });
    assert!(reason.contains("closed the WebSocket"), "{reason}");
}
