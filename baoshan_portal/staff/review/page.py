"""The reviewer's desk: what was submitted beside what is public, to be published or returned."""

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from measures import access, workflow
from measures.fields import FormText
from measures.models import Department, Round
from measures.paging import page_or_404
from measures.submission import State, Submission
from measures.workflow import TransitionError

from ..typed import given_back
from .rows import KINDS, LOADERS, PLACES, ReviewRow, tell_returns

ROWS_PER_PAGE = 200


def urls(site) -> list:
    return [
        path("review/", site.admin_view(queue), name="review"),
        path(
            "review/<slug:kind>/<int:pk>/return/", site.admin_view(send_back), name="review-return"
        ),
    ]


class QueueFilter(forms.Form):
    department = forms.ModelChoiceField(
        Department.objects.none(),
        label=gettext_lazy("Department"),
        to_field_name="code",
        required=False,
        empty_label=gettext_lazy("all departments"),
    )
    round = forms.ModelChoiceField(
        Round.objects.all(),
        label=gettext_lazy("Round"),
        to_field_name="code",
        required=False,
        empty_label=gettext_lazy("all rounds"),
    )

    warned = forms.BooleanField(label=gettext_lazy("Only with warnings"), required=False)

    def __init__(self, data, user):
        super().__init__(data)
        departments = Department.objects.all()
        if not access.sees_every_department(user):
            departments = departments.filter(members=user)
        self.fields["department"].queryset = departments
        if not user.has_perm("measures.view_round"):
            self.fields["round"].queryset = Round.objects.none()


class ReasonForm(forms.Form):
    # It stands in the form that publishes, too, which needs no reason.
    use_required_attribute = False

    reason = FormText(
        label=gettext_lazy("Why it goes back"),
        help_text=gettext_lazy("Whoever entered it reads this in “My work”."),
        multiline=True,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": gettext_lazy("Whoever returns a row must say why.")},
    )


class ReturnForm(ReasonForm):
    """Of one row; what its reader saw goes along."""

    use_required_attribute = True

    seen = forms.CharField(widget=forms.HiddenInput)


def _reviews(user) -> bool:
    """Whether ``user`` may publish rows of any kind at all."""
    return any(
        user.has_perm(f"{model._meta.app_label}.publish_{kind}") for kind, model in KINDS.items()
    )


def _mine(user, queryset: QuerySet) -> QuerySet:
    """What waits for review, but not by ``user``, who entered or changed it."""
    rows = access.visible(user, queryset).filter(state=State.SUBMITTED)
    return rows.filter(Q(entered_by=user) | Q(changed_by=user))


def keys_of(user, choose, *, department=None, round=None) -> list[tuple]:
    """(department code, place …, kind, place, key) of every chosen row, in the page's order."""
    keys = []
    for kind, model in KINDS.items():
        if round and not hasattr(model, "round"):
            continue
        rows = choose(user, model.objects.all())
        to = model.measure_path
        if to is None:
            # What belongs to no department stands by itself, before the rows of departments.
            if not (department or round):
                days = rows.order_by().values_list(getattr(model, "day_field", "entered_at"), "pk")
                keys += [(" ", 0, 0, 0, 0, kind, str(day), pk) for day, pk in days]
            continue
        if department:
            rows = rows.filter(**{f"{to}__lead": department})
        if round:
            rows = rows.filter(round=round)
        place = rows.order_by().values_list(
            f"{to}__lead__code",
            f"{to}__theme__section__opinion",
            f"{to}__theme__section__order",
            f"{to}__theme__order",
            f"{to}__order",
            PLACES[model],
            "pk",
        )
        keys += [(code or "", *order, kind, last, pk) for code, *order, last, pk in place]
    # Rows of measures without a lead come last.
    return sorted(keys, key=lambda key: (not key[0], *key))


def load(keys) -> list[ReviewRow]:
    """The lines of ``keys`` in their order with all that they show; as many queries for any."""
    lines = {}
    for kind, model in KINDS.items():
        pks = [key[-1] for key in keys if key[-3] == kind]
        if pks:
            for line in LOADERS[kind](model.objects.filter(pk__in=pks)):
                lines[kind, line.row.pk] = line
    tell_returns(lines.values())
    # A row can have gone between the two queries.
    return [lines[key[-3], key[-1]] for key in keys if (key[-3], key[-1]) in lines]


def by_department(lines) -> list[tuple[Department | str | None, list[ReviewRow]]]:
    """The lines by department; the committee's word is of none and has its own heading."""
    groups: dict = {}
    for line in lines:
        whose = line.row.department if line.row.measure_path else _("The committee’s word")
        groups.setdefault(whose, []).append(line)
    return list(groups.items())


