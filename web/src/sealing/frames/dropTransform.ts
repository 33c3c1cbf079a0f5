/**
 * For browsers without `createEncodedStreams` (Firefox, Safari; for the others earlyStreams.ts): there livekit-client sets a
 * receiver's transform only when it is connected, and until then frames reach the decoder as they
 * came: plaintext plays, sealed sound is noise. Chromium even ignores a transform that comes later than
 * the task in which the receiver was made. While this is on, every receiver and sender gets a transform
 * that drops everything in the moment it exists; livekit-client replaces it with its own.
 */

export interface TransformPage {
  RTCPeerConnection: typeof RTCPeerConnection;
  readonly RTCRtpScriptTransform?: new (worker: Worker, options: object) => RTCRtpScriptTransform;
  readonly RTCRtpSender?: { readonly prototype: object };
}

/** Whether livekit-client sets the transforms of a connection before anything can be received. */
export function hasEarlyTransforms({ RTCRtpSender: sender }: TransformPage): boolean {
  return sender !== undefined && "createEncodedStreams" in sender.prototype;
}

/** Switches the drop transforms on for connections made from now on; the answer switches them off. */
export function dropUntilSealed(page: TransformPage, startWorker: () => Worker): () => void {
  const Transform = page.RTCRtpScriptTransform;
  if (hasEarlyTransforms(page) || Transform === undefined) {
    return () => undefined;
  }
  const worker = startWorker();
  const guard = (end: RTCRtpReceiver | RTCRtpSender) => {
    if (end.transform === null || end.transform === undefined) {
      end.transform = new Transform(worker, {});
    }
  };
  const Plain = page.RTCPeerConnection;
  class Guarded extends Plain {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      // Receivers that the other side's offer makes. The first listener: before livekit-client's.
      this.addEventListener("track", ({ receiver }) => guard(receiver));
    }

    override addTransceiver(
      track: MediaStreamTrack | string,
      init?: RTCRtpTransceiverInit,
    ): RTCRtpTransceiver {
      const transceiver = super.addTransceiver(track, init);
      guard(transceiver.receiver);
      guard(transceiver.sender);
      return transceiver;
    }

    override addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): RTCRtpSender {
      const sender = super.addTrack(track, ...streams);
      guard(sender);
      for (const { receiver } of this.getTransceivers()) {
        guard(receiver);
      }
      return sender;
    }
  }
  page.RTCPeerConnection = Guarded;
  return () => {
    if (page.RTCPeerConnection === Guarded) {
      page.RTCPeerConnection = Plain;
    }
    worker.terminate();
  };
}
