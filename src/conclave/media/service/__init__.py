"""LiveKit's server API over HTTP: `/twirp/livekit.RoomService/*` for holders of API keys.

`routes` takes requests and gives answers, `twirp` is the wire, `calls` what each method does. Must
never do anything that the signalling machine does not offer, and never open a microphone.
"""
