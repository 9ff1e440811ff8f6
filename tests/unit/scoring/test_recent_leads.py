from datetime import timedelta

from hypothesis import given, settings

from services.scoring.event import Event
from services.scoring.profile import encode
from services.scoring.recent import BESIDE_BYTES, RecentLeads
from services.scoring.score import NOBODY, Lead, score
from services.scoring.stage import make_stage
from streaming.memory import MemoryRunner
from streaming.stage import Batch, State
from tests.unit.scoring.scoring_world import RULESET, START, lead, value
from tests.unit.scoring.test_profile_order import histories


def after(one: Lead, event: Event) -> Lead:
    """`one` with an event that changes something of it."""
    result = score(one, event, RULESET)
    assert result is not None
    return result[0]


@settings(max_examples=200, deadline=None)
@given(histories())
def test_what_is_kept_of_a_person_changes_nothing_of_what_is_written(orders: list[list[Event]]) -> None:
    kept, anew, stored, recent = NOBODY, NOBODY, None, RecentLeads()
    for event in orders[0]:
        recalled = recent.lead(b"lead", stored)
        assert recalled == kept
        results = [score(one, event, RULESET) for one in (kept, Lead(anew.profile), recalled)]
        told = [result for result in results if result is not None]
        assert len(told) in (0, 3)
        if told:
            kept, anew = told[0][0], told[1][0]
            stored = encode(kept.profile)
            recent.keep(b"lead", stored, told[2][0])

            assert len({result[1].to_json() for result in told}) == 1
            assert {encode(result[0].profile) for result in told} == {stored}


def test_equal_values_that_are_written_otherwise_are_told_anew() -> None:
    flags = [1, True, 1.0, [True], [1]]
    events = [lead(f"e{n}", after=timedelta(hours=n), attributes={"flag": flag}) for n, flag in enumerate(flags)]
    one, told = NOBODY, []
    for event in events:
        result = score(one, event, RULESET)
        assert result is not None
        one = result[0]
        told.append(bytes(result[1].person))

    assert [b'{"extra":{"flag":%b}}' % text for text in (b"1", b"true", b"1.0", b"[true]", b"[1]")] == told


def test_a_lead_is_remembered_as_it_was_stored_and_read_where_it_was_stored_otherwise() -> None:
    recent = RecentLeads()
    first = after(NOBODY, lead("a"))
    second = after(first, lead("b"))
    recent.keep(b"lead", encode(second.profile), second)

    assert recent.lead(b"lead", None) is NOBODY
    assert recent.lead(b"lead", encode(second.profile)) == second
    assert second.who is not None
    assert Lead(first.profile) == recent.lead(b"lead", encode(first.profile))


def test_the_leads_that_were_stored_last_are_kept() -> None:
    one = after(NOBODY, lead("a"))
    assert one.who is not None
    stored = encode(one.profile)
    each = len(stored) + len(one.who.gist) + BESIDE_BYTES
    recent = RecentLeads(most_bytes=2 * each)
    for key in (b"1", b"2", b"1", b"3"):
        recent.keep(key, stored, one)

    assert [True, False, True] == [recent.lead(key, stored) == one for key in (b"1", b"2", b"3")]


def test_a_lead_that_has_much_said_of_it_takes_the_room_of_several() -> None:
    small = after(NOBODY, lead("a"))
    large = after(NOBODY, lead("b", attributes={f"note {n}": "x" * 200 for n in range(40)}))
    stored = encode(small.profile)
    recent = RecentLeads(most_bytes=20_000)
    for number in range(20):
        recent.keep(b"%d" % number, stored, small)
    before = [recent.lead(b"%d" % number, stored).who is not None for number in range(20)]
    recent.keep(b"large", encode(large.profile), large)
    kept = [recent.lead(b"%d" % number, stored).who is not None for number in range(20)]

    assert all(before)
    assert recent.lead(b"large", encode(large.profile)) == large
    assert kept == sorted(kept)  # the oldest have gone
    assert 0 < sum(kept) < 18


def test_a_round_that_was_given_up_leaves_nothing_behind() -> None:
    stage = make_stage(RULESET)
    runner = MemoryRunner([stage], partitions=1, now=START.timestamp() + 60)
    runner.send("leads.events", b"lead-1", value("e1", "form_submitted"))
    runner.run()
    state = runner.state("scoring")
    runner.send("leads.events", b"lead-1", value("e2", "form_submitted"))
    given_up = Batch(runner.records("leads.events")[1:], State(state))
    stage.handler(given_up)
    runner.run()

    assert [output.value for output in given_up.outputs] == [runner.records("leads.scored")[-1].value()]
    assert given_up.state.new == runner.state("scoring")
