"""Failed records that the failed topic did not take, so that a note of each stands there: routing's ledger has them."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from baton import provisioning
from baton.failed import FailedRecord, original_headers
from baton.refusal import NO, Refusal
from baton.settings import Settings
from schemas.headers import header_map
from streaming.run import TRACE

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Gone(Refusal):
    """The ledger does not have the record of a note."""


class Kept:
    """Reads them one by one. The ledger is asked for the first of them; where there is none, no database is needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Engine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def whole(self, one: FailedRecord) -> FailedRecord:
        """`one` with its key, value, headers and trace; itself where they stand in the topic.

        Raises `Gone` where the ledger does not have them, and `Refusal` where it cannot be asked.
        """
        if not one.kept:
            return one
        from sqlalchemy.exc import SQLAlchemyError

        from services.routing.ledger import connect, kept

        if self._engine is None:
            self._engine = connect(provisioning.database_url(self._settings), pool_size=1)
        try:
            with self._engine.connect() as connection:
                found = kept.read(connection, one.kept)
        except SQLAlchemyError as error:
            raise Refusal(f"{one.id} stands in the ledger, which cannot be read", "See `baton doctor`", NO) from error
        if found is None:
            mend = "It was kept by another one; is BATON_DATABASE_URL right?"
            raise Gone(f"{one.id}: the ledger does not have it", mend, NO)
        trace = header_map(found.headers).get(TRACE, "")
        headers = original_headers(found.headers)
        return replace(one, key=found.key, value=found.value, headers=headers, trace=trace)