def queue(request):
    """All that waits for this reviewer, by department; what is ticked is published."""
    user = request.user
    if not _reviews(user):
        raise PermissionDenied
    form = QueueFilter(request.GET, user)
    valid = form.is_valid()
    here = _address(form) if valid else reverse("admin:review")
    typed, reason = given_back(request), ReasonForm()
    if typed:
        reason = ReasonForm(initial={"reason": typed.data.get("reason", "")})
    if request.method == "POST" and "return" not in request.POST:
        _publish_chosen(request)
        return redirect(here)
    if request.method == "POST":
        reason = ReasonForm(request.POST)
        if reason.is_valid():
            return_chosen(request, reason.cleaned_data["reason"], access.publishable)
            return redirect(here)
    wanted = dict(form.cleaned_data) if valid else {}
    only_warned = wanted.pop("warned", False)
    keys = keys_of(user, access.publishable, **wanted) if valid else []
    if only_warned:
        warned = {(line.kind, line.row.pk) for line in load(keys) if line.warnings}
        keys = [key for key in keys if (key[-3], key[-1]) in warned]
    paginator = Paginator(keys, ROWS_PER_PAGE)
    page = page_or_404(paginator, request.GET.get("page") or 1)
    own = keys_of(user, _mine, **wanted) if valid else []
    sent = typed.data if typed else request.POST
    context = {
        **admin.site.each_context(request),
        "title": _("Review"),
        "is_nav_sidebar_enabled": False,
        "filter": form,
        "here": here,
        "query": here.partition("?")[2],
        "page": page,
        "groups": by_department(load(page.object_list)),
        "all_chosen": request.GET.get("chosen") == "all",
        "chosen": sent.getlist("row"),
        "reason": reason,
        "own": load(own[:ROWS_PER_PAGE]),
        "own_count": len(own),
    }
    return TemplateResponse(request, "staff/review.html", context, status=200 if valid else 400)


def _address(form: QueueFilter) -> str:
    chosen = form.cleaned_data.items()
    query = urlencode({key: getattr(row, "code", "on") for key, row in chosen if row})
    return reverse("admin:review") + (f"?{query}" if query else "")


@transaction.atomic
def _publish_chosen(request) -> None:
    """Publish every ticked row that still is the version shown, and name each that is not.

    One transaction: whatever ends it before its end, nothing was published. Rows of a kind that
    ``stands_alone`` are published together where they stand together.
    """
    published = each_chosen(
        request,
        lambda row: workflow.publish(row, by=request.user),
        lambda rows: workflow.publish_all(rows, by=request.user),
        choose=access.publishable,
        nothing=_("Nothing was selected, so nothing was published."),
        refusal=_("Not published: %(row)s. %(why)s"),
    )
    if published:
        text = ngettext("%(n)d row was published.", "%(n)d rows were published.", published)
        messages.success(request, text % {"n": published})


@transaction.atomic
def return_chosen(request, reason: str, choose: Callable) -> None:
    """Return every ticked row that still is the version shown, for the same ``reason``; ``choose``
    as in ``each_chosen``."""
    returned = each_chosen(
        request,
        lambda row: workflow.send_back(row, by=request.user, reason=reason),
        choose=choose,
        nothing=_("Nothing was selected, so nothing was returned. You typed: %(reason)s")
        % {"reason": reason},
        refusal=_("Not returned: %(row)s. %(why)s"),
    )
    if returned:
        text = ngettext("%(n)d row was returned.", "%(n)d rows were returned.", returned)
        messages.success(request, text % {"n": returned})


def each_chosen(
    request,
    act: Callable[[Submission], None],
    act_together: Callable[[list[Submission]], dict[Submission, Exception]] | None = None,
    *,
    nothing: str,
    refusal: str,
    choose: Callable,
) -> int:
    """``act`` on each ticked row that is the version shown and that ``choose`` of ``access`` gives
    the user; for how many, all others are named.

    ``act_together`` does the same for many rows of one kind, and says which it refused and why.
    """
    tokens = list(dict.fromkeys(request.POST.getlist("row")))
    if not tokens:
        messages.error(request, nothing)
        return 0
    done, gone, refused = 0, False, {}
    for kind, some in _pieces(tokens, act_together is not None):
        found, may = _rows_of(request.user, kind, some, choose)
        ready = []
        for row, seen in found:
            if row is None:
                gone = True
                continue
            try:
                workflow.check_seen(row, seen)
                if row.pk not in may:
                    raise PermissionDenied(_why_not(request.user, row))
                if act_together is None or not row.stands_alone:
                    act(row)
                    done += 1
                else:
                    ready.append(row)
            except (TransitionError, PermissionDenied) as error:
                refused.setdefault(str(error), []).append(str(row))
        if ready:
            for row, error in (failed := act_together(ready)).items():
                refused.setdefault(str(error), []).append(str(row))
            done += len(ready) - len(failed)
    if gone:
        messages.error(request, _("A selected row no longer exists or is not yours to review."))
    # One sentence for all rows that somebody else was faster with.
    for why, rows in refused.items():
        names = pgettext("between filters", "; ").join(rows)
        messages.error(request, refusal % {"row": names, "why": why})
    return done


