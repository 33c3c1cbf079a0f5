/** Statistics reports as browsers give them, cut to what is read, for a track that runs steadily. */
import type { Stat } from "../src/features/meeting/model/statistics.ts";

export interface Sending {
  /** Seconds since the track began. */
  seconds: number;
  rid?: string;
  width?: number;
  height?: number;
  kilobits?: number;
  /** The part of the packets that the server has not seen. */
  loss?: number;
  reason?: string;
  reasonSince?: number;
  codec?: string;
  isActive?: boolean;
  mode?: string;
}

const PACKETS = 100;

/** One layer of a picture that is sent, with what the server reported of it. */
export function sentLayer(given: Sending): Stat[] {
  const { seconds, rid = "f", width = 1280, height = 720, kilobits = 1_500, loss = 0 } = given;
  const { reason = "none", reasonSince = 0, codec = "video/VP8", isActive = true, mode } = given;
  const timestamp = 1_000_000 + seconds * 1_000;
  return [
    {
      id: `OT${rid}`,
      type: "outbound-rtp",
      timestamp,
      kind: "video",
      rid,
      codecId: `C${rid}`,
      active: isActive,
      frameWidth: width,
      frameHeight: height,
      framesPerSecond: 30,
      framesSent: seconds * 30,
      bytesSent: (seconds * kilobits * 1_000) / 8,
      packetsSent: seconds * PACKETS,
      qualityLimitationReason: reason,
      qualityLimitationDurations: {
        none: reason === "none" ? seconds : reasonSince,
        ...(reason === "none" ? {} : { [reason]: seconds - reasonSince }),
      },
      ...(mode === undefined ? {} : { scalabilityMode: mode }),
    },
    { id: `C${rid}`, type: "codec", timestamp, mimeType: codec },
    {
      id: `RI${rid}`,
      type: "remote-inbound-rtp",
      timestamp: timestamp - 200,
      localId: `OT${rid}`,
      packetsLost: Math.round(seconds * PACKETS * loss),
      fractionLost: loss,
      roundTripTime: 0.05,
    },
  ];
}

export interface Receiving {
  seconds: number;
  kilobits?: number;
  loss?: number;
  freezes?: number;
}

export function receivedPicture(given: Receiving): Stat[] {
  const { seconds, kilobits = 800, loss = 0, freezes = 0 } = given;
  const timestamp = 1_000_000 + seconds * 1_000;
  return [
    {
      id: "IT1",
      type: "inbound-rtp",
      timestamp,
      kind: "video",
      codecId: "C1",
      frameWidth: 640,
      frameHeight: 360,
      framesPerSecond: 25,
      framesDecoded: seconds * 25,
      bytesReceived: (seconds * kilobits * 1_000) / 8,
      packetsReceived: Math.round(seconds * PACKETS * (1 - loss)),
      packetsLost: Math.round(seconds * PACKETS * loss),
      freezeCount: freezes,
    },
    { id: "C1", type: "codec", timestamp, mimeType: "video/VP8" },
  ];
}

export function receivedSound({ seconds, loss = 0 }: Receiving): Stat[] {
  const timestamp = 1_000_000 + seconds * 1_000;
  return [
    {
      id: "IA1",
      type: "inbound-rtp",
      timestamp,
      kind: "audio",
      codecId: "C2",
      bytesReceived: seconds * 4_000,
      packetsReceived: Math.round(seconds * 50 * (1 - loss)),
      packetsLost: Math.round(seconds * 50 * loss),
    },
    { id: "C2", type: "codec", timestamp, mimeType: "audio/opus" },
  ];
}

/** The way that is in use: what the browser's own checks measured. */
export function way(roundTripTime: number): Stat[] {
  return [
    { id: "T1", type: "transport", timestamp: 0, selectedCandidatePairId: "P2" },
    { id: "P1", type: "candidate-pair", timestamp: 0, currentRoundTripTime: 9 },
    { id: "P2", type: "candidate-pair", timestamp: 0, currentRoundTripTime: roundTripTime },
  ];
}
