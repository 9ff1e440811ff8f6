from datetime import timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.scoring.event import Event
from services.scoring.layers import MOST_EXTRAS, facts
from services.scoring.profile import MOST_EVENTS, Profile, decode, encode
from tests.unit.scoring.scoring_world import RULESET, Record, lead, scored, written

TYPES = ["page_viewed", "webinar_attended", "demo_requested", "form_submitted", "unsubscribed", "email_opened"]
HOURS = st.integers(0, 24 * 40).map(lambda hours: hours / 2)


def some(**values: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(options) for name, options in values.items()})


HAPPENED: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"kind": st.sampled_from(TYPES), "hours": HOURS},
    optional={
        "subject": some(
            email=["ana@acme.example", "ana@gmail.com"], phone=["+491701234567"], anonymous_id=["c1", "c2"]
        ),
        "attributes": some(
            job_title=["VP Sales", "Buyer", ""],
            employees=[10, 5_000, None],
            budget=[{"eur": 5}, "much", []],
            seats=[1, 2.5, True],
        ),
        "properties": some(path=["/pricing", "/blog", "/"]),
        "campaign": some(source=["google", "bing", None], name=["a", "b"], placement=["top"]),
        "consent": st.lists(
            st.builds(
                lambda purpose, granted: {"purpose": purpose, "granted": granted},
                st.sampled_from(["marketing_email", "phone"]),
                st.booleans(),
            ),
            max_size=3,
        ),
        "verdicts": st.lists(st.sampled_from(["test", "bot", "role_address"]), max_size=2),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Event]]:
    """Events with ids of their own, and two orders of arrival, each with repetitions."""
    events: list[Event] = []
    for number, made in enumerate(draw(st.lists(HAPPENED, min_size=1, max_size=12))):
        kind, hours, verdicts = made.pop("kind"), made.pop("hours"), made.pop("verdicts", [])
        # Ids that sort otherwise than they were made, so that ties are told apart by them.
        event_id = f"{number * 7 % 13:02}-{number}"
        events.append(lead(event_id, kind, timedelta(hours=hours), quality=verdicts, **made))
    orders = []
    for _ in range(2):
        again = draw(st.lists(st.sampled_from(events), max_size=6))
        orders.append(draw(st.permutations([*events, *again])))
    return orders


def worth(record: Record) -> dict[str, Any]:
    """The record but for what the last arrival alone decides: which event caused it, and when the lead qualified."""
    said = {name: getattr(record, name) for name in record.__struct_fields__}
    for name in ("event_id", "stage", "transition"):
        del said[name]
    return said


@settings(max_examples=200, deadline=None)
@given(histories())
def test_the_score_is_a_function_of_the_set_of_events_whatever_their_order(orders: list[list[Event]]) -> None:
    (one, first), (other, second) = scored(orders[0]), scored(orders[1])

    assert worth(one[-1]) == worth(other[-1])
    assert first.layers == second.layers
    assert (first.seen, first.signals) == (second.seen, second.signals)


@settings(max_examples=50, deadline=None)
@given(histories())
def test_a_replay_writes_the_same_bytes(orders: list[list[Event]]) -> None:
    one, other = written(orders[0]), written(orders[0])

    assert one[0] == other[0]
    assert encode(one[1]) == encode(other[1])


@settings(max_examples=50, deadline=None)
@given(histories())
def test_a_repeated_history_adds_nothing(orders: list[list[Event]]) -> None:
    _, profile = scored(orders[0])
    records, again = scored([*orders[0], *orders[1], *orders[0]])

    assert encode(profile) == encode(again)
    assert len({event.id for event in orders[0]}) == len(records)


@settings(max_examples=50, deadline=None)
@given(histories())
def test_a_profile_is_read_back_as_it_was_written(orders: list[list[Event]]) -> None:
    _, profile = scored(orders[0])

    assert profile == decode(encode(profile))


@settings(max_examples=100, deadline=None)
@given(histories())
@example([[lead("a", "demo_requested")], [lead("a", "demo_requested")]])
def test_a_hand_once_raised_makes_the_lead_an_mql_in_any_order_and_once(orders: list[list[Event]]) -> None:
    asked = any(event.type == "demo_requested" for event in orders[0])
    for order in orders:
        records, _ = scored(order)
        moves = [record for record in records if record.transition]

        assert len(moves) <= 1
        assert not asked or records[-1].stage == "mql"


