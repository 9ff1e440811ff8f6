"""The ledger of routing, in PostgreSQL: assignments, standings, the outbox and the source positions."""

from services.routing.ledger.backpressure import BoundedOutbox
from services.routing.ledger.connection import behind, connect, psycopg_url, upgrade
from services.routing.ledger.rosters import apply_roster
from services.routing.ledger.store import Ledger, Unit

__all__ = ["BoundedOutbox", "Ledger", "Unit", "apply_roster", "behind", "connect", "psycopg_url", "upgrade"]
