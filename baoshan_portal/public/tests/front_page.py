"""How the tests read the overview."""

import re
from html import unescape

from baoshan_portal.tests.pages import texts


def html_of(client, address="/en/", **query) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.getvalue().decode()


def rows(html: str) -> list[list[str]]:
    """The cells of every row of every table, as text."""
    return [texts(row, "t[hd]") for row in re.findall("<tr[^>]*>(.*?)</tr>", html, re.DOTALL)]


def row_of(html: str, head: str) -> list[str]:
    """The further cells of the row of ``head``, with its number and the committee's word or not."""
    named = re.compile(rf"[\d.]*{re.escape(head)}(the committee: .*)?")
    (found,) = [cells[1:] for cells in rows(html) if cells and named.fullmatch(cells[0])]
    return found


def parts(html: str) -> dict[str, tuple[str, str]]:
    """The counts of the honesty panel: by label, the count as read and its link."""
    table = html[html.index('class="plain trust"') :]
    found = re.findall(
        r'<a href="([^"]*)"><span class="key[^>]*></span>(.*?) <strong>(.*?)</a>', table
    )
    return {label: (count.replace("</strong>", ""), unescape(link)) for link, label, count in found}


def states_of(html: str) -> list[tuple[str, str]]:
    """The link and the count of every part of the bars by section and theme."""
    table = html[html.index('class="plain asked"') : html.index('<form class="since"')]
    found = re.findall(
        r'<a href="([^"]*)"><span class="key[^>]*></span>.*? <strong>(.*?)</strong>', table
    )
    return [(unescape(link), count) for link, count in found]


def verdict(client, **query) -> list[str]:
    """The headline in Chinese and in English."""
    return [texts(html_of(client, address, **query), "h1")[0] for address in ("/", "/en/")]


def finding(client, address="/en/") -> list[str]:
    """What stands below the headline."""
    html = html_of(client, address)
    found = html.partition('<dl class="findings">')[2].partition("</dl>")[0]
    return texts(found, "dd")
