// Command peer is one participant on LiveKit's Go SDK, driven by the tests: it joins, publishes a
// tone and a picture, and says in JSON lines what it gets of the others. Commands come on standard
// input, a line each: "speak", "show", "say <text>" (reliable), "whisper <text>" (lossy), "resume" (as
// after a lost socket), "leave". It ends with its input, and never talks to anything but the server it
// is given.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"sync"

	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
)

var output sync.Mutex

// tell writes one event.
func tell(event string, fields map[string]any) {
	if fields == nil {
		fields = map[string]any{}
	}
	fields["event"] = event
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	_, _ = os.Stdout.Write(append(line, '\n'))
}

func fail(doing string, err error) {
	tell("failed", map[string]any{"doing": doing, "error": err.Error()})
	os.Exit(1)
}

func main() {
	url := flag.String("url", "", "the server's address (ws://…)")
	flag.Parse()
	// The token comes by the environment: arguments are seen by everybody.
	token := os.Getenv("PEER_TOKEN")
	lksdk.SetLogger(logger.GetDiscardLogger())

	callback := &lksdk.RoomCallback{
		OnDisconnectedWithReason: func(reason lksdk.DisconnectionReason) {
			tell("disconnected", map[string]any{"reason": string(reason)})
		},
		OnReconnecting: func() { tell("reconnecting", nil) },
		OnReconnected:  func() { tell("reconnected", nil) },
		OnParticipantConnected: func(p *lksdk.RemoteParticipant) {
			tell("participant", map[string]any{"identity": p.Identity()})
		},
		OnParticipantDisconnected: func(p *lksdk.RemoteParticipant) {
			tell("participant_left", map[string]any{"identity": p.Identity()})
		},
		ParticipantCallback: lksdk.ParticipantCallback{
			OnTrackSubscribed: func(track *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, p *lksdk.RemoteParticipant) {
				tell("track", map[string]any{
					"from": p.Identity(), "sid": publication.SID(), "mime": track.Codec().MimeType,
				})
				if track.Kind() == webrtc.RTPCodecTypeVideo {
					go watch(track, p)
				} else {
					go listen(track, p)
				}
			},
			OnTrackUnsubscribed: func(_ *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, p *lksdk.RemoteParticipant) {
				tell("track_ended", map[string]any{"from": p.Identity(), "sid": publication.SID()})
			},
			OnDataPacket: func(data lksdk.DataPacket, params lksdk.DataReceiveParams) {
				if packet, ok := data.(*lksdk.UserDataPacket); ok {
					tell("data", map[string]any{
						"from": params.SenderIdentity, "text": string(packet.Payload),
					})
				}
			},
		},
	}
	room, err := lksdk.ConnectToRoomWithToken(*url, token, callback, lksdk.WithDisableRegionDiscovery())
	if err != nil {
		fail("join", err)
	}
	tell("joined", map[string]any{"sid": room.LocalParticipant.SID()})
	obey(room)
	room.Disconnect()
}

// obey carries out commands until the input ends.
func obey(room *lksdk.Room) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command, text, _ := strings.Cut(lines.Text(), " ")
		switch command {
		case "speak":
			publish(room, tone(), webrtc.MimeTypeOpus, livekit.TrackSource_MICROPHONE)
		case "show":
			publish(room, picture(), webrtc.MimeTypeVP8, livekit.TrackSource_CAMERA)
		case "say", "whisper":
			reliable := lksdk.WithDataPublishReliable(command == "say")
			err := room.LocalParticipant.PublishDataPacket(lksdk.UserData([]byte(text)), reliable)
			if err != nil {
				fail(command, err)
			}
		case "resume":
			room.Simulate(lksdk.SimulateSignalReconnect)
		case "leave":
			return
		}
	}
}
