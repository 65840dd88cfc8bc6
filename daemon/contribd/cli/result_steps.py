"""``contribd results --steps``: what became of one record, from its place in the topic to its answer."""

import sys
from collections.abc import Iterator
from datetime import datetime

from rich.console import Console
from rich.text import Text

from contribd.cli.result_views import STYLES, View, duration, iso, said
from contribd.ops.lines import printable
from contribd.results.reader import StoredResult
from contribd.results.result import Post, Result


def step_lines(console: Console) -> View:
    """A paragraph a result: each step with its time, and how long after the one before."""

    def write(stored: StoredResult) -> None:
        result = stored.result
        head = f"{printable(result.ric or '-')}  {result.place}  {printable(said(result))}".rstrip()
        if console.is_terminal:
            console.print(Text.assemble((f"{result.status:<10}", STYLES[result.status]), f"  {head}"))
        else:
            sys.stdout.write(f"{result.status:<10}  {head}\n")
        before: datetime | None = None
        for when, what in _steps(stored):
            later = "" if when is None or before is None else f"+{duration((when - before).total_seconds())}"
            sys.stdout.write(f"  {iso(when) or '-':<27}  {later:>11}  {printable(what)}".rstrip() + "\n")
            before = when or before
        sys.stdout.write("\n")

    return write


def _steps(stored: StoredResult) -> Iterator[tuple[datetime | None, str]]:
    result = stored.result
    if (source := result.source) is not None:
        key = "" if source.key is None else f", key {source.key}"
        yield source.timestamp, f"record {source.place}{key}: its timestamp"
    yield result.consumed_at, _taken(result)
    for post in result.posts:
        yield post.sent_at, f"{post.type} with PostID {post.post_id} to {post.endpoint}, session {post.session}"
        yield post.answered_at, _answer(post)
    if result.carried_by is not None:
        yield None, f"merged into a newer price: the post of {result.carried_by.place} carried it"
    place = f"{stored.topic}:{stored.partition}:{stored.offset}"
    by = f"{result.instance}, contribd {result.version}, rules {result.config}"
    yield result.settled_at, f"{result.status}; the result is {place}, by {by}"


def _taken(result: Result) -> str:
    if result.mapping is None:
        return "consumed; no mapping took it"
    target = "" if result.ric is None else f": {result.ric} of service {result.service}"
    return f"consumed and mapped by {result.mapping}{target}"


def _answer(post: Post) -> str:
    said = " ".join(filter(None, (post.code, post.text)))
    return f"{post.answer}{f': {said}' if said else ''}"
