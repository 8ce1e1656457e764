"""Reading a page of ours: that it is well formed, what it refers to, and its tables."""

import re
from html import unescape
from html.parser import HTMLParser

VOID = {"meta", "line", "polyline", "polygon", "link", "rect", "wbr"}


class WellFormed(HTMLParser):
    """Fails on a tag that is not closed in its order; collects addresses, names of elements, and identifiers."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.tags, self.ids = [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        self.ids += [value for name, value in attributes if name == "id"]
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def outside(self):
        """The addresses that lead out of the page."""
        return [address for address in self.addresses if not address.startswith(("#", "data:,"))]


def section(page, name):
    """The HTML of a section by its identifier."""
    return re.search(rf'<section id="{name}">(.*?)</section>', page, re.S)[1]


def table(page, label):
    """The rows of the table in a box with this label, as texts; the first are the headings."""
    found = re.search(rf'aria-label="{re.escape(label)}">\s*<table(.*?)</table>', page, re.S)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", found, re.S)
    return [[text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in rows]


def text_of(html):
    """The text of a piece of HTML, with single blanks."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())