def _pieces(tokens: list[str], together: bool) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(kind, [(key, version)]) of ticked boxes in their order.

    Neighbours of a kind that ``stands_alone`` come ``together``; any other comes by itself, because
    what it does may decide on the next.
    """
    parts = ((*token.split(":", 2), "", "")[:3] for token in tokens)
    for kind, some in groupby(parts, itemgetter(0)):
        boxes = [(pk, seen) for _kind, pk, seen in some]
        if together and kind in KINDS and KINDS[kind].stands_alone:
            yield kind, boxes
        else:
            yield from ((kind, [box]) for box in boxes)


def _rows_of(user, kind: str, boxes: list[tuple[str, str]], choose: Callable):
    """The row of each box, None if ``user`` sees no such row, and the version that it showed; and
    the keys of those that ``choose`` gives ``user``. A few queries for any number."""
    keys = {pk: int(pk) for pk, _seen in boxes if pk.isdecimal() and len(pk) <= 18}
    if kind not in KINDS or not keys:
        return [(None, seen) for _pk, seen in boxes], set()
    model = KINDS[kind]
    # In no order: for the model's, SQLite would look for each key under each indicator.
    rows = access.visible(user, model.objects.filter(pk__in=keys.values())).order_by()
    told = [name for name in model.content_fields() if model._meta.get_field(name).is_relation]
    found = {row.pk: row for row in rows.select_related(*told)}
    may = choose(user, model._base_manager.filter(pk__in=found)).order_by()
    boxes = [(found.get(keys.get(pk)), seen) for pk, seen in boxes]
    return boxes, set(may.values_list("pk", flat=True))


def _why_not(user, row: Submission) -> str:
    return workflow.why_not_by(row, user) or _("You may not publish rows of this kind.")


def send_back(request, kind, pk):
    """One row goes back to whoever entered it, with the reason; on its own small page."""
    if not _reviews(request.user):
        raise PermissionDenied
    model = KINDS.get(kind)
    if model is None:
        raise Http404
    row = get_object_or_404(access.visible(request.user, model.objects.all()), pk=pk)
    if row.state == State.SUBMITTED and not access.may(request.user, access.publishable, row):
        raise PermissionDenied(_why_not(request.user, row))
    typed = given_back(request)
    data = typed.data if typed else request.POST or None
    form = ReturnForm(data, initial={"seen": workflow.seen_version(row)})
    back = _address_of_queue(request)
    if request.method == "POST" and form.is_valid():
        try:
            workflow.check_seen(row, form.cleaned_data["seen"])
            workflow.send_back(row, by=request.user, reason=form.cleaned_data["reason"])
        except TransitionError as error:
            # The newer row is shown beside the reason typed, to be sent for it if it still fits.
            form.add_error(None, str(error))
            form.data = form.data.copy()
            form.data["seen"] = workflow.seen_version(row)
        else:
            messages.success(request, _("Returned: %(row)s") % {"row": row})
            return redirect(back)
    # The queue's warnings compare the row with what waits beside it.
    shown = Q(pk=row.pk)
    if model.measure_path:
        shown |= Q(state=State.SUBMITTED, **{f"{model.measure_path}__lead": row.department})
    lines = LOADERS[kind](model.objects.filter(shown))
    line = next(line for line in lines if line.row.pk == row.pk)
    tell_returns([line])
    context = {
        **admin.site.each_context(request),
        "title": _("Return"),
        "is_nav_sidebar_enabled": False,
        "lines": [line],
        "line": line,
        "form": form,
        "back": back,
        "waiting": line.row.state == State.SUBMITTED,
    }
    status = 409 if form.non_field_errors() else 200
    return TemplateResponse(request, "staff/review_return.html", context, status=status)


def _address_of_queue(request) -> str:
    form = QueueFilter(request.GET, request.user)
    return _address(form) if form.is_valid() else reverse("admin:review")
