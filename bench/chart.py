"""A picture of the figures: bars on a logarithmic axis, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

Bar = tuple[str, float, float, float, bool]
"""Words, middle, least, most, whether it is ours."""

WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 900, 400, 70, 34, 44, 34


def chart(bars: Sequence[Bar]) -> str:
    """CPU µs an event of each; a thin line goes from the least to the most that was measured."""
    low = floor(log10(min(bar[2] for bar in bars)))
    high = ceil(log10(max(bar[3] for bar in bars)))
    height = TOP + ROW * len(bars) + BOTTOM

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (log10(value) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 24, "CPU µs an event (logarithmic; less is better)", "start", "bold"),
    ]
    for power in range(low, high + 1):
        for step in (1, 2, 5) if power < high else (1,):
            at = x(step * 10.0**power)
            parts.append(_line((at, TOP - 6), (at, height - BOTTOM), "#e3e3e3"))
            parts.append(_text(at, height - BOTTOM + 18, f"{step * 10.0**power:g}", "middle"))
    for index, (words, middle, least, most, ours) in enumerate(bars):
        y = TOP + ROW * index
        colour, weight = ("#1a7f5a", "bold") if ours else ("#9db4c8", "normal")
        centre, length = y + ROW / 2 - 3, x(middle) - LEFT
        parts += [
            _text(LEFT - 10, centre + 4, words, "end", weight),
            f'<rect x="{LEFT}" y="{y + 3}" width="{length:.1f}" height="{ROW - 12}" fill="{colour}"/>',
            _line((x(least), centre), (x(most), centre), "#333333"),
            _text(x(most) + 8, centre + 4, f"{middle:.1f}", "start", weight),
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str, weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="13" font-weight="{weight}" fill="#222222">{escape(words)}</text>'


def _line(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="1.5"/>'
