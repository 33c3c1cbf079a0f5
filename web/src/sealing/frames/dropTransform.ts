/**
 * For browsers without `createEncodedStreams` (Firefox, Safari): there livekit-client sets a
 * receiver's transform only when it is connected, and until then frames reach the decoder as they
 * came: plaintext plays, sealed sound is noise. While this is on, every receiver gets a transform that
 * drops everything in the moment its track appears; livekit-client replaces it with its own.
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
  const drop = () => new Transform(worker, {});
  const Plain = page.RTCPeerConnection;
  class Guarded extends Plain {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      // The first listener: it runs before any of livekit-client's.
      this.addEventListener("track", ({ receiver }) => {
        if (receiver.transform === null || receiver.transform === undefined) {
          receiver.transform = drop();
        }
      });
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
