"""The rows of an entry sheet: what is stored, what somebody typed, and what is saved or refused.

A row that stays empty is no entry. Whoever saves over a newer version of a row reads what changed
and keeps what they typed.
"""

from abc import ABC, abstractmethod
from datetime import date
from functools import cached_property
from hashlib import sha256

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms.renderers import Jinja2
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from measures import sign_off, workflow
from measures.evidence import EXTENSIONS, validate_extension, validate_size
from measures.fields import FormLink, FormText
from measures.models import Measure, ProgressNote
from measures.numerals import plain
from measures.submission import STATE_ICONS, State, Submission
from metrics.due import new_entry, new_no_figure
from metrics.entry import read_entry
from metrics.last_change import same_period_before
from metrics.models import Indicator, NoFigure, Observation
from metrics.rules.choices import NO_FIGURE_REASONS, Certainty
from metrics.rules.periods import period_text
from metrics.rules.quantity import QuantityError
from metrics.wording import figure_text, no_figure_text, observed_text, why_not_actual

from ..addresses import change_url, step_url
from ..evidence import evidence_url

REASONS = [(reason.value, reason.label) for reason in NO_FIGURE_REASONS]


class RowForm(forms.Form):
    """What can be typed in one row; ``texts`` names the fields that show whether it was used."""

    evidence_url = FormLink(
        label=gettext_lazy("Evidence: link"),
        required=False,
        max_length=200,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        error_messages={
            "invalid": gettext_lazy("Expected a web address, such as https://example.org/list.")
        },
    )
    evidence_file = forms.FileField(
        label=gettext_lazy("Evidence: file"),
        required=False,
        validators=[validate_extension, validate_size],
        widget=forms.FileInput(attrs={"accept": ",".join(f".{name}" for name in EXTENSIONS)}),
    )
    remove_file = forms.BooleanField(label=gettext_lazy("Remove this file"), required=False)

    texts: tuple[str, ...] = ()
    #: Django's own templates of fields take twice as long, and a sheet has hundreds of fields.
    default_renderer = Jinja2()

    def typed(self, name: str) -> str:
        """The text of a field exactly as it was sent, with the line ends of a stored text."""
        return _plain_lines(self.data.get(self.add_prefix(name), ""))

    def said(self, name: str) -> str:
        """As ``typed``, in words: what a person can copy."""
        return self.typed(name)

    @property
    def is_blank(self) -> bool:
        return not any(map(self.typed, self.entries)) and not self.new_file

    @property
    def entries(self) -> tuple[str, ...]:
        """The fields of which one alone makes an entry."""
        return self.texts

    @property
    def new_file(self):
        return self.files.get(self.add_prefix("evidence_file"))