def test_of_two_words_at_one_time_the_one_of_the_greater_event_id_counts() -> None:
    events = [
        lead("b", attributes={"company": "Second"}, consent=[{"purpose": "phone", "granted": False}]),
        lead("a", attributes={"company": "First"}, consent=[{"purpose": "phone", "granted": True}]),
    ]
    for order in (events, events[::-1]):
        record = scored(order)[0][-1]

        assert "Second" == record.person["company"]
        assert {"phone": False} == record.consent


def test_what_says_nothing_overrules_nothing() -> None:
    records, _ = scored([lead("a", attributes={"company": "Acme"}), lead("b", attributes={"company": " "})])

    assert "Acme" == records[-1].person["company"]


def test_the_first_campaign_is_the_earliest_and_the_last_the_latest_that_was_named() -> None:
    day = timedelta(days=1)
    events = [
        lead("b", after=2 * day, campaign={"source": "bing"}),
        lead("d", after=4 * day, campaign={"source": None}),
        lead("a", after=day, campaign={"source": "google", "placement": "top"}),
        lead("c", after=3 * day, campaign={"source": "x"}),
    ]

    record = scored(events)[0][-1]

    assert {"first": {"source": "google", "placement": "top"}, "last": {"source": "x"}} == record.campaign
    assert 5.0 == record.fit


def test_a_verdict_on_the_person_stays_and_one_on_an_event_is_cleared_by_another_event() -> None:
    machine = lead("a", quality=["bot", "test"])
    person = lead("b")

    assert ["bot", "test"] == scored([machine])[0][-1].quality
    assert ["test"] == scored([machine, person])[0][-1].quality
    assert ["test"] == scored([person, machine])[0][-1].quality


def test_the_memory_of_a_lead_is_bounded_and_what_falls_out_is_the_same_in_any_order() -> None:
    events = [lead(f"{n}", "form_submitted", timedelta(seconds=n)) for n in range(MOST_EVENTS + 60)]
    shuffled = [events[n * 611 % len(events)] for n in range(len(events))]
    ends = [scored(order)[1] for order in (events, events[::-1], shuffled)]

    assert 1 == len({encode(msgless(profile)) for profile in ends})
    assert len(encode(ends[0])) < 25_000
    assert MOST_EVENTS * 8 == len(ends[0].signals["form"])


def msgless(profile: Profile) -> Profile:
    """Without when the lead qualified, which is the arrival's business."""
    return type(profile)(
        **{name: getattr(profile, name) for name in profile.__struct_fields__ if name not in ("stage", "since")}
    )


def test_an_event_from_before_what_is_remembered_gives_no_points_but_still_says_who_it_was() -> None:
    many = [lead(f"{n}", "form_submitted", timedelta(seconds=n + 10)) for n in range(MOST_EVENTS + 1)]
    old = lead("old", "webinar_attended", attributes={"city": "Bern"})
    _, profile = scored(many)
    records, again = scored([*many, old, old])

    assert "webinar" not in again.signals
    assert {"city": "Bern"} == facts(again.layers)
    assert profile.seen == again.seen
    assert len(many) + 1 == len(records)


def test_unknown_attributes_are_kept_the_latest_fifty() -> None:
    events = [lead(f"e{n:02}", after=timedelta(hours=n), attributes={f"x{n}": n}) for n in range(60)]
    for order in (events, events[::-1]):
        extra = scored(order)[0][-1].person["extra"]

        assert {f"x{n}": n for n in range(60 - MOST_EXTRAS, 60)} == extra


def test_what_is_too_large_to_keep_is_left_out() -> None:
    many = {"note": "x" * 2_000, "deep": [["y" * 990]], "huge": 10**30, "fine": "z" * 900, "n" * 101: 1}

    record = scored([lead("a", attributes={**many, "employees": 10**30})])[0][-1]

    assert {"extra": {"deep": [["y" * 990]], "fine": "z" * 900}} == record.person
    assert RULESET.rules_hash == record.rules_hash
