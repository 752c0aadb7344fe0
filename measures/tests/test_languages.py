"""Chinese on an English page is marked as Chinese, and nothing else is touched."""

import pytest
from django.template import Context, Template
from django.utils.translation import override

from ..languages import mark_chinese

pytestmark = pytest.mark.once("pure rules")


def zh(text: str) -> str:
    return f'<span lang="zh-Hans">{text}</span>'


@pytest.mark.parametrize(
    ("html", "marked"),
    [
        ("<p>No word of it</p>", "<p>No word of it</p>"),
        ("<td>宝府〔2023〕70号 1.3/5</td>", f"<td>{zh('宝府〔2023〕70号')} 1.3/5</td>"),
        ("51.79亿元 or 第6", f"{zh('51.79亿元')} or {zh('第6')}"),
        ("约 means about, 近 nearly", f"{zh('约')} means about, {zh('近')} nearly"),
        ("（原文）、2.1万余个", zh("（原文）、2.1万余个")),
        ("a &amp; 约5家", f"a &amp; {zh('约5家')}"),
        ("<b>约</b>5", f"<b>{zh('约')}</b>5"),
    ],
)
def test_a_run_of_chinese_is_marked_with_the_digits_that_belong_to_it(html, marked):
    assert mark_chinese(html) == marked


@pytest.mark.parametrize(
    "html",
    [
        '<td lang="zh-Hans" class="x">51.79亿元</td>',
        '<input placeholder="翻两番">',
        "<textarea>完成选址</textarea>",
        '<script src="x.js">"中"</script>',
    ],
)
def test_what_is_marked_already_or_cannot_be_stays_as_it_is(html):
    assert mark_chinese(html) == html


@pytest.mark.parametrize("name", ["option", "text", "title"])
def test_an_element_that_can_hold_no_other_carries_the_mark_itself(name):
    assert mark_chinese(f'<{name} x="1">科委 (3), 区</{name}>') == (
        f'<{name} lang="zh-Hans" x="1">科委 (3), 区</{name}>'
    )


def test_only_an_english_page_is_marked():
    template = Template("{% in_its_language %}<p>{{ text }}</p>{% endin_its_language %}")
    context = Context({"text": "<宝府>"})

    with override("en"):
        assert template.render(context) == f"<p>&lt;{zh('宝府')}&gt;</p>"
    with override("zh-hans"):
        assert template.render(context) == "<p>&lt;宝府&gt;</p>"