class FigureForm(RowForm):
    figure = FormText(
        label=gettext_lazy("New figure"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 14}),
    )
    certainty = forms.ChoiceField(label=gettext_lazy("Certainty"), choices=Certainty)
    note = FormText(
        label=gettext_lazy("Note"),
        required=False,
        multiline=True,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    reason = forms.ChoiceField(
        label=gettext_lazy("No figure this time, because"),
        required=False,
        choices=[("", gettext_lazy("— there is a figure —")), *REASONS],
    )

    answer = FormText(
        label=gettext_lazy("Why the figure is nevertheless right"),
        required=False,
        max_length=Observation._meta.get_field("warning_answer").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("In a few words, for the reviewer; never public."),
    )

    texts = ("figure", "reason", "note", "evidence_url", "answer")
    entries = ("figure", "reason", "note", "evidence_url")
    entry = None

    def __init__(self, *args, row, **kwargs):
        super().__init__(*args, **kwargs)
        self.row, self.indicator, self.units = row, row.subject, row.sheet.units
        self.ends_on = row.period[1]

    def said(self, name):
        text = self.typed(name)
        return no_figure_text(dict(REASONS).get(text, text)) if name == "reason" and text else text

    def clean(self):
        data = super().clean()
        if self.is_blank or {"figure", "reason"} & self.errors.keys():
            return data
        if data["reason"]:
            self._check_reason(data)
            return data
        if not data["figure"]:
            self.add_error(
                "figure",
                _("Expected a figure beside the note or evidence; or clear the whole row."),
            )
            return data
        try:
            self.entry = read_entry(data["figure"], self.indicator.unit, self.units)
        except QuantityError as error:
            self.add_error("figure", error.message)
        today = timezone.localdate()
        if why := why_not_actual(data.get("certainty", ""), self.ends_on, today):
            self.add_error("certainty", why)
        return data

    @property
    def answer_text(self) -> str:
        """The answer to the warnings of the figure as typed; empty if it was one of another
        figure and nobody reworded it since."""
        answer = self.cleaned_data.get("answer", "")
        figure, _colon, was = self.data.get(self.add_prefix("answered"), "").partition(":")
        is_old = was and figure != plain(self.entry.value) and was == _mark([answer])
        return "" if is_old else answer

    @property
    def is_answered_anew(self) -> bool:
        """Whether the answer stood beside the same figure on the page; else its words tell."""
        figure = self.data.get(self.add_prefix("answered"), "").partition(":")[0]
        return figure == plain(self.entry.value)

    def _check_reason(self, data) -> None:
        if data["figure"]:
            self.add_error(
                "reason",
                _("There is a figure and a reason why there is none: clear one of them."),
            )
        elif why := self.row.why_not_without():
            self.add_error("reason", why)
        elif data["evidence_url"] or self.new_file or self.row.keeps_file(data["remove_file"]):
            self.add_error(
                "reason", _("Evidence belongs to a figure: remove it, and say in the note why.")
            )


class NoteForm(RowForm):
    happened_on = forms.DateField(
        label=gettext_lazy("Date"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": gettext_lazy("Expected a date, such as 2023-09-30.")},
    )
    text = FormText(
        label=gettext_lazy("What was done"),
        required=False,
        multiline=True,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    texts = ("happened_on", "text", "evidence_url")

    def clean_happened_on(self):
        day = self.cleaned_data["happened_on"]
        if day and day > timezone.localdate():
            raise ValidationError(_("Expected a day that is past: a note says what was done."))
        return day

    def clean(self):
        data = super().clean()
        if not self.is_blank:
            if "happened_on" not in self.errors and not data["happened_on"]:
                self.add_error("happened_on", _("Expected the day on which it was done."))
            if not data.get("text"):
                self.add_error("text", _("Expected a sentence on what was done."))
        return data


class SheetRow(ABC):
    """One line of the sheet: what it is about, what is stored, and what was typed.

    ``sheet`` holds round, department, units and what was sent. ``stored`` is the entry of this
    round, None if there is none; ``pending`` a correction of it that is not public yet. ``form``
    is None where nothing can be typed any more.
    """

    prefix_kind = ""
    #: The fields of the form that show whether it was used
    texts: tuple[str, ...] = ()
    #: What is said when the database refuses the row.
    taken = ""

    def __init__(self, sheet, subject: Indicator | Measure, entries: list[Submission]):
        self.sheet, self.subject = sheet, subject
        public = [entry for entry in entries if entry.state == State.PUBLISHED]
        first = [entry for entry in entries if not entry.supersedes_id]
        newest = max(public or first, key=lambda entry: (entry.revision, entry.pk), default=None)
        self.stored = newest
        self.pending = next(
            (entry for entry in entries if entry.supersedes_id and entry not in public), None
        )
        self.prefix = f"{self.prefix_kind}-{subject.code}"
        self.notices: list[str] = []
        self.reading, self.warnings = "", []
        #: Whether the row was refused because it has warnings and no answer to them.
        self.is_unanswered = False
        self.form = self._form(sheet.data, sheet.files) if self.is_open else None

    @abstractmethod
    def _form(self, data, files) -> RowForm:
        """The fields of the line, with what was typed if anything was."""

    @abstractmethod
    def initial(self) -> dict[str, str]:
        """The stored entry as the texts of the form's fields."""

    @abstractmethod
    def fill(self, row: Submission) -> None:
        """Write what was typed to ``row``."""

    @abstractmethod
    def new(self) -> Submission:
        """An entry of this round that says nothing yet."""

    @property
    def is_open(self) -> bool:
        return self.stored is None or self.stored.is_editable

    @property
    def is_entered(self) -> bool:
        """Whether review has it, or had it."""
        return not self.is_open

    @property
    def name(self) -> str:
        return str(self.subject)

    @property
    def seen(self) -> str:
        """The version on the page, and a mark of the texts, to know later who changed what."""
        return f"{self._version}:{_mark(self.initial().values())}"

    @property
    def _version(self) -> str:
        return workflow.seen_version(self.stored)

    # What was sent

    @property
    def was_sent(self) -> bool:
        return f"{self.prefix}-seen" in self.sheet.data

    @property
    def is_stale(self) -> bool:
        """Whether somebody stored another version since the page was made."""
        seen = self.sheet.data[f"{self.prefix}-seen"].partition(":")[0]
        return seen != self._version

    @cached_property
    def is_touched(self) -> bool:
        """Whether this person changed anything in the row."""
        form = self.form or self._form(self.sheet.data, self.sheet.files)
        mark = self.sheet.data[f"{self.prefix}-seen"].partition(":")[2]
        return (
            _mark(map(form.typed, self.initial())) != mark
            or bool(form.new_file)
            or bool(form.typed("remove_file"))
        )

    def check(self, submitting: bool) -> None:
        """Find what speaks against saving: leaves it in ``notices`` and in the form's errors."""
        if not self.was_sent:
            self._forget()
        elif self.form is None:
            if self.is_touched:
                self.notices.append(self._closed())
        elif not self.is_stale:
            self.form.is_valid()
        elif not self.is_touched:
            # Somebody else works on the same sheet: their row stands, and is shown.
            self._forget()
            if submitting and self.stored:
                self.notices.append(
                    _("%(who)s changed this row meanwhile; look at it, then submit again.")
                    % {"who": _who(self.stored)}
                )
        else:
            self.form.is_valid()
            self._report_conflict()

    def _forget(self) -> None:
        """Show what is stored instead of what was sent."""
        if self.form:
            self.form = self._form(None, None)

    @property
    def typed_text(self) -> str:
        """All that was typed in the row, in one line."""
        typed = self._form(self.sheet.data, self.sheet.files)
        return "; ".join(filter(None, map(typed.said, typed.texts)))

    @property
    def stored_text(self) -> str:
        """The stored entry in one line; empty without one."""
        if not self.stored:
            return ""
        stored = self.initial()
        return "; ".join(filter(None, (str(stored[name]) for name in self.texts)))

    def _closed(self) -> str:
        return _("This row is “%(state)s” by now, so what you typed was not saved: %(typed)s") % {
            "state": self.stored.get_state_display(),
            "typed": self.typed_text,
        }

    def _report_conflict(self) -> None:
        if self.stored is None:
            self.notices.append(
                _("Somebody removed this row meanwhile. What you typed is still here; save again "
                  "to enter it anew.")
            )  # fmt: skip
            return
        stored = self.initial()
        if {name: self.form.typed(name) for name in stored} == stored and not self.form.new_file:
            return
        typed = {
            field: self.form.typed(name)
            for name, field in self.fields.items()
            if self.form.typed(name) != stored[name]
        }
        if "happened_on" in typed:
            typed["happened_on"] = self.form.cleaned_data.get("happened_on")
        self.notices.append(workflow.what_changed(self.stored, typed))

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """(field, the field's id, what is wrong) of all that keeps the row from being saved."""
        found = [("", self.prefix, notice) for notice in self.notices]
        if self.form and self.form.is_bound:
            for name, messages_ in self.form.errors.items():
                field = self.form[name]
                found += [(field.label, field.id_for_label, message) for message in messages_]
        return found

    @property
    def lost_file(self) -> str:
        """The name of a chosen file that the browser must be given again."""
        chosen = self.form.new_file if self.form and self.form.is_bound else None
        return chosen.name if chosen else ""

    def save(self, *, by) -> str:
        """Store what was typed; says what was done: saved, removed or nothing."""
        if self.form is None or not self.form.is_bound:
            return ""
        if self.form.is_blank:
            if not self.stored:
                return ""
            workflow.delete(self.stored, by=by)
            return "removed"
        if not self.is_touched:
            return ""
        self._store(by=by)
        return "saved"

    @property
    def is_handed_in(self) -> bool:
        """Whether what is stored after ``save`` is to be submitted."""
        return bool(self.form and self.form.is_bound and not self.form.is_blank)

    def save_draft(self, *, by, sitting: str) -> bool:
        """Store what was typed as a draft, unless the row is empty; whether anything was stored.

        Whoever has emptied a row may be about to type it anew, so that removes nothing.
        """
        is_sent = self.form is not None and self.form.is_bound
        if not is_sent or self.form.is_blank or not self.is_touched:
            return False
        self._store(by=by, sitting=sitting)
        return True

    def _store(self, **how) -> None:
        row = self.stored or self._new_entry()
        self.fill(row)
        if self.form.new_file:
            row.evidence_file = self.form.new_file
        elif self.form.cleaned_data["remove_file"]:
            row.evidence_file = ""
        workflow.save(row, seen=row.version if self.stored else None, **how)
        self.stored = row

    def _new_entry(self) -> Submission:
        """As ``new``, of the kind that was typed."""
        return self.new()

    # What is shown

    @property
    def state(self) -> str:
        return sign_off.state_text(self.stored) if self.stored else _("not entered")

    @property
    def state_code(self) -> str:
        return self.stored.state if self.stored else "none"

    @property
    def icon(self) -> str:
        return STATE_ICONS[self.stored.state] if self.stored else "○"

    @property
    def file_url(self) -> str:
        return evidence_url(self.stored) if self.stored else ""

    @property
    def has_more(self) -> bool:
        """Whether note and evidence are worth unfolding."""
        if self.form and self.form.is_bound:
            names = set(self.form.texts) & {"note", "evidence_url", "reason"}
            wrong = self.form.errors.keys() - {"figure"}
            if any(map(self.form.typed, names)) or wrong or self.form.new_file:
                return True
        kept = (self.file_url, self.evidence_link, self._note, self.is_without)
        return bool(self.stored and any(kept))

    #: Whether the stored entry says that there is no figure.
    is_without = False

    @property
    def evidence_link(self) -> str:
        return getattr(self.stored, "evidence_url", "")

    @property
    def _note(self) -> str:
        return getattr(self.stored, "note", "")

    @property
    def return_reason(self) -> str:
        """Why the entry or its correction came back; empty unless it is returned now."""
        row = self.pending or self.stored
        return row.return_reason if row and row.state == State.RETURNED else ""

    @property
    def link(self) -> tuple[str, str] | None:
        """Where a row goes on that is closed here: (address, words)."""
        if self.form:
            return None
        if self.pending:
            state = self.pending.get_state_display()
            words = _("Correction under way: %(state)s") % {"state": state}
            return change_url(self.pending), words
        if self.stored.state == State.PUBLISHED:
            return step_url(self.stored, "correct"), _("Correct it")
        if self.stored.state == State.SUBMITTED:
            return step_url(self.stored, "recall"), _("Take it back")
        return change_url(self.stored), _("Look at it")


class FigureRow(SheetRow):
    prefix_kind = "figure"
    taken = gettext_lazy("This figure is recorded already for the same period and source.")
    texts = FigureForm.texts
    fields = {
        "figure": "as_written",
        "certainty": "certainty",
        "note": "note",
        "evidence_url": "evidence_url",
        "answer": "warning_answer",
    }

    def __init__(
        self, sheet, subject: Indicator, entries: list[Observation], without: list[NoFigure]
    ):
        #: What is public of this round instead of a figure: one that comes yet is still taken.
        self.without = next(
            (
                row
                for row in sorted(without, key=lambda row: -row.revision)
                if row.state == State.PUBLISHED
            ),
            None,
        )
        if not entries and not self.without:
            entries = without
        super().__init__(sheet, subject, entries)

    def _form(self, data, files):
        return FigureForm(data, files, prefix=self.prefix, initial=self.initial(), row=self)

    @property
    def is_without(self) -> bool:
        return isinstance(self.stored, NoFigure)

    @property
    def _version(self):
        # Of the two kinds of entries each counts its own versions.
        return f"{super()._version}{'-' if self.is_without else ''}"

    def initial(self):
        found = dict.fromkeys((*self.texts, "certainty"), "")
        found["certainty"] = Certainty.ACTUAL
        if self.is_without:
            return found | {"reason": self.stored.reason, "note": _plain_lines(self.stored.note)}
        if self.stored:
            fields = self.fields.items()
            found |= {name: _plain_lines(getattr(self.stored, field)) for name, field in fields}
        return found

    @property
    def stored_text(self):
        if not self.is_without:
            return super().stored_text
        return "; ".join(filter(None, [self.stored.text, self.stored.note]))

    def new(self):
        return new_entry(self.subject, self.sheet.round, self.sheet.department)

    def why_not_without(self) -> str:
        """Why it cannot be said of this row that there is no figure; empty if it can."""
        if self.without:
            return _("It is public already that there is no figure: correct that instead.")
        row = new_no_figure(self.subject, self.sheet.round, self.sheet.department)
        return row.why_not_public(timezone.localdate())

    def keeps_file(self, is_removed: bool) -> bool:
        return bool(self.file_url) and not is_removed

    def _report_conflict(self):
        if self.stored is None or not (self.is_without or self.form.typed("reason")):
            super()._report_conflict()
        elif {name: self.form.typed(name) for name in self.initial()} != self.initial():
            self.notices.append(
                _("%(who)s changed this row while you were editing: “%(stored)s”. What you typed "
                  "is still here; save again to keep it.")
                % {"who": _who(self.stored), "stored": self.stored_text}
            )  # fmt: skip

    def _store(self, **how):
        """A figure takes the place of the draft that there is none, and the other way round."""
        old = self.stored
        is_other = old is not None and bool(self.form.cleaned_data["reason"]) != self.is_without
        try:
            with transaction.atomic():
                if is_other:
                    workflow.delete(old, by=how["by"])
                    self.stored = None
                super()._store(**how)
        except (workflow.TransitionError, IntegrityError):
            self.stored = old
            raise

    def _new_entry(self):
        if self.form.cleaned_data["reason"]:
            return new_no_figure(self.subject, self.sheet.round, self.sheet.department)
        return self.new()

    def fill(self, row):
        data, entry = self.form.cleaned_data, self.form.entry
        if isinstance(row, NoFigure):
            row.reason, row.note = data["reason"], data["note"]
            return
        row.as_written = data["figure"]
        row.value, row.qualifier = entry.value, entry.qualifier
        row.certainty = data["certainty"]
        row.note, row.evidence_url = data["note"], data["evidence_url"]
        self._answer(row)

    def _answer(self, row: Observation) -> None:
        row.warning_answer = self.form.answer_text
        row.is_answered_anew = self.form.is_answered_anew

    @property
    def asks_answer(self) -> bool:
        """Whether the page has room for an answer: there are warnings, or one was given."""
        return bool(self.form and (self.warnings or self.form["answer"].value()))

    @property
    def answered(self) -> str:
        """The figure beside which the page shows an answer, and a mark of that answer."""
        shown = self.shown()
        answer = self.form["answer"].value() or ""
        return f"{plain(shown.value)}:{_mark([answer]) if answer else ''}" if shown else ""

    def check_answered(self, warnings: list[str]) -> None:
        """Leave it in ``errors`` if what was typed has ``warnings`` and no answer."""
        is_typed = self.form and self.form.is_bound and self.form.entry and not self.errors
        if is_typed and warnings and not self.shown().warning_answer:
            self.is_unanswered = True

    def empty_answer(self) -> None:
        """Leave the room for the answer empty: what stood there was about another figure."""
        self.form.data = self.form.data.copy()
        self.form.data[self.form.add_prefix("answer")] = ""

    @property
    def errors(self):
        found = super().errors
        if self.is_unanswered:
            field = self.form["answer"]
            message = _(
                "The figure looks unusual. Say below it in a few words why it is right, or mend it."
            )
            found.append((field.label, field.id_for_label, message))
        return found

    @property
    def latest(self) -> Observation | None:
        return self.subject.latest

    @property
    def latest_text(self) -> str:
        return observed_text(self.latest, self.subject.unit)

    @property
    def latest_period(self) -> str:
        return period_text(self.latest.period_start, self.latest.period_end)

    @property
    def year_before_text(self) -> str:
        """The value of the same period of the year before, with its period; empty without one."""
        start, end = self.period
        now = Observation(indicator=self.subject, period_start=start, period_end=end)
        same = same_period_before(self.subject.kind, now, self.subject.public_values)
        if same is None or same == self.latest:
            return ""
        period = period_text(same.period_start, same.period_end)
        return f"{observed_text(same, self.subject.unit)} {period}"

    @cached_property
    def period(self):
        row = self.stored or self.new()
        return row.period_start, row.period_end

    @property
    def period_text(self) -> str:
        return period_text(*self.period)

    @property
    def figure_text(self) -> str:
        if self.is_without:
            return self.stored.text
        return observed_text(self.stored, self.subject.unit)

    @property
    def is_entered(self):
        return super().is_entered or self.without is not None

    @property
    def state(self):
        return super().state if self.stored or not self.without else self.without.text

    @property
    def link(self):
        found = super().link
        if found is None and self.without:
            return change_url(self.without), _("Look at it")
        return found

    def shown(self) -> Observation | None:
        """The value on the page: as typed if it can be read, else as stored."""
        if self.form is None or not self.form.is_bound:
            return None if self.is_without else self.stored
        if self.form.entry is None:
            return None
        row = self.new()
        row.period_start, row.period_end = self.period
        row.as_written = self.form.typed("figure")
        row.value, row.qualifier = self.form.entry.value, self.form.entry.qualifier
        row.certainty = self.form.typed("certainty") or Certainty.ACTUAL
        self._answer(row)
        if self.stored and not self.is_without:
            row.pk = self.stored.pk
            row.take_the_place_of(self.stored)
        return row

    def show_reading(self, row: Observation) -> None:
        """Say how the text was read, unless it says so itself."""
        unit, text = self.subject.unit, row.as_written
        # In the indicator's own unit, for a reader of English too.
        with override("zh-hans"):
            value = figure_text(row.value, unit, row.qualifier)
        number = text.removesuffix(unit.name).strip()
        if text == value or number in {plain(row.value), plain(row.value, True)}:
            return
        try:
            typed_in = read_entry(text, unit, self.sheet.units).converted_from
        except QuantityError:
            return
        if typed_in:
            self.reading = _("Read as %(value)s (from %(text)s).") % {"value": value, "text": text}
        else:
            self.reading = _("Read as %(value)s.") % {"value": value}


class NoteRow(SheetRow):
    prefix_kind = "note"
    taken = gettext_lazy("Somebody saved at the same moment, so this note was not: save again.")
    texts = NoteForm.texts
    fields = {"happened_on": "happened_on", "text": "text", "evidence_url": "evidence_url"}

    def _form(self, data, files):
        return NoteForm(data, files, prefix=self.prefix, initial=self.initial())

    def initial(self):
        if not self.stored:
            return dict.fromkeys(self.fields, "")
        day = self.stored.happened_on.isoformat()
        return {
            "happened_on": day,
            "text": _plain_lines(self.stored.text),
            "evidence_url": self.stored.evidence_url,
        }

    def new(self):
        return ProgressNote(measure=self.subject, round=self.sheet.round)

    def fill(self, row):
        data = self.form.cleaned_data
        row.happened_on, row.text = data["happened_on"], data["text"]
        row.evidence_url = data["evidence_url"]

    @property
    def latest(self) -> ProgressNote | None:
        return self.subject.loaded_notes[0] if self.subject.loaded_notes else None


def _who(row: Submission):
    return row.changed_by or row.entered_by


def _plain_lines(text: str | date) -> str:
    return "\n".join(str(text).strip().splitlines())


def _mark(texts) -> str:
    return sha256("\x1f".join(map(str, texts)).encode()).hexdigest()[:16]
