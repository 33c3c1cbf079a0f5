/** People made by hand, for the meeting's models and pages. */
import type { Person } from "../src/features/meeting/model/call.ts";

export function somebody(identity: string, over: Partial<Person> = {}): Person {
  return {
    identity,
    name: identity,
    isVerified: false,
    handPlace: null,
    isSelf: false,
    joinedAt: 0,
    camera: null,
    isCameraOn: false,
    isMicrophoneOn: true,
    microphoneSid: null,
    isSpeaking: false,
    lastSpokeAt: null,
    quality: "good",
    ...over,
  };
}
