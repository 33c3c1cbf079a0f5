//! A client of two connections: two entries of the world, the one that offers first.

use std::net::SocketAddr;

use conclave_sfu::{Command, Grant, ParticipantId, TrackId};
use str0m::change::SdpOffer;

use super::{Client, World};

/// Indices of the two connections of one client.
#[derive(Debug, Clone, Copy)]
pub struct Dual {
    pub publisher: usize,
    pub subscriber: usize,
}

/// How offers of the server are dealt with.
#[derive(Default)]
pub struct Answering {
    /// They are kept in `offers` and nothing else.
    pub is_silent: bool,
    /// The client is the DTLS server.
    pub is_passive: bool,
    pub offers: Vec<(u32, String)>,
    pub last_answer: String,
}

impl Client {
    /// Take an offer of the server; the answer.
    pub fn accept_offer(&mut self, sdp: &str, mid_to_track: &[(String, TrackId)]) -> String {
        let setup = match self.answers.as_ref().map(|a| a.is_passive) {
            Some(true) => "active",
            _ => "passive",
        };
        // This stack answers a choice with `passive`, and browsers with `active`.
        let sdp = sdp.replace("a=setup:actpass", &format!("a=setup:{setup}"));
        let offer = SdpOffer::from_sdp_string(&sdp).unwrap_or_else(|e| panic!("{e}: {sdp}"));
        let answer = self
            .rtc
            .sdp_api()
            .accept_offer(offer)
            .unwrap_or_else(|e| panic!("{e}: {sdp}"));
        self.mid_to_track = mid_to_track.iter().cloned().collect();
        self.poke();
        answer.to_sdp_string()
    }
}

impl World {
    /// Open a participant of two connections. The publishing one offers when it has something.
    pub fn open_dual(&mut self, room: &str, name: &str, grant: Grant) -> Dual {
        let id: ParticipantId = format!("PA_{name}").into();
        let publisher = self.clients.len();
        for end in 1..=2 {
            let address: SocketAddr = format!("203.0.113.{}:6000", publisher + end)
                .parse()
                .unwrap();
            let mut client = Client::new(self.now, id.clone(), address);
            client.no_receivers();
            self.clients.push(client);
        }
        self.clients[publisher + 1].answers = Some(Answering::default());
        self.command(Command::Open {
            room: room.into(),
            participant: id,
            identity: name.into(),
            grant,
            is_dual: true,
        });
        Dual {
            publisher,
            subscriber: publisher + 1,
        }
    }

    pub fn on_server_offer(
        &mut self,
        participant: &ParticipantId,
        offer_id: u32,
        sdp: &str,
        mid_to_track: &[(String, TrackId)],
    ) {
        let is_meant = |c: &Client| c.id == *participant && c.answers.is_some();
        let Some(index) = self.clients.iter().position(is_meant) else {
            return;
        };
        let answers = self.clients[index].answers.as_mut().unwrap();
        answers.offers.push((offer_id, sdp.to_owned()));
        if answers.is_silent {
            return;
        }
        let sdp = self.clients[index].accept_offer(sdp, mid_to_track);
        if let Some(answers) = &mut self.clients[index].answers {
            answers.last_answer.clone_from(&sdp);
        }
        self.answer(index, offer_id, sdp);
    }

    pub fn answer(&mut self, index: usize, offer_id: u32, sdp: String) {
        let participant = self.clients[index].id.clone();
        self.shard.command(
            self.now,
            Command::Answer {
                participant,
                offer_id,
                sdp,
            },
        );
    }

    /// What the server offered to the client's connection at `index`.
    pub fn server_offers(&self, index: usize) -> &[(u32, String)] {
        &self.clients[index].answers.as_ref().unwrap().offers
    }
}
