"""The methods page of the project as a page of the site: Markdown to HTML that is accessible.

The text is that of ``docs/methods.md``, to which every computed column of the marts links; its
headings keep their anchors.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_TAGS = re.compile(r"<[^>]+>")


def heading_anchor(heading: str) -> str:
    """The anchor that a heading has on code forges: lower case, hyphens, no punctuation."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def methods_as_html(text: str) -> Markup:
    """The document without its title, to stand below a heading of the first level.

    Links within the document are kept, others lose their address: the site is read without the
    project. Tables scroll in themselves and can be reached by keyboard.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(re.sub(r"\A# .*\n", "", text))
    tables = 0
    section = "the methods"
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            section = tokens[at + 1].content
            token.attrSet("id", heading_anchor(section))
        elif token.type == "th_open":
            token.attrSet("scope", "col")
            if not tokens[at + 1].content:
                # A header cell without words is a corner, not a header.
                token.tag = "td"
                token.attrs.pop("scope", None)
                next(each for each in tokens[at:] if each.type == "th_close").tag = "td"
        elif token.type == "table_open":
            tables += 1
            token.meta = {"label": f"Table: {tables}, {_TAGS.sub('', section)}"}
        elif token.type == "inline":
            _unlink(token)
    rendered = parser.renderer.render(tokens, parser.options, {})
    labels = iter([t.meta["label"] for t in tokens if t.type == "table_open"])
    rendered = re.sub(
        r"<table>",
        lambda _: Markup(
            '<div class="scroll" role="region" aria-label="{}" tabindex="0">\n<table>'
        ).format(next(labels)),
        rendered,
    ).replace("</table>", "</table>\n</div>")
    return Markup(rendered)


def _unlink(inline: Token) -> None:
    """Turn links that leave the document into their words."""
    kept: list[Token] = []
    dropped = 0
    for child in inline.children or []:
        if child.type == "link_open" and not str(child.attrGet("href")).startswith("#"):
            dropped += 1
        elif child.type == "link_close" and dropped:
            dropped -= 1
        else:
            kept.append(child)
    inline.children = kept
