"""The endpoints over real sockets on loopback: upgrade, refusals, CORS, resume, slow clients."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from livekit.protocol import models, rtc
from websockets.exceptions import InvalidStatus

from conclave.media import sockets
from conclave.media.engine import Permission
from conclave.media.transport import Answered, Offered, TransportChanged
from tests.media.server import MediaServer, RawClient, join_request, serve

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MediaServer]:
    async with serve(tmp_path) as running:
        yield running


async def _refused(url: str, **more: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refusal:
        await RawClient.connect(url, **more)
    response = refusal.value.response
    return response.status_code, (response.body or b"").decode()


async def test_join_update_and_answer_come_in_this_order(server: MediaServer) -> None:
    client = await RawClient.connect(server.v1_url(server.token("alice", name="Alice")))
    kinds = [(await client.receive()).WhichOneof("message") for _ in range(3)]
    assert kinds == ["join", "update", "answer"]
    await client.send(ping_req=rtc.Ping(timestamp=3))
    assert (await client.next("pong_resp")).last_ping_timestamp == 3
    await client.send(leave=rtc.LeaveRequest())
    assert await client.closed() == 1000
    assert [c[0] for c in server.fake.calls] == ["open", "offer", "close"]


async def test_token_may_come_in_a_header_and_the_old_path_takes_a_join_request(
    server: MediaServer,
) -> None:
    url = f"{server.url}/rtc?join_request={join_request()}"
    header = {"Authorization": f"Bearer {server.token('alice')}"}
    client = await RawClient.connect(url, additional_headers=header)
    assert (await client.next("join")).participant.identity == "alice"
    await client.socket.close()


async def test_json_clients_are_answered_in_json(server: MediaServer) -> None:
    client = await server.join("alice")
    await client.socket.send('{"pingReq": {"timestamp": "9"}}')
    while True:
        frame = await asyncio.wait_for(client.socket.recv(), 5)
        if isinstance(frame, str):
            break
    assert json.loads(frame)["pongResp"]["lastPingTimestamp"] == "9"
    await client.socket.close()


async def test_refusals_in_plain_words(server: MediaServer) -> None:
    good, request = server.token("alice"), join_request()
    cases = [
        (f"/rtc/v1?join_request={request}", 401, "no access token"),
        (f"/rtc/v1?join_request={request}&access_token=x", 401, "cannot be read"),
        (f"/rtc/v1?access_token={good}", 400, "join_request is missing"),
        (f"/rtc/v1?access_token={good}&join_request=!", 400, "not base64"),
        (f"/rtc?access_token={good}&protocol=17&attributes=!", 400, "attributes"),
        ("/rtc?protocol=17&auto_subscribe=1", 401, "no access token"),
    ]
    async with httpx2.AsyncClient(trust_env=False) as http:
        for path, status, words in cases:
            code, text = await _refused(server.url + path)
            assert (code, words in text) == (status, True), text
            twin = path.replace("?", "/validate?", 1)
            answer = await http.get(f"http://127.0.0.1:{server.port}{twin}")
            assert (answer.status_code, words in answer.text) == (status, True)
            assert "requested room does not exist" not in answer.text
        answer = await http.get(
            f"http://127.0.0.1:{server.port}/rtc/v1/validate"
            f"?access_token={good}&join_request={request}"
        )
        assert (answer.status_code, answer.text) == (200, "success")
    assert not server.fake.calls


async def test_any_origin_may_ask(server: MediaServer) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    url = f"http://127.0.0.1:{server.port}/rtc/v1/validate"
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.get(url, headers=origin)
        assert answer.headers["access-control-allow-origin"] == origin["Origin"]
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
        preflight = await http.options(
            url,
            headers={
                **origin,
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "authorization",
            },
        )
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-headers"] == "authorization"
        assert "GET" in preflight.headers["access-control-allow-methods"]
    client = await RawClient.connect(
        server.v1_url(server.token("alice")), additional_headers=origin
    )
    await client.next("join")
    await client.socket.close()


async def test_gate_is_asked_at_a_join_and_not_at_a_resume(server: MediaServer) -> None:
    asked: list[tuple[str, str]] = []
    is_open = True

    async def gate(room: str, identity: str) -> bool:
        asked.append((room, identity))
        return is_open

    server.engine.set_gate(gate)
    client = await server.join("alice")
    is_open = False
    assert (await _refused(server.v1_url(server.token("bob"))))[0] == 403
    await client.socket.close()
    request = rtc.JoinRequest(reconnect=True, participant_sid=client.sid)
    again = await RawClient.connect(server.v1_url(server.token("alice"), request))
    await again.next("reconnect")
    assert asked == [("room", "alice"), ("room", "bob")]
    await again.socket.close()


async def test_clients_of_two_connections_join_and_resume(server: MediaServer) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        url = server.v0_url(server.token("alice")).replace("ws:", "http:")
        answer = await http.get(url.replace("/rtc?", "/rtc/validate?"))
        assert (answer.status_code, answer.text) == (200, "success")
    client = await RawClient.connect(server.v0_url(server.token("alice"), sdk="go"))
    join = await client.next("join")
    assert join.subscriber_primary
    assert server.fake.calls[0][0] == "open"
    assert server.fake.calls[0][-1] is True
    sid = join.participant.sid
    server.fake.emit(Offered(sid, 1, "v=0 offer", {}))
    offer = await client.next("offer")
    assert (offer.sdp, offer.id) == ("v=0 offer", 1)
    await client.send(answer=rtc.SessionDescription(type="answer", sdp="v=0", id=1))
    await client.send(ping=1)
    await client.next("pong")
    assert ("answer", sid, 1, "v=0") in server.fake.calls
    await client.socket.close()
    again = await RawClient.connect(
        server.v0_url(server.token("alice"), reconnect="1", sid=sid, reconnect_reason="1")
    )
    await again.next("reconnect")
    assert ("restart_ice", sid) in server.fake.calls
    await again.socket.close()
    # Known by one connection fewer than it says: it has to start anew.
    request = rtc.JoinRequest(reconnect=True, participant_sid=sid)
    other = await RawClient.connect(server.v1_url(server.token("alice"), request))
    assert (await other.next("leave")).action == rtc.LeaveRequest.RECONNECT
    await other.closed()


async def test_attributes_of_a_client_of_two_connections_need_permission(
    server: MediaServer,
) -> None:
    attributes = base64.b64encode(b'{"hand": "up"}').decode()
    url = server.v0_url(server.token("alice"), attributes=attributes)
    assert (await _refused(url))[0] == 401
    permission = Permission(can_update_own_metadata=True)
    token = server.token("bob", permission=permission)
    client = await RawClient.connect(server.v0_url(token, attributes=attributes))
    join = await client.next("join")
    assert dict(join.participant.attributes) == {"hand": "up"}
    await client.socket.close()


async def test_metadata_of_the_join_needs_permission(server: MediaServer) -> None:
    request = rtc.JoinRequest(participant_attributes={"hand": "up"})
    status, words = await _refused(server.v1_url(server.token("alice"), request))
    assert status == 401
    assert "metadata" in words
    permission = Permission(can_update_own_metadata=True)
    token = server.token("alice", permission=permission, attributes={"role": "host"})
    client = await RawClient.connect(server.v1_url(token, request))
    join = await client.next("join")
    assert dict(join.participant.attributes) == {"role": "host", "hand": "up"}
    await client.socket.close()


async def test_lost_socket_resumes_with_the_last_sequence(server: MediaServer) -> None:
    alice, bob = await server.join("alice"), await server.join("bob")
    server.fake.emit(TransportChanged(alice.sid, "connected"))
    server.fake.sequences[alice.sid] = 77
    alice.socket.transport.abort()
    request = rtc.JoinRequest(
        reconnect=True,
        participant_sid=alice.sid,
        reconnect_reason=models.ReconnectReason.RR_SIGNAL_DISCONNECTED,
    )
    again = await RawClient.connect(server.v1_url(server.token("alice"), request))
    assert (await again.next("reconnect")).last_message_seq == 77
    await again.send(offer=rtc.SessionDescription(type="offer", sdp="v=0", id=2))
    server.fake.emit(Answered(alice.sid, 2, "v=0", {}))
    assert (await again.next("answer")).id == 2
    for client in (again, bob):
        await client.socket.close()


async def test_unknown_participant_is_told_to_join_anew(server: MediaServer) -> None:
    request = rtc.JoinRequest(reconnect=True, participant_sid="PA_x")
    client = await RawClient.connect(server.v1_url(server.token("alice"), request))
    leave = await client.next("leave")
    assert leave.action == rtc.LeaveRequest.RECONNECT
    assert leave.reason == models.DisconnectReason.STATE_MISMATCH
    assert await client.closed() == 1000


async def test_kick_and_end_close_the_socket(server: MediaServer) -> None:
    alice, bob = await server.join("alice"), await server.join("bob")
    await server.engine.remove_participant("room", "alice")
    leave = await alice.next("leave")
    assert leave.reason == models.DisconnectReason.PARTICIPANT_REMOVED
    assert await alice.closed() == 1000
    await server.engine.delete_room("room")
    assert (await bob.next("leave")).reason == models.DisconnectReason.ROOM_DELETED
    assert await bob.closed() == 1000


async def test_shutdown_says_goodbye_first(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        client = await server.join("alice")
    leave = await client.next("leave")
    assert leave.action == rtc.LeaveRequest.RECONNECT
    assert leave.reason == models.DisconnectReason.SERVER_SHUTDOWN


async def test_keys_outlive_a_restart(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        token = server.token("alice")
    async with serve(tmp_path) as server:
        client = await RawClient.connect(server.v1_url(token))
        await client.next("join")
        await client.socket.close()


async def test_malformed_and_oversized_frames_end_in_a_leave(server: MediaServer) -> None:
    client = await server.join("alice")
    frames: list[bytes | str] = [b"\xff", "{", b"\0" * 70_000]
    for frame in frames * 7:
        await client.socket.send(frame)
    leave = await client.next("leave")
    assert leave.action == rtc.LeaveRequest.DISCONNECT
    assert server.engine.machine.counts()["participants"] == 0


async def test_client_that_does_not_read_is_closed_and_can_resume(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MAX_BYTES", 200_000)
    alice = await server.join("alice")
    alice.socket.transport.pause_reading()
    registry = server.engine.counters.slow_sockets
    for turn in range(2000):
        # More than the kernel's buffers hold, in frames of 60 kB.
        attributes = {"x": "y" * 60_000, "n": str(turn)}
        await server.engine.update_participant("room", "alice", attributes=attributes)
        await asyncio.sleep(0)
        if server.engine.machine.participant("room", "alice").connection is None:
            break
    assert server.engine.machine.participant("room", "alice").connection is None
    assert next(s.value for m in registry.collect() for s in m.samples) == 1
    request = rtc.JoinRequest(reconnect=True, participant_sid=alice.sid)
    again = await RawClient.connect(server.v1_url(server.token("alice"), request))
    await again.next("reconnect")
    for client in (alice, again):
        client.socket.transport.abort()
        await client.closed()


async def test_metrics_tell_of_joins_and_refusals(server: MediaServer) -> None:
    client = await server.join("alice")
    await _refused(f"{server.url}/rtc/v1?join_request=x&access_token=x")
    async with httpx2.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"http://127.0.0.1:{server.port}/metrics")).text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines["conclave_media_rooms"] == "1.0"
    assert lines["conclave_media_participants"] == "1.0"
    assert lines["conclave_media_joins_total"] == "1.0"
    assert lines['conclave_media_refused_total{reason="malformed"}'] == "1.0"
    assert lines['conclave_media_packets_total{direction="in"}'] == "0.0"
    assert "alice" not in text
    await client.socket.close()
