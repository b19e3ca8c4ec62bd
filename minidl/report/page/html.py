"""HTML from plain values: every text is escaped, unless it was made here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from urllib.parse import quote


class Html(str):
    """Markup. Any other string is text, and is escaped where it is put into markup."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str | bool | None) -> Html:
    """An element.

    Args:
        name: such as "p".
        children: markup, or text, which is escaped.
        attributes: class_ is class, and other underscores are hyphens; True stands alone, None is left out.

    Example:
        >>> tag("p", "a < b", class_="note")
        '<p class="note">a &lt; b</p>'

    """
    opening = name
    for key, value in attributes.items():
        if value is not None and value is not False:
            attribute = key.rstrip("_").replace("_", "-")
            opening += f" {attribute}" + ("" if value is True else f'="{html.escape(str(value))}"')
    return Html(f"<{opening}>{joined(children)}</{name}>")


def joined(parts: Iterable[str], between: str = "") -> Html:
    """Markup and text, one after the other; the text is escaped."""
    return Html(between.join(part if isinstance(part, Html) else html.escape(part) for part in parts))


def facts(caption: str, rows: Iterable[tuple[str, str]]) -> Html:
    """A table of names and values, below a heading that says what they are."""
    body = tag("tbody", *(tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in rows))
    return tag("table", body, class_="facts", aria_label=caption)


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, row_heads: bool = True
) -> Html:
    """A table in a box of its own, which scrolls where it is too wide; numbers stand at the right.

    Args:
        caption: what it is.
        head: of the columns.
        rows: texts or markup.
        row_heads: whether the first cell of a row is its head.

    """
    lines = [list(row) for row in rows]
    first = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head)))
    body = tag("tbody", *(
        tag("tr", *(
            tag("th", cell, scope="row") if i == 0 and row_heads
            else tag("td", cell, class_="n" if _is_number(cell) else None)
            for i, cell in enumerate(line)
        ))
        for line in lines
    ))
    whole = tag("table", tag("caption", caption), first, body)
    return tag("div", whole, class_="scroll", role="region", tabindex="0", aria_label=caption)


def download(name: str, text: str, label: str) -> Html:
    """A link to a CSV file that is inside of the page itself."""
    content = "data:text/csv;charset=utf-8," + quote(text, safe="/,:;()*!~'")
    return tag("a", label, href=content, download=name)


def _is_number(cell: str) -> bool:
    return cell[:1] in "0123456789+-\N{MINUS SIGN}>" and cell[:1] != "" and cell[-1:].isdigit()
