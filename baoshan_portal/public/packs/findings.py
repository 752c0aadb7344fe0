"""What a briefing pack finds, in sentences: the paragraph that it opens with."""

from collections import Counter

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from measures.text import day_in_words, joined
from metrics.rules.choices import UNVERIFIABLE, Verdict

from ..check_marks import that_ask
from ..prose import listed

#: Names after one another in a sentence; the tables have all of them.
MOST_NAMES = 5
#: Verdicts whose indicators are named, in this order.
NAMED = (Verdict.MISSED, Verdict.BEHIND)


def findings(pack) -> str:
    """How its targets stand, what is behind or missed, what nobody can verify, and by which data.

    Counts and names, never an average; every count is one of what the pack holds.
    """
    targets = [(line, state) for line in pack.lines for state in line.assessments if state.target]
    sentences = [_size(pack)]
    if targets:
        sentences.append(_verdicts(targets))
        sentences += [_those(verdict, targets) for verdict in NAMED]
        sentences.append(_unverifiable(targets))
    else:
        sentences.append(
            _("No target was published for any of them, so nobody can say what was reached.")
        )
    sentences += [_asking(pack), _without_figures(pack)]
    return joined(sentence for sentence in sentences if sentence)


def _size(pack) -> str:
    known = sum(line.latest is not None for line in pack.lines)
    said = {
        "measures": ngettext("%(n)d measure", "%(n)d measures", len(pack.works))
        % {"n": len(pack.works)},
        "indicators": ngettext("%(n)d indicator", "%(n)d indicators", len(pack.lines))
        % {"n": len(pack.lines)},
        "known": known,
    }
    if pack.newest_period:
        said["day"] = day_in_words(pack.newest_period)
        return (
            _(
                "This pack covers %(measures)s with %(indicators)s, of which %(known)d have a "
                "public value; the newest period ends on %(day)s."
            )
            % said
        )
    return (
        _(
            "This pack covers %(measures)s with %(indicators)s, of which %(known)d have a public "
            "value."
        )
        % said
    )


def _verdicts(targets: list) -> str:
    counts = Counter(state.verdict for _line, state in targets)
    parts = [
        _("“%(verdict)s”: %(n)d") % {"verdict": verdict.label, "n": counts[verdict]}
        for verdict in Verdict
        if counts[verdict]
    ]
    text = ngettext("%(n)d target: %(parts)s.", "%(n)d targets: %(parts)s.", len(targets))
    return text % {"n": len(targets), "parts": pgettext("between filters", "; ").join(parts)}


def _those(verdict: Verdict, targets: list) -> str:
    found = [line for line, state in targets if state.verdict == verdict]
    if not found:
        return ""
    text = {
        Verdict.MISSED: _("Missed: %(names)s."),
        Verdict.BEHIND: _("Behind schedule: %(names)s."),
    }[verdict]
    named = [
        _("%(name)s (%(figure)s)") % {"name": line.indicator, "figure": line.figure}
        for line in found
    ]
    return text % {"names": _names(named)}


def _unverifiable(targets: list) -> str:
    found = [line for line, state in targets if state.verdict in UNVERIFIABLE]
    if not found:
        return ""
    names = _names([str(line.indicator) for line in found])
    return _("Cannot be verified from what is public: %(names)s.") % {"names": names}


def _asking(pack) -> str:
    found = [line for line in pack.lines if that_ask(line.checks)]
    if not found:
        return ""
    text = ngettext(
        "%(n)d figure does not agree with others or asks for an explanation: %(names)s.",
        "%(n)d figures do not agree with others or ask for an explanation: %(names)s.",
        len(found),
    )
    return text % {"n": len(found), "names": _names([str(line.indicator) for line in found])}


def _without_figures(pack) -> str:
    count = sum(not work.lines for work in pack.works)
    if not count:
        return ""
    text = ngettext(
        "For %(n)d measure the documents give no figure.",
        "For %(n)d measures the documents give no figure.",
        count,
    )
    return text % {"n": count}


def _names(names: list[str]) -> str:
    shown = listed(dict.fromkeys(names[:MOST_NAMES]))
    if len(names) <= MOST_NAMES:
        return shown
    return _("%(names)s and others, %(n)d in all") % {"names": shown, "n": len(names)}
