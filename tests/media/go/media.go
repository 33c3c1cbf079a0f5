package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"
	"golang.org/x/image/vp8"
)

const (
	soundPackets  = 50
	frameInterval = 100 * time.Millisecond
)

// loop sends samples over and over.
type loop struct {
	samples  [][]byte
	duration time.Duration
	next     atomic.Uint64
}

func (l *loop) NextSample(context.Context) (media.Sample, error) {
	at := l.next.Add(1) - 1
	return media.Sample{Data: l.samples[at%uint64(len(l.samples))], Duration: l.duration}, nil
}

func (l *loop) OnBind() error   { return nil }
func (l *loop) OnUnbind() error { return nil }
func (l *loop) Close() error    { return nil }

func tone() *loop    { return &loop{samples: decoded(opusTone), duration: 20 * time.Millisecond} }
func picture() *loop { return &loop{samples: decoded(vp8Greys), duration: frameInterval} }

func decoded(texts []string) [][]byte {
	samples := make([][]byte, len(texts))
	for i, text := range texts {
		sample, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			fail("decode a sample", err)
		}
		samples[i] = sample
	}
	return samples
}

func publish(room *lksdk.Room, provider lksdk.SampleProvider, mime string, source livekit.TrackSource) {
	track, err := lksdk.NewLocalTrack(webrtc.RTPCodecCapability{MimeType: mime})
	if err != nil {
		fail("make a track", err)
	}
	if err := track.StartWrite(provider, nil); err != nil {
		fail("start a track", err)
	}
	publication, err := room.LocalParticipant.PublishTrack(track, &lksdk.TrackPublicationOptions{
		Name: source.String(), Source: source, VideoWidth: 64, VideoHeight: 48,
	})
	if err != nil {
		fail("publish", err)
	}
	tell("published", map[string]any{"sid": publication.SID(), "mime": mime})
}

// listen tells how much sound has come, some packets at a time: silence makes small ones.
func listen(track *webrtc.TrackRemote, from *lksdk.RemoteParticipant) {
	packets, size := 0, 0
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if len(packet.Payload) == 0 {
			continue
		}
		packets++
		size += len(packet.Payload)
		if packets%soundPackets == 0 {
			tell("sound", map[string]any{"from": from.Identity(), "packets": packets, "bytes": size})
			packets, size = 0, 0
		}
	}
}

// watch decodes the key frames that come and tells what is to be seen in them.
func watch(track *webrtc.TrackRemote, from *lksdk.RemoteParticipant) {
	builder := samplebuilder.New(200, &codecs.VP8Packet{}, track.Codec().ClockRate)
	from.WritePLI(track.SSRC())
	frames := 0
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		builder.Push(packet)
		for sample := builder.Pop(); sample != nil; sample = builder.Pop() {
			frames++
			if frame := keyFrame(sample.Data); frame != nil {
				tell("picture", map[string]any{
					"from": from.Identity(), "width": frame.Rect.Dx(), "height": frame.Rect.Dy(),
					"brightness": brightness(frame), "frames": frames,
				})
			}
			if frames%25 == 0 {
				tell("frames", map[string]any{"from": from.Identity(), "frames": frames})
			}
		}
	}
}

// keyFrame is the decoded frame, or nil for one that needs others before it.
func keyFrame(data []byte) *image.YCbCr {
	decoder := vp8.NewDecoder()
	decoder.Init(bytes.NewReader(data), len(data))
	header, err := decoder.DecodeFrameHeader()
	if err != nil || !header.KeyFrame {
		return nil
	}
	frame, err := decoder.DecodeFrame()
	if err != nil {
		return nil
	}
	return frame
}

func brightness(frame *image.YCbCr) int {
	sum, count := 0, 0
	for y := frame.Rect.Min.Y; y < frame.Rect.Max.Y; y++ {
		for x := frame.Rect.Min.X; x < frame.Rect.Max.X; x++ {
			sum += int(frame.Y[frame.YOffset(x, y)])
			count++
		}
	}
	return sum / max(count, 1)
}
