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
#: What the choice of colours can break; much of the time that axe-core takes goes into these.
BY_COLOUR = ("color-contrast", "link-in-text-block")


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


#: Marks what needs no look at its colours, because the like was looked at, be it on another page;
#: returns the kinds that are new. A kind is what decides the rules of colour: how an element and
#: all around it are computed, and whether it is seen and has text of its own.
OF_NEW_COLOURS = """async seen => {
  const root = document.documentElement;
  const all = [...document.body.querySelectorAll("*")];
  const chains = new Map(), hashes = new Map();
  const chain = one => {
    if (!one || one === root) return "";
    if (!chains.has(one)) {
      const is = getComputedStyle(one);
      chains.set(one, [chain(one.parentElement), one.localName, is.color, is.backgroundColor,
        is.backgroundImage, is.opacity, is.fontSize, is.fontWeight, is.textShadow, is.filter,
        is.textDecorationLine, is.borderBottomStyle, is.display, is.position, is.clip,
        is.clipPath, is.textIndent, one.checkVisibility({visibilityProperty: true}),
        one.getClientRects().length > 0, one.matches(":disabled, [aria-disabled=true]"),
        [...one.childNodes].some(part => part.nodeType === 3 && part.data.trim())].join());
    }
    return chains.get(one);
  };
  for (const text of new Set(all.map(chain))) {
    const hash = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
    hashes.set(text, btoa(String.fromCharCode(...new Uint8Array(hash))));
  }
  window.kindOf = new Map(all.map(one => [one, hashes.get(chain(one))]));
  const known = new Set(seen), fresh = new Set();
  for (const one of all) {
    const kind = window.kindOf.get(one);
    // A field shows text that is none of its parts.
    if (!known.has(kind) || one.matches("input, select, textarea, option")) fresh.add(kind);
    else one.setAttribute("data-seen", "");
    known.add(kind);
  }
  return [...fresh];
}"""
#: Lets the rules of colour look at what is not marked.
NOT_SEEN = """rules => axe.configure({rules: axe._audit.rules
  .filter(rule => rules.includes(rule.id) && !rule.selector.includes("data-seen"))
  .map(rule => ({id: rule.id, selector: rule.selector.split(",")
    .map(part => `${part.trim()}:not([data-seen])`).join()}))})"""
#: What came out of a look, and the kinds of colours of which axe-core could not tell.
RUN = """async ([options, byColour]) => {
  const answer = await axe.run(document, {...options, elementRef: true});
  const unsure = answer.incomplete.filter(rule => byColour.includes(rule.id))
    .flatMap(rule => rule.nodes.map(node => node.element));
  return {
    violations: answer.violations.map(rule => ({id: rule.id,
      nodes: rule.nodes.map(node => ({target: node.target, html: node.html}))})),
    passes: answer.passes.map(rule => rule.id),
    unsure: unsure.map(one => window.kindOf?.get(one) ?? ""),
  };
}"""


@dataclass(frozen=True)
class Findings:
    """What axe-core says of one page: a line per violation, and the rules that passed."""

    violations: list[str]
    passed: frozenset[str]


def look_at(page, rules=ALL, seen: set[str] | None = None) -> Findings:
    """Let axe-core look at what ``page`` shows now; ``rules`` are names of it or of its groups.

    Of elements side by side that are alike it looks at one; the others are gone from the page.
    Colours of which it could tell on an earlier page, kept in ``seen``, are not looked at again.
    """
    page.evaluate(ONE_OF_A_KIND)
    if not page.evaluate("() => 'axe' in window"):
        # Straight to the debugger: by way of the page's own `eval` half a megabyte takes twice.
        debugger = page.context.new_cdp_session(page)
        debugger.send("Runtime.evaluate", {"expression": AXE_SCRIPT})
        debugger.detach()
    fresh = set()
    if seen is not None:
        page.evaluate(NOT_SEEN, BY_COLOUR)
        fresh |= set(page.evaluate(OF_NEW_COLOURS, sorted(seen)))
    options = {
        "runOnly": list(rules),
        "resultTypes": ["violations", "incomplete"],
        "preload": False,
        "iframes": False,
    }
    answer = page.evaluate(RUN, [options, BY_COLOUR])
    if seen is not None:
        seen |= fresh - set(answer["unsure"])
    violations = [
        f"{page.url}: {rule['id']}: {', '.join(node['target'])}: {node['html'][:120]}"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]
    return Findings(violations, frozenset(answer["passes"]))
