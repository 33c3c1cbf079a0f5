// Command load joins rooms as participants on LiveKit's Go SDK and counts what arrives: the same load
// as `conclave-load` makes, by the stack that agents and other programs use. It takes the same options
// and prints a summary with the same fields.
//
// Bounded by itself: a hard stop is above joining, measuring and leaving. Exit code 0: everybody was
// served; 1: somebody was not; 2: it could not run.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
)

const (
	drain    = 500 * time.Millisecond
	lookEach = 20 * time.Millisecond
)

type options struct {
	url, apiKey, room, label, media, connection string
	publishers, subscribers, participants       int
	videoBitrate, audioBitrate, fps, serverPid  int
	seed                                        int64
	isSimulcast                                 bool
	ramp, setupTimeout, settle, duration        float64
}

func parse() options {
	var o options
	flag.StringVar(&o.url, "url", "", "the server: ws://host:port")
	flag.StringVar(&o.apiKey, "api-key", "devkey", "API key; its secret is in LIVEKIT_API_SECRET")
	flag.StringVar(&o.room, "room", "load", "name of the room")
	flag.StringVar(&o.label, "label", "", "name of this run in the output")
	flag.StringVar(&o.media, "media", "audio,video", "what publishers send: audio, video or both")
	flag.StringVar(&o.connection, "connection", "dual", "single or dual: peer connections of each")
	flag.IntVar(&o.publishers, "publishers", 0, "participants that publish only")
	flag.IntVar(&o.subscribers, "subscribers", 0, "participants that subscribe only")
	flag.IntVar(&o.participants, "participants", 0, "participants that publish and subscribe")
	flag.IntVar(&o.videoBitrate, "video-bitrate", 2_000_000, "bits per second of a video track")
	flag.IntVar(&o.audioBitrate, "audio-bitrate", 40_000, "bits per second of an audio track")
	flag.IntVar(&o.fps, "fps", 30, "frames per second")
	flag.IntVar(&o.serverPid, "server-pid", 0, "process whose CPU time and memory are recorded")
	flag.Int64Var(&o.seed, "seed", 1, "seed of sizes")
	flag.BoolVar(&o.isSimulcast, "simulcast", false, "publish video as three encodings")
	flag.Float64Var(&o.ramp, "ramp", 1, "seconds over which the participants join")
	flag.Float64Var(&o.setupTimeout, "setup-timeout", 30, "seconds until everybody must receive")
	flag.Float64Var(&o.settle, "settle", 2, "seconds between that and the measurement")
	flag.Float64Var(&o.duration, "duration", 10, "seconds of measurement")
	flag.Bool("quiet", true, "there is only the summary, always")
	flag.Parse()
	return o
}

func (o *options) hasAudio() bool { return strings.Contains(o.media, "audio") }
func (o *options) hasVideo() bool { return strings.Contains(o.media, "video") }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func main() {
	o := parse()
	secret := os.Getenv("LIVEKIT_API_SECRET")
	total := o.publishers + o.participants + o.subscribers
	if o.url == "" || secret == "" || total == 0 || o.fps < 1 {
		giveUp("give --url, LIVEKIT_API_SECRET, somebody to join and a frame rate")
	}
	limit := seconds(o.ramp + o.setupTimeout + o.settle + o.duration + 20)
	time.AfterFunc(limit, func() { giveUp("not done in time") })
	lksdk.SetLogger(logger.GetDiscardLogger())

	crowd := newCrowd(&o, secret)
	crowd.join()
	isReady := crowd.await(seconds(o.ramp + o.setupTimeout))
	result := crowd.measure()
	crowd.leave()
	summary := result.summary(&o, crowd, isReady)
	line, err := json.Marshal(summary)
	if err != nil {
		giveUp(err.Error())
	}
	fmt.Println(string(line))
	if !isReady || crowd.failures() > 0 || result.silent > 0 {
		os.Exit(1)
	}
}

func giveUp(reason string) {
	fmt.Fprintln(os.Stderr, "go-load:", reason)
	os.Exit(2)
}
