"""An SMTP server on loopback (RFC 5321) that keeps what it is given, or refuses at a step."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class SmtpServer:
    refuses: str = ""
    """A command that is answered with 550: `RCPT`, `MAIL`, `DATA`, `AUTH`."""
    offers: tuple[str, ...] = ()
    """Extensions in the answer to EHLO."""
    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[SmtpServer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 test\r\n")
            while line := await reader.readline():
                command = line.split()[0].decode("ascii", "replace").upper() if line.split() else ""
                self.commands.append(command)
                if command == self.refuses:
                    writer.write(b"550 no\r\n")
                elif command == "EHLO":
                    names = ["test", *self.offers]
                    lines = [f"250-{name}" for name in names[:-1]] + [f"250 {names[-1]}"]
                    writer.write("".join(f"{text}\r\n" for text in lines).encode())
                elif command == "DATA":
                    writer.write(b"354 go on\r\n")
                    content = await reader.readuntil(b"\r\n.\r\n")
                    parsed = message_from_bytes(content[:-3], policy=policy.default)
                    assert isinstance(parsed, EmailMessage)
                    self.letters.append(parsed)
                    writer.write(b"250 taken\r\n")
                elif command == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
