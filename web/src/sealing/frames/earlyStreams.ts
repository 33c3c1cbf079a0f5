/**
 * For browsers with `createEncodedStreams` (Chromium): there frames of a receiver are lost until its
 * streams exist, and again while they are being moved into a worker. livekit-client does both only when
 * the room is connected and the track has been told of; on a quick network the first key frame is there
 * by then. A frame lost so is no loss to RTP: the next key frame comes a third of a second later, at
 * worst after three. So the streams are made and moved in the moment the receiver exists, before it is
 * connected. What comes waits in them (the browser keeps 60 frames). livekit-client finds stand-ins, and
 * the prelude in the worker puts the real ones in their place.
 */

import { hasEarlyTransforms, type TransformPage } from "./dropTransform.ts";

/** To the frame worker; both streams are transferred. */
export interface EarlyStreams {
  readonly kind: "conclave:streams";
  /** As livekit-client names the track to its worker. */
  readonly trackId: string;
  readonly readable: ReadableStream;
  readonly writable: WritableStream;
}

/** As livekit-client looks for them (`handleReceiver` in its E2EEManager). */
interface StreamedReceiver {
  readonly track: { readonly id: string };
  createEncodedStreams(): { readable: ReadableStream; writable: WritableStream };
  readableStream?: ReadableStream;
  writableStream?: WritableStream;
}

/** For connections made from now on; the answer switches it off. */
export function keepUntilSealed(
  page: TransformPage,
  hand: (streams: EarlyStreams) => void,
): () => void {
  if (!hasEarlyTransforms(page)) {
    return () => undefined;
  }
  const Plain = page.RTCPeerConnection;
  class Keeping extends Plain {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      // The first listener: before livekit-client's.
      this.addEventListener("track", ({ receiver }) =>
        keep(receiver as unknown as StreamedReceiver, hand),
      );
    }

    // Places for the pictures and voices of others, made with the first offer.
    override addTransceiver(
      track: MediaStreamTrack | string,
      init?: RTCRtpTransceiverInit,
    ): RTCRtpTransceiver {
      const transceiver = super.addTransceiver(track, init);
      if (init?.direction === "recvonly") {
        keep(transceiver.receiver as unknown as StreamedReceiver, hand);
      }
      return transceiver;
    }
  }
  page.RTCPeerConnection = Keeping;
  return () => {
    if (page.RTCPeerConnection === Keeping) {
      page.RTCPeerConnection = Plain;
    }
  };
}

function keep(receiver: StreamedReceiver, hand: (streams: EarlyStreams) => void): void {
  // A receiver that carries another track now has its streams already.
  if (receiver.readableStream !== undefined) {
    return;
  }
  let streams: { readable: ReadableStream; writable: WritableStream };
  try {
    streams = receiver.createEncodedStreams();
  } catch {
    // A connection without encoded streams, or somebody has made them: livekit-client sees to it.
    return;
  }
  hand({ kind: "conclave:streams", trackId: receiver.track.id, ...streams });
  const standIns = new TransformStream();
  receiver.readableStream = standIns.readable;
  receiver.writableStream = standIns.writable;
}
