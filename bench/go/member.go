package main

import (
	"sync"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
)

const tokenLifetime = time.Hour

// member is one participant.
type member struct {
	identity              string
	publishes, subscribes bool
	// expects is how many tracks of others there are.
	expects int

	lock      sync.Mutex
	room      *lksdk.Room
	isIn      bool
	reason    string
	connected time.Duration
	isLeaving bool
	// isMeasured: packets count now.
	isMeasured bool
	streams    map[string]*stream
}

func (m *member) join(o *options, secret string) {
	started := time.Now()
	token, err := m.token(o, secret)
	if err != nil {
		m.fail(err.Error())
		return
	}
	callback := &lksdk.RoomCallback{
		OnDisconnectedWithReason: func(reason lksdk.DisconnectionReason) { m.fail(string(reason)) },
		ParticipantCallback:      lksdk.ParticipantCallback{OnTrackSubscribed: m.subscribed},
	}
	wishes := []lksdk.ConnectOption{
		lksdk.WithDisableRegionDiscovery(), lksdk.WithAutoSubscribe(m.subscribes),
	}
	if o.connection == "single" {
		wishes = append(wishes, lksdk.WithSinglePeerConnection())
	}
	room, err := lksdk.ConnectToRoomWithToken(o.url, token, callback, wishes...)
	if err != nil {
		m.fail(err.Error())
		return
	}
	m.lock.Lock()
	m.room, m.connected = room, time.Since(started)
	m.lock.Unlock()
	if m.publishes {
		if err := publish(room, o, m.identity); err != nil {
			m.fail(err.Error())
			return
		}
	}
	m.lock.Lock()
	m.isIn = true
	m.lock.Unlock()
}

func (m *member) token(o *options, secret string) (string, error) {
	grant := &auth.VideoGrant{RoomJoin: true, Room: o.room}
	grant.SetCanPublish(m.publishes)
	grant.SetCanSubscribe(m.subscribes)
	token := auth.NewAccessToken(o.apiKey, secret)
	return token.SetIdentity(m.identity).SetVideoGrant(grant).SetValidFor(tokenLifetime).ToJWT()
}

func (m *member) fail(reason string) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if !m.isLeaving && m.reason == "" {
		m.reason = reason
	}
}

func (m *member) failure() string {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.reason
}

// isReady: in, and something has come of every track.
func (m *member) isReady() bool {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.isIn && len(m.streams) >= m.expects
}

func (m *member) subscribed(
	track *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, from *lksdk.RemoteParticipant,
) {
	if track.Kind() == webrtc.RTPCodecTypeVideo {
		// Clients that show a picture say how large; this one wants all of it.
		_ = publication.SetVideoQuality(livekit.VideoQuality_HIGH)
		from.WritePLI(track.SSRC())
	}
	go m.receive(track, publication.SID())
}

func (m *member) receive(track *webrtc.TrackRemote, sid string) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		m.lock.Lock()
		s := m.streams[sid]
		if s == nil {
			s = &stream{}
			m.streams[sid] = s
		}
		s.arrive(packet.SequenceNumber, len(packet.Payload), time.Now(), m.isMeasured)
		m.lock.Unlock()
	}
}

func (m *member) measure(isMeasured bool) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.isMeasured = isMeasured
	for _, s := range m.streams {
		s.bound(time.Now(), isMeasured)
	}
}

func (m *member) leave() {
	m.lock.Lock()
	room := m.room
	m.isLeaving = true
	m.lock.Unlock()
	if room != nil {
		room.Disconnect()
	}
}
