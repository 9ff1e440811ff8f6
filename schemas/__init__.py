"""What travels between the stages: the records, their ids and their headers.

Pydantic models are the one definition; JSON Schemas in ``schemas/json`` are generated from them
(``baton export-schemas``). Unknown fields are kept and passed on.
"""

from schemas.event import Attributes, Campaign, Consent, MarketingEvent, Subject
from schemas.feedback import MarketingFeedback
from schemas.lead import Identity, LeadEvent
from schemas.outcome import SalesOutcome
from schemas.routed import Assignment, Candidate, Clocks, Decision, RoutedLead
from schemas.scored import Explanation, ScoredLead, Transition

__all__ = [
    "Assignment",
    "Attributes",
    "Campaign",
    "Candidate",
    "Clocks",
    "Consent",
    "Decision",
    "Explanation",
    "Identity",
    "LeadEvent",
    "MarketingEvent",
    "MarketingFeedback",
    "RoutedLead",
    "SalesOutcome",
    "ScoredLead",
    "Subject",
    "Transition",
]
