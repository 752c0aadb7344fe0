"""Questions of a committee member: each is answered a few clicks from the front page."""

from .people import press

CLICKS = 3


def answer(page, front: str, *links: str) -> str:
    """The text of the page to which links lead from ``front``, each by a part of its address."""
    assert len(links) <= CLICKS
    page.goto(front)
    for link in links:
        press(page.locator(f'a[href*="{link}"]').filter(visible=True).first)
    return " ".join(page.inner_text("main").split())
