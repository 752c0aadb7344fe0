"""How far the public figures can be checked: counts, each with a link to its list."""

from collections import Counter

from django.utils.translation import gettext as _

from metrics.facts import Facts
from metrics.rules.checks import Result

from .shares import FRESHNESS, Whole, whole


def trust(known: list[Facts], checks: Counter, link_to) -> list[Whole]:
    """Counts that say how far the public figures can be checked, each with a link to its list.

    ``known`` is of each figure, ``checks`` counts checks by their results, and ``link_to`` makes an
    address.
    """

    def listed(**query):
        return link_to("indicators", **query)

    def yes_or_no(label, name, yes, no):
        n = sum(getattr(row, name) for row in known)
        return whole(
            label,
            (yes, n, listed(**{name: "yes"}), "yes"),
            (no, len(known) - n, listed(**{name: "no"}), "no"),
        )

    published = sum(row.target == "published" for row in known)
    unpublished = sum(row.has_target for row in known) - published
    fresh = Counter(row.fresh for row in known)
    return [
        yes_or_no(_("Public value"), "value", _("has one"), _("has none")),
        yes_or_no(
            _("Source"),
            "traced",
            _("traced to a sentence or document"),
            _("not traced"),
        ),
        whole(
            _("Target"),
            (_("value published"), published, listed(target="published"), "yes"),
            (_("known, not published"), unpublished, listed(target="unpublished"), "half"),
            (
                _("none known"),
                len(known) - published - unpublished,
                listed(target="none"),
                "no",
            ),
        ),
        yes_or_no(_("Since the report"), "updated", _("updated"), _("not updated")),
        whole(
            _("Reported when due"),
            *((state.label, fresh[state], listed(fresh=state), tone) for state, tone in FRESHNESS),
        ),
        yes_or_no(_("Period"), "inferred", _("partly inferred"), _("as the source states")),
        whole(
            _("Checks"),
            *(
                (result.label, checks[result], link_to("checks", result=result), tone)
                for result, tone in (
                    (Result.FAILS, "bad"),
                    (Result.QUESTION, "half"),
                    (Result.APPROXIMATE, "warn"),
                    (Result.UNKNOWN, "open"),
                    (Result.HOLDS, "good"),
                )
            ),
        ),
    ]
