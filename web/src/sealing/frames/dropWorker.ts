/**
 * A worker whose transforms let nothing through. A receiver gets one the moment its track appears,
 * in browsers where livekit-client sets its own transform late; see dropTransform.ts.
 */

interface TransformScope {
  onrtctransform: ((event: { transformer: { readable: ReadableStream } }) => void) | null;
}

(globalThis as unknown as TransformScope).onrtctransform = ({ transformer }) => {
  // Ends with the track, or when livekit-client's transform takes this one's place.
  transformer.readable.pipeTo(new WritableStream()).catch(() => undefined);
};
