/**
 * The frame worker: livekit-client's end-to-end worker behind our prelude. The order of the imports
 * is what makes it safe; test: sealing/frames/prelude.test.ts.
 */
import "./start.ts";
import "livekit-client/e2ee-worker";
