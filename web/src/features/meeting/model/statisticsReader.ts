/**
 * Asks the browser what it has counted for each track of a room. Reads of whom the group knows,
 * and nothing that may not be drawn or played. Keeps nothing; a track that does not answer is
 * there without counts.
 */

import { type Participant, type Room, Track } from "livekit-client";
import type { Eyes } from "./livekit.ts";
import type { PersonReport, Snapshot, Source, Stat, TrackReport } from "./statistics.ts";

const SOURCES: readonly (readonly [Source, Track.Source])[] = [
  ["camera", Track.Source.Camera],
  ["screen", Track.Source.ScreenShare],
  ["microphone", Track.Source.Microphone],
  ["screen-sound", Track.Source.ScreenShareAudio],
];

export async function readStatistics(room: Room, eyes: Eyes): Promise<Snapshot> {
  const others = [...room.remoteParticipants.values()].map(
    async (participant): Promise<PersonReport | null> => {
      const known = eyes.whoIs(participant.identity);
      if (known === null) {
        return null;
      }
      const tracks = await tracksOf(participant, eyes);
      return tracks.length === 0
        ? null
        : { identity: participant.identity, name: known.name, tracks };
    },
  );
  const [own, ...people] = await Promise.all([tracksOf(room.localParticipant, eyes), ...others]);
  return { own, others: people.filter((person) => person !== null) };
}

async function tracksOf(participant: Participant, eyes: Eyes): Promise<readonly TrackReport[]> {
  const reports = SOURCES.map(async ([source, named]): Promise<TrackReport | null> => {
    const publication = participant.getTrackPublication(named);
    const track = publication?.track;
    if (
      publication === undefined ||
      track === undefined ||
      publication.isMuted ||
      !(participant.isLocal || eyes.mayPresent(participant, publication))
    ) {
      return null;
    }
    const report = await track.getRTCStatsReport().catch(() => undefined);
    const stats = [...(report?.values() ?? [])] as Stat[];
    return { sid: publication.trackSid, source, stats };
  });
  return (await Promise.all(reports)).filter((report) => report !== null);
}
