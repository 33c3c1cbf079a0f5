"""What bots see and hear of one another."""

from __future__ import annotations

from conclave_sealing.bot import Bot
from conclave_sealing.media import Media, Received


def media_of(bot: Bot) -> Media:
    assert bot.media is not None
    return bot.media


async def see_and_hear(bot: Bot, of: Bot) -> None:
    """New pictures and new sound, from now on."""

    def now() -> Received:
        return media_of(bot).received.get(of.member.identity, Received())

    pictures, samples = now().pictures, now().samples
    await media_of(bot).until(
        lambda _: now().pictures > pictures + 5 and now().samples > samples + 4_800
    )
