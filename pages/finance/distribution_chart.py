"""The picture of the plan distribution: a bar per plan, split by colour, the numbers on it.

It is said in Vega-Lite's own words: objects that check each of them would cost more than all that the page does
beside it.
"""

from typing import Any

import pandas as pd
import pyarrow as pa
import streamlit as st

from core.words import t

_COLOURS = [  # a bar's colour, and that of the number on it
    ("#2f6ea5", "white"),
    ("#e9a23b", "black"),
    ("#2a9d8f", "black"),
    ("#c8553d", "white"),
    ("#8e6c9e", "white"),
    ("#a3b18a", "black"),
]
_GREY = "#8a8f98"  # readable on light and dark
_ROOM = 0.1  # a part narrower than this share of the longest bar has no room for its number; the table has it
_LETTERS = 13  # pixels


def distribution_chart(table: pd.DataFrame, words: pd.DataFrame, totals: list[str], title: str, key: str) -> None:
    """One bar per row of `table`, a colour per column, and its total at the end; `words` has the numbers as read."""
    plans, parts = list(table.index), list(table.columns)
    lengths = [int(length) for length in table.sum(axis=1)]
    longest = max(1, *lengths)
    cells = [
        {"plan": plan, "part": part, "place": place, "amount": int(amount), "words": said}
        for plan, amounts, said_of in zip(plans, table.to_numpy(), words.to_numpy(), strict=True)
        for place, (part, amount, said) in enumerate(zip(parts, amounts, said_of, strict=True))
    ]
    for cell in cells:
        cell["has_room"] = cell["amount"] > longest * _ROOM
    ends = [
        {"plan": plan, "amount": length, "total": total}
        for plan, length, total in zip(plans, lengths, totals, strict=True)
    ]
    axis = {"labelLimit": 200, "labelFontSize": _LETTERS, "ticks": False}
    y = _field("plan", "nominal", title=None, sort=plans, axis=axis)
    scale = {"domain": [0, longest * 1.12], "nice": False}
    bar = {
        "y": y,
        "x": _field("amount", "quantitative", title=None, stack="zero", scale=scale, axis=None),
        "order": _field("place", "quantitative"),
    }
    colours = [_COLOURS[place % len(_COLOURS)] for place in range(len(parts))]
    legend = {"orient": "top", "labelFontSize": _LETTERS, "labelLimit": 300}
    colour = {"domain": parts, "range": [of_bar for of_bar, _ in colours]}
    bars = {
        "data": {"name": "cells"},
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": bar
        | {
            "color": _field("part", "nominal", title=None, sort=parts, legend=legend, scale=colour),
            "tooltip": [
                _field("plan", "nominal"),
                _field("part", "nominal"),
                _field("words", "nominal", title=title),
            ],
        },
    }
    numbers = [
        {
            "data": {"name": "cells"},
            "transform": [
                {"calculate": f"datum.has_room && datum.place == {place} ? datum.words : ''", "as": "own"},
            ],
            "mark": _text(ink, align="right", dx=-8, fontWeight="bold"),
            "encoding": bar | {"text": _field("own", "nominal"), "detail": _field("part", "nominal")},
        }
        for place, (_, ink) in enumerate(colours)
    ]
    at_the_end = {
        "data": {"name": "ends"},
        "mark": _text(_GREY, align="left", dx=8),
        "encoding": {"y": y, "x": _field("amount", "quantitative"), "text": _field("total", "nominal")},
    }
    picture = {
        "layer": [bars, *numbers, at_the_end],
        "height": {"step": 44},
        "datasets": {"cells": pa.Table.from_pylist(cells), "ends": pa.Table.from_pylist(ends)},
    }
    alt = t("A bar for each subscription: {measure}. The table below has the numbers.", measure=title)
    st.vega_lite_chart(spec=picture, width="stretch", key=key, alt=alt)


def _field(name: str, kind: str, **named: Any) -> dict[str, Any]:
    return {"field": name, "type": kind, **named}


def _text(ink: str, **named: Any) -> dict[str, Any]:
    return {"type": "text", "color": ink, "fontSize": _LETTERS, **named}
