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
#: What the choice of colours can break; most of the time that axe-core takes goes into these.
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


#: Takes out texts whose colours were looked at before, be it on another page, and returns the
#: kinds that are new. A kind is what decides the rules of colour: how an element and all around it
#: are computed in each of the styles, and whether it is seen and has text of its own.
OF_NEW_COLOURS = """async ([styles, seen]) => {
  const root = document.documentElement, before = root.className;
  const all = [...document.body.querySelectorAll("*")];
  const said = new Map(all.map(one => [one, ""])), hashes = new Map();
  for (const style of styles) {
    root.className = style;
    const chains = new Map();
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
    for (const one of all) said.set(one, said.get(one) + "|" + chain(one));
  }
  root.className = before;
  for (const text of new Set(said.values())) {
    const hash = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
    hashes.set(text, btoa(String.fromCharCode(...new Uint8Array(hash))));
  }
  window.kindOf = new Map(all.map(one => [one, hashes.get(said.get(one))]));
  const known = new Set(seen), fresh = new Set(), needed = new Set();
  for (const one of all.reverse()) {
    const kind = window.kindOf.get(one);
    // A field shows text that is none of its parts; a link is compared with the text around it.
    if (!known.has(kind) || needed.has(one) || one.matches("input, select, textarea, option")) {
      needed.add(one.parentElement);
      fresh.add(kind);
    } else for (const part of [...one.childNodes]) if (part.nodeType === 3) part.remove();
    known.add(kind);
  }
  return [...fresh];
}"""
#: What came out of a look, and the kinds of colours of which axe-core could not tell.
RUN = """async options => {
  const answer = await axe.run(document, {...options, elementRef: true});
  const unsure = answer.incomplete.flatMap(rule => rule.nodes.map(node => node.element));
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


def look_at(page, rules=ALL, without=()) -> Findings:
    """Let axe-core look at what ``page`` shows now; ``rules`` are names of its groups of rules.

    Of elements side by side that are alike it looks at one; the others are gone from the page.
    Rules ``without`` are left out.
    """
    page.evaluate(ONE_OF_A_KIND)
    return _findings(page, _run(page, rules, without))


def look_at_colours(page, styles: list[str], seen: set[str]) -> Findings:
    """Let axe-core look at the colours of ``page`` in each of ``styles``, classes of its root.

    Texts with colours of which it could tell on an earlier page, kept in ``seen``, are gone.
    """
    page.evaluate(ONE_OF_A_KIND)
    fresh = set(page.evaluate(OF_NEW_COLOURS, [styles, sorted(seen)]))
    violations, passed = [], frozenset()
    for style in styles:
        page.evaluate("name => { document.documentElement.className = name }", style)
        answer = _run(page, BY_COLOUR)
        fresh -= set(answer["unsure"])
        findings = _findings(page, answer)
        violations += findings.violations
        passed |= findings.passed
    seen |= fresh
    return Findings(violations, passed)


def _run(page, rules, without=()) -> dict:
    if not page.evaluate("() => 'axe' in window"):
        # Straight to the debugger: by way of the page's own `eval` half a megabyte takes twice.
        debugger = page.context.new_cdp_session(page)
        debugger.send("Runtime.evaluate", {"expression": AXE_SCRIPT})
        debugger.detach()
    options = {
        "runOnly": list(rules),
        "rules": {rule: {"enabled": False} for rule in without},
        "resultTypes": ["violations", "incomplete"],
        "preload": False,
        "iframes": False,
    }
    return page.evaluate(RUN, options)


def _findings(page, answer: dict) -> Findings:
    violations = [
        f"{page.url}: {rule['id']}: {', '.join(node['target'])}: {node['html'][:120]}"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]
    return Findings(violations, frozenset(answer["passes"]))
