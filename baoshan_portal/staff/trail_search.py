"""Finding what happened to a thing: under every name it had, by indicator, day and person."""

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext, gettext_lazy

from measures.models import TrailEvent
from measures.submission import end_of_day, start_of_day
from measures.trail import in_trail_language
from metrics.models import Indicator, NoFigure, Observation, Target

PARAMETERS = ("since", "until", "indicator", "person")


class AskForm(forms.Form):
    """What an auditor asks for; days are those of the portal, both included."""

    since = forms.DateField(label=gettext_lazy("From day"), required=False)
    until = forms.DateField(label=gettext_lazy("To day"), required=False)
    indicator = forms.CharField(
        label=gettext_lazy("Indicator: code or name"), required=False, max_length=200
    )
    person = forms.CharField(label=gettext_lazy("Account"), required=False, max_length=150)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class AskFilter(admin.ListFilter):
    """A small form beside the list; its answers stand in the address like those of any filter."""

    title = gettext_lazy("days, indicator and account")
    template = "staff/trail_filter.html"

    def __init__(self, request, params, model, model_admin):
        super().__init__(request, params, model, model_admin)
        said = {name: params.pop(name)[-1] for name in PARAMETERS if name in params}
        self.used_parameters = said
        self.form = AskForm(said)
        self.others = [(name, value) for name, values in params.items() for value in values]
        if query := request.GET.get("q"):
            self.others.append(("q", query))

    def has_output(self):
        return True

    def expected_parameters(self):
        return list(PARAMETERS)

    def choices(self, changelist):
        return []

    def queryset(self, request, queryset):
        if not self.form.is_valid():
            return queryset.none()
        asked = self.form.cleaned_data
        if asked["since"]:
            queryset = queryset.filter(at__gte=start_of_day(asked["since"]))
        if asked["until"]:
            queryset = queryset.filter(at__lt=end_of_day(asked["until"]))
        if asked["person"]:
            queryset = queryset.filter(actor_name=asked["person"].strip())
        if asked["indicator"]:
            queryset = queryset.filter(about_indicator(asked["indicator"].strip()))
        return queryset


def about_indicator(text: str) -> Q:
    """Events of the indicators that ``text`` names (code, or name now or before), and of their
    figures and targets, deleted drafts too."""
    kind = Indicator._meta.label_lower
    once = TrailEvent.objects.filter(named(text), subject_type=kind).values("subject_code")
    found = Indicator.objects.filter(
        Q(code=text) | Q(name=text) | Q(name_en=text) | Q(code__in=once)
    ).order_by()
    events = Q(subject_type=kind, subject_code__in=found.values("code"))
    for model in (Observation, NoFigure, Target):
        rows = model._base_manager.filter(indicator__in=found.values("pk")).order_by()
        events |= Q(subject_type=model._meta.label_lower, subject_code__in=rows.values("code"))
    with in_trail_language():
        label = str(Observation._meta.get_field("indicator").verbose_name)
        for name in found.values_list("name", flat=True)[:20]:
            # What was deleted is known by its events alone.
            line = f"{label}: {name}\n"
            events |= Q(before__contains=line) | Q(after__contains=line)
    return events


def named(text: str) -> Q:
    """Events in which a row is called ``text``, or begins or ceases to be."""
    asked = Q(subject__icontains=text)
    with in_trail_language():
        label = str(Indicator._meta.get_field("name").verbose_name)
    for side in ("before", "after"):
        asked |= Q(**{f"{side}__icontains": f"{label}: {text}"})
    return asked


def under_every_name(text: str) -> Q:
    """Events of whatever was ever called ``text``, under whatever name they speak of it."""
    same = TrailEvent.objects.filter(
        named(text), subject_type=OuterRef("subject_type"), subject_code=OuterRef("subject_code")
    )
    return Q(Exists(same.order_by())) & ~Q(subject_code="")


def changes_of(event: TrailEvent) -> list[tuple[str, str, str]]:
    """(field, old, new) of an event, the labels and choices in the reader's language.

    What was no list of fields stays one text without a label.
    """
    model = _model(event.subject_type)
    labels = _labels(model) if model else {}
    old, new = (_by_label(text, labels) for text in (event.before, event.after))
    return [
        (
            labels[label][0] if label in labels else label,
            _in_words(labels, label, old.get(label, "")),
            _in_words(labels, label, new.get(label, "")),
        )
        for label in dict.fromkeys([*old, *new])
    ]


def _model(label: str):
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _labels(model) -> dict[str, tuple[str, dict[str, str]]]:
    """By a field's label in the trail: its label for the reader, and its choices likewise."""
    names = [field.name for field in model._meta.get_fields() if hasattr(field, "verbose_name")]
    with in_trail_language():
        stored = {name: _label_and_choices(model, name) for name in names}
        yes, no = gettext("yes"), gettext("no")
    read = {name: _label_and_choices(model, name) for name in names}
    words = {yes: gettext("yes"), no: gettext("no")}
    return {
        label: (
            read[name][0],
            words | {text: read[name][1].get(value, text) for value, text in choices.items()},
        )
        for name, (label, choices) in stored.items()
    }


def _label_and_choices(model, name: str) -> tuple[str, dict[str, str]]:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name, {}
    choices = getattr(field, "flatchoices", None) or ()
    return str(field.verbose_name), {str(value): str(text) for value, text in choices}


def _by_label(text: str, labels) -> dict[str, str]:
    """The lines of one side of an event by label; a text of several lines goes on below it."""
    found: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        label, colon, value = line.partition(": ")
        label, value = (line[:-1], "") if line.endswith(":") and not colon else (label, value)
        if label in labels or (colon and not current):
            current, found[label] = label, value
        else:
            found[current] = "\n".join(filter(None, [found.get(current, ""), line]))
    return found


def _in_words(labels, label: str, value: str) -> str:
    return labels[label][1].get(value, value) if label in labels else value
