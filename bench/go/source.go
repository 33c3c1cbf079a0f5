package main

import (
	"context"
	"encoding/binary"
	"math/rand"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const (
	audioFrame = 20 * time.Millisecond
	// keyframeFactor: a key frame has this many times the bytes of the average frame.
	keyframeFactor  = 4
	keyframeSpacing = 300 * time.Millisecond
	keyframeEvery   = 10 * time.Second
	// opusToc: 20 ms hybrid fullband, mono, one frame (RFC 6716, 3.1).
	opusToc = 15 << 3
)

// source makes samples that look like VP8 or Opus to a server and decode to nothing.
type source struct {
	bitrate, fps  int
	width, height int
	random        *rand.Rand
	isWanted      atomic.Bool
	lastKeyframe  time.Time
}

func (s *source) OnBind() error   { return nil }
func (s *source) OnUnbind() error { return nil }
func (s *source) Close() error    { return nil }

func (s *source) NextSample(context.Context) (media.Sample, error) {
	if s.fps == 0 {
		size := s.bitrate / 8 / 50 * (80 + s.random.Intn(41)) / 100
		data := make([]byte, max(size, 1))
		data[0] = opusToc
		return media.Sample{Data: data, Duration: audioFrame}, nil
	}
	average := s.bitrate / 8 / s.fps
	age := time.Since(s.lastKeyframe)
	isKeyframe := age > keyframeEvery || (s.isWanted.Load() && age > keyframeSpacing)
	size := average * (80 + s.random.Intn(41)) / 100
	if isKeyframe {
		s.lastKeyframe = time.Now()
		s.isWanted.Store(false)
		size = average * keyframeFactor
	}
	return media.Sample{Data: s.frame(size, isKeyframe), Duration: time.Second / time.Duration(s.fps)}, nil
}

// frame begins as RFC 6386, 9.1 says: inverse key-frame bit, shown, size of the first partition.
func (s *source) frame(size int, isKeyframe bool) []byte {
	data := make([]byte, max(size, 10))
	tag := uint32(1<<4 | (size&0x7ffff)<<5)
	if !isKeyframe {
		tag |= 1
	}
	data[0], data[1], data[2] = byte(tag), byte(tag>>8), byte(tag>>16)
	if isKeyframe {
		copy(data[3:], []byte{0x9d, 0x01, 0x2a})
		binary.LittleEndian.PutUint16(data[6:], uint16(s.width))
		binary.LittleEndian.PutUint16(data[8:], uint16(s.height))
	}
	return data
}

func (s *source) onRTCP(packet rtcp.Packet) {
	switch packet.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		s.isWanted.Store(true)
	}
}

func (s *source) track(mime string, wishes ...lksdk.LocalTrackOptions) (*lksdk.LocalTrack, error) {
	wishes = append(wishes, lksdk.WithRTCPHandler(s.onRTCP))
	track, err := lksdk.NewLocalTrack(webrtc.RTPCodecCapability{MimeType: mime}, wishes...)
	if err != nil {
		return nil, err
	}
	return track, track.StartWrite(s, nil)
}

func publish(room *lksdk.Room, o *options, identity string) error {
	if o.hasAudio() {
		audio := &source{bitrate: o.audioBitrate, random: rand.New(rand.NewSource(o.seed))}
		track, err := audio.track(webrtc.MimeTypeOpus)
		if err != nil {
			return err
		}
		wishes := &lksdk.TrackPublicationOptions{
			Name: identity + "-audio", Source: livekit.TrackSource_MICROPHONE,
		}
		if _, err := room.LocalParticipant.PublishTrack(track, wishes); err != nil {
			return err
		}
	}
	if o.hasVideo() {
		return publishVideo(room, o, identity)
	}
	return nil
}

func publishVideo(room *lksdk.Room, o *options, identity string) error {
	layers := []*livekit.VideoLayer{
		{Quality: livekit.VideoQuality_LOW, Width: 320, Height: 180, Bitrate: 150_000},
		{Quality: livekit.VideoQuality_MEDIUM, Width: 640, Height: 360, Bitrate: 500_000},
		{Quality: livekit.VideoQuality_HIGH, Width: 1280, Height: 720, Bitrate: uint32(o.videoBitrate)},
	}
	if !o.isSimulcast {
		layers = layers[2:]
	}
	var tracks []*lksdk.LocalTrack
	for at, layer := range layers {
		video := &source{
			bitrate: int(layer.Bitrate), fps: o.fps, width: int(layer.Width), height: int(layer.Height),
			random: rand.New(rand.NewSource(o.seed + int64(at))),
		}
		var wishes []lksdk.LocalTrackOptions
		if o.isSimulcast {
			wishes = append(wishes, lksdk.WithSimulcast(identity+"-video", layer))
		}
		track, err := video.track(webrtc.MimeTypeVP8, wishes...)
		if err != nil {
			return err
		}
		tracks = append(tracks, track)
	}
	wishes := &lksdk.TrackPublicationOptions{
		Name: identity + "-video", Source: livekit.TrackSource_CAMERA, VideoWidth: 1280, VideoHeight: 720,
	}
	var err error
	if o.isSimulcast {
		_, err = room.LocalParticipant.PublishSimulcastTrack(tracks, wishes)
	} else {
		_, err = room.LocalParticipant.PublishTrack(tracks[0], wishes)
	}
	return err
}
