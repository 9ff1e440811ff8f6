"""Whether librdkafka takes options, found out before anything runs: it alone knows which there are."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from confluent_kafka import KafkaException, Producer

from streaming.client import IN_FLIGHT, KafkaAddress, UnusableAddress
from streaming.faust.settings import EngineSettings

_NOWHERE = "127.0.0.1:1"
_MEND = "See CONFIGURATION.md of librdkafka for the options that there are, and what each may be"
_SILENT = logging.Logger("options")  # noqa: LOG001 nobody is to hear of these clients, with `debug` least of all
_NONE_SUCH = "No such"  # as librdkafka begins
_RANGE = re.compile(r"outside allowed range (\S+)")


def demand_options(options: Mapping[str, str]) -> None:
    """See that clients can be made with these options. Raises UnusableAddress, without repeating a value.

    Files are not looked at: they may be on another machine than the one where settings are checked.
    """
    for name, value in options.items():
        if name != "security.protocol" and (fault := _fault({name: value})):
            raise UnusableAddress(f"{_named(name, fault)}. {_MEND}")
    # What each may be alone may not go together, or not with what our clients are told.
    plain = {name: value for name, value in options.items() if name not in ("security.protocol", "debug")}
    engine = EngineSettings(bootstrap=_NOWHERE, group="none", librdkafka=plain | {"log_level": "0"})
    try:
        engine.transactional_producer("none")
        with closing(engine.group_consumer()):
            pass
    except KafkaException as error:
        raise UnusableAddress(f"librdkafka does not take the options together ({_said(error)}). {_MEND}") from error


def demand_way_in(address: KafkaAddress) -> None:
    """See that the options for getting in are enough for librdkafka, files among them. Raises UnusableAddress."""
    if fault := _fault({**address.options, "bootstrap.servers": _NOWHERE}):
        raise UnusableAddress(f"librdkafka cannot get in by these options ({fault}). {_MEND}")


def _fault(options: Mapping[str, str]) -> str:
    """What librdkafka has against them; an empty text where it takes them."""
    if "logger" in options:  # Python's alone, too, and ours would stand in its place here
        return _NONE_SUCH
    config: dict[str, Any] = {"max.in.flight": IN_FLIGHT, **options, "logger": _SILENT}
    try:
        Producer(config)
    except KafkaException as error:
        return _said(error)
    except (TypeError, AttributeError, ValueError):  # functions and the like, which are Python's alone
        return _NONE_SUCH
    return ""


def _named(name: str, fault: str) -> str:
    if fault.startswith(_NONE_SUCH):
        return f"there is no option {name}"
    if fault.startswith("Expected bool"):
        return f"{name} is neither true nor false"
    if allowed := _RANGE.search(fault):
        return f"{name} is outside of {allowed[1]}"
    return f"{name} has a value that it cannot have"


def _said(error: KafkaException) -> str:
    text = " ".join(error.args[0].str().split())
    return re.sub(r"^Failed to create [\w ]+: ", "", text)
