"""The media server's place in a browser of a test: between what is sealed and the packets.

`wire.keyFrames` records by epoch; what `wire.instead` holds goes out in place of every frame. A
recorded key frame is taken by a decoder at any time. For contexts with `createEncodedStreams`.
"""

WIRE = """
const wire = { keyFrames: {}, instead: null, replaced: 0 };
const streamsOf = RTCRtpSender.prototype.createEncodedStreams;
RTCRtpSender.prototype.createEncodedStreams = function () {
  const { readable, writable } = streamsOf.call(this);
  const passing = new TransformStream({
    transform(frame, out) {
      if (frame instanceof RTCEncodedVideoFrame) {
        const sealed = new Uint8Array(frame.data);
        if (frame.type === 'key') wire.keyFrames[sealed.at(-1)] = [...sealed];
        if (wire.instead !== null) {
          frame.data = Uint8Array.from(wire.instead).buffer;
          wire.replaced += 1;
        }
      }
      out.enqueue(frame);
    },
  });
  void passing.readable.pipeTo(writable);
  return { readable, writable: passing.writable };
};
window.wire = wire;
"""
