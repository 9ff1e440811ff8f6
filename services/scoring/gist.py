"""What the rules say of who a lead is, packed into bytes, for it is kept of many thousands."""

from __future__ import annotations

from typing import Final

import msgspec

from services.scoring.lines import Account


class Gist(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Fit, None if it has to be asked anew at each time, and what of a record speaks of the person alone, as JSON."""

    fit_score: float | None
    fit_lines: bytes
    person: bytes
    campaign: bytes
    consent: bytes

    @property
    def fit(self) -> Account | None:
        """The account of fit."""
        return None if self.fit_score is None else Account(self.fit_score, self.fit_lines)


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Gist)


def packed(fit: Account | None, person: bytes, campaign: bytes, consent: bytes) -> bytes:
    """The bytes of a gist."""
    score, lines = fit if fit is not None else (None, b"")
    return _encoder.encode(Gist(score, lines, person, campaign, consent))


def unpacked(data: bytes) -> Gist:
    """A gist from its bytes."""
    return _decoder.decode(data)
