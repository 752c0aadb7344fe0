"""The components that show the committee's word."""

from django import template

from measures.models import Grade
from metrics.rules.stages import InTime

register = template.Library()

# A state always carries a word and an icon; the class gives the colour.
GRADES = {
    Grade.SATISFIED: ("good", "✓"),
    Grade.FAIRLY_SATISFIED: ("warn", "≈"),
    Grade.NOT_SATISFIED: ("bad", "✕"),
}
TERMS = {
    InTime.IN_TIME: ("good", "✓"),
    InTime.LATE: ("warn", "◇"),
    InTime.OPEN: ("none", "–"),
    InTime.OVERDUE: ("bad", "!"),
    InTime.UNKNOWN: ("open", "?"),
}


@register.inclusion_tag("public/_grade.html")
def grade(evaluation):
    """What an evaluation came to, with icon and word; it says so if nothing was announced."""
    found = Grade(evaluation.grade) if evaluation.grade else None
    tone, icon = GRADES.get(found, ("open", "?"))
    return {"grade": found, "tone": tone, "icon": icon}


@register.inclusion_tag("public/_term.html")
def in_time(term):
    """Whether a stage was reached in time, with icon, word and due day."""
    tone, icon = TERMS[term.state]
    return {"term": term, "tone": tone, "icon": icon}
