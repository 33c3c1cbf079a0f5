"""The most used passwords of those that are long enough, from published lists of leaked ones, and
what is no better: one character or one short piece over and over, and rows of keys."""

from __future__ import annotations

import re

_LIST = """
123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 0123456789012
123123123123 121212121212 112233445566 987654321098 123456123456 123456789123 1234567891011
123456789abc abc123456789 a123456789012 qwerty123456 qwerty1234567 123456qwerty 1234567qwerty
qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyuiopas qwertyuiopasdf qwertyuiop[] 1q2w3e4r5t6y
1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv q1w2e3r4t5y6 qazwsxedcrfv zaq12wsxcde3
password1234 password12345 password123456 password2023 password2024 password2025 password2026
passw0rd1234 p@ssw0rd1234 p@ssword1234 passwordpassword password!234 mypassword123
administrator administrator1 adminadmin123 admin1234567 welcome12345 welcome123456
letmein12345 letmein123456 iloveyou1234 iloveyou12345 iloveyouforever changeme1234 changemenow12
correcthorsebatterystaple trustno1trustno1 unbelievable1 basketball12 footballfootball
passwort1234 passwort12345 passwortpasswort meinpasswort1 hallo1234567 hallohallo12
geheimgeheim willkommen12 willkommen123 willkommen1234 schatzschatz1 ichliebedich
"""
_WORDS = frozenset(_LIST.split())
_ROWS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)
_REPEATED = re.compile(r"(.{1,4}?)\1+")


def is_common(password: str) -> bool:
    text = password.casefold()
    return (
        text in _WORDS
        or _REPEATED.fullmatch(text) is not None
        or any(text in row or text in row[::-1] for row in _ROWS)
    )
