"""axe-core inside a page of the browser tests.

The script is evaluated by the browser's debugger, not by the page, so the portal's
Content-Security-Policy stays in force and needs no exception.
"""

import re
from dataclasses import dataclass

from axe_playwright_python.base import AXE_SCRIPT

VERSION = re.search(r"axe v([\d.]+)", AXE_SCRIPT)[1]
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
#: What axe-core itself recommends besides: landmarks, order of headings and the like.
ALL = (*WCAG, "best-practice")


#: Takes out elements that differ from one beside them in texts and addresses only: what the rules
#: are about, their elements, classes, roles and languages, is the same.
ONE_OF_A_KIND = """() => {
  const values = / (?!class|role|lang|scope|type|aria-hidden)[\\w:-]+="[^"]+"/g;
  const kindOf = one => one.outerHTML
    .replace(/>\\s*[^<\\s][^<]*/g, ">text").replace(values, name => name.split("=")[0] + "=");
  for (const parent of document.querySelectorAll("main *")) {
    const seen = new Set();
    for (const one of parent.isConnected ? [...parent.children] : []) {
      const kind = kindOf(one);
      if (seen.has(kind)) one.remove();
      seen.add(kind);
    }
  }
}"""


@dataclass(frozen=True)
class Findings:
    """What axe-core says of one page: a line per violation, and the rules that passed."""

    violations: list[str]
    passed: frozenset[str]


def look_at(page, rules=ALL) -> Findings:
    """Let axe-core look at what ``page`` shows now; ``rules`` are names of its groups of rules.

    Of elements side by side that are alike it looks at one; the others are gone from the page.
    """
    page.evaluate(ONE_OF_A_KIND)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    answer = page.evaluate(
        "options => axe.run(document, options)",
        {
            "runOnly": list(rules),
            "resultTypes": ["violations"],
            "preload": False,
            "iframes": False,
        },
    )
    violations = [
        f"{page.url}: {rule['id']}: {', '.join(node['target'])}: {node['html'][:120]}"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]
    return Findings(violations, frozenset(rule["id"] for rule in answer["passes"]))
