"""The editors' desk: figures from draft to correction, and what holds for every page of it."""

import csv
import re
from datetime import date
from decimal import Decimal
from io import StringIO
from itertools import zip_longest

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import (
    browser_of,
    desk,
    errors,
    fill_in,
    filled_in,
    publish_what_waits,
    take_step,
)
from baoshan_portal.tests.slices import WHOLE, one_way_each, some
from measures.access import ADMINISTRATOR, EDITOR, REVIEWER
from measures.models import (
    Department,
    Evaluation,
    Measure,
    MeasureState,
    Opinion,
    OpinionStage,
    ProgressNote,
    Report,
    Revision,
    Round,
    Section,
    SignOffRule,
    Synonym,
    Theme,
    Threshold,
    TrailEvent,
    User,
    Withdrawal,
)
from measures.revisions import is_public
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_evaluation,
    make_measure,
    make_note,
    make_opinion,
    make_report,
    make_revision,
    make_round,
    make_section,
    make_sign_off_rule,
    make_staff,
    make_stage,
    make_state,
    make_superuser,
    make_synonym,
    make_theme,
    make_user,
    the_threshold,
)
from measures.workflow import TransitionError, correct, submit, submit_all
from metrics.models import (
    Check,
    CompulsoryPair,
    Indicator,
    NoFigure,
    Observation,
    Plan,
    TableMapping,
    Target,
    Unit,
    UsualBounds,
)  # fmt: skip
from metrics.rules.choices import Qualifier
from metrics.tests.factories import (
    make_bounds,
    make_indicator,
    make_money,
    make_no_figure,
    make_observation,
    make_pair,
    make_plan,
    make_table_mapping,
    make_target,
    make_unit,
    make_whole_check,
    make_withdrawal,
)

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.english]


def make_event():
    return TrailEvent.objects.create(actor_name="li", action="entered")


MAKERS = {
    User: make_user,
    Department: make_department,
    Opinion: make_opinion,
    Report: make_report,
    Section: make_section,
    Theme: make_theme,
    Measure: make_measure,
    Round: make_round,
    Synonym: make_synonym,
    ProgressNote: make_note,
    OpinionStage: make_stage,
    Evaluation: make_evaluation,
    MeasureState: make_state,
    Revision: make_revision,
    Withdrawal: lambda: make_withdrawal(make_note(published=ISSUED)),
    TrailEvent: make_event,
    Unit: make_unit,
    Indicator: make_indicator,
    Observation: make_observation,
    NoFigure: make_no_figure,
    Plan: make_plan,
    Target: make_target,
    Check: make_whole_check,
    Threshold: the_threshold,
    SignOffRule: make_sign_off_rule,
    TableMapping: make_table_mapping,
    UsualBounds: make_bounds,
    CompulsoryPair: make_pair,
}
OURS = [model for model in admin.site._registry if model._meta.app_label in {"measures", "metrics"}]
each_model = pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)


def some_models(first: int):
    """Each ninth of the models: what the matrix tries with all of them is one piece of code."""
    models = some(OURS, every=9, first=first)
    return pytest.mark.parametrize("model", models, ids=lambda model: model.__name__)


#: Choices of one filter.
MANY = 12
YEAR = {"period_start": "2022-01-01", "period_end": "2022-12-31", "source_name": "区科委季报"}


@pytest.fixture
def admin_user():
    """Whoever is signed in with ``admin_client``."""
    return make_superuser()


def addresses_about(row) -> list[str]:
    """Every address of the admin that is about rows of that kind."""
    steps = ("submit", "publish", "return", "correct", "withdraw")
    found = []
    for pattern in admin.site._registry[type(row)].get_urls():
        if pattern.name:
            names = pattern.pattern.converters
            for step in steps if "step" in names else [""]:
                kwargs = {name: step if name == "step" else row.pk for name in names}
                found.append(reverse(f"admin:{pattern.name}", kwargs=kwargs))
    return found


def test_every_model_at_the_desk_is_tested():
    assert set(OURS) <= set(MAKERS)


# Every page


def pages_of(row) -> list[str]:
    """Every page of the admin that shows rows of that kind, in the language of the moment."""
    model = type(row)
    pages = [desk(model, "changelist"), desk(row, "change"), desk(row, "history")]
    # These begin on the page of what they change or withdraw, or are there from the start.
    without_form = {TrailEvent, Revision, Threshold, Withdrawal, TableMapping}
    pages += [desk(model, "add")] if model not in without_form else []
    # Accounts stay, because rows name them, and what is public stays for good.
    stays = model in {TrailEvent, User, TableMapping} or is_public(row)
    return pages + ([desk(row, "delete")] if not stays else [])


@pytest.mark.once("who sees which page is decided in Python")
@pytest.mark.sweep
@some_models(0)
def test_a_superuser_sees_every_page(model, admin_client):
    row, pages = MAKERS[model](), []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            pages += [(language, page) for page in pages_of(row)]
    # The matrix opens the same pages in English, and each list is searched below.
    first = OURS.index(model)
    tried = some(one_way_each(pages, first=first), every=3, first=first)
    for language, page in tried:
        answer = admin_client.get(page)
        assert answer.status_code == 200, page
        assert f'<html lang="{language}"' in answer.content.decode()


@pytest.mark.sweep
@each_model
def test_every_way_to_sort_and_filter_a_list_works(model, admin_client, admin_user, rf):
    MAKERS[model]()
    listing = desk(model, "changelist")
    request = rf.get(listing)
    request.user = admin_user
    shown = admin.site._registry[model].get_changelist_instance(request)
    # The first choice is to filter nothing, as the list does by itself.
    ways = [[choice["query_string"] for choice in spec.choices(shown)][1:]
            for spec in shown.filter_specs]  # fmt: skip
    # By all columns at once, in both directions.
    columns = range(1, len(shown.list_display) + 1)
    ways.append(["?o=" + ".".join(f"{sign}{column}" for column in columns) for sign in ("", "-")])
    # Each way to filter and to sort once, together with one of every other, by `make test-long`;
    # between two commits one, or of many some, and others of them on the other database.
    asked = list(zip_longest(*ways, fillvalue="?"))
    turn = OURS.index(model) + (connection.vendor == "postgresql")
    every = len(asked) if len(asked) < MANY else 9
    for together in some(asked, every=every, first=turn):
        query = "?q=a&" + "&".join(way.removeprefix("?") for way in together if way != "?")
        answer = admin_client.get(listing + query)
        # The admin answers what it cannot do by sending the reader to ?e=1.
        assert answer.status_code == 200, query


@runs_once.QUERIES
@pytest.mark.sweep
@pytest.mark.parametrize("model", some(OURS, every=2), ids=lambda model: model.__name__)
def test_more_rows_take_no_more_queries(model, admin_client):
    # Every list has columns of its own; a form asks for what can be chosen, as many do.
    has_form = WHOLE or OURS.index(model) % 4 == 0

    def queries():
        counts = []
        form = [desk(model.objects.first(), "change")] if has_form else []
        for page in (desk(model, "changelist"), *form):
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert admin_client.get(page).status_code == 200
            counts.append(len(captured))
        return counts

    rows = [MAKERS[model]() for _ in range(2)]
    # What is kept of them costs a query the first time only.
    ContentType.objects.get_for_models(*OURS)
    few = queries()
    rows += [MAKERS[model]() for _ in range(3)]
    assert queries() == few
    assert len(rows) == 5


@runs_once.QUERIES
@pytest.mark.parametrize("model", [Measure, ProgressNote, Indicator, Observation, Target])
def test_more_rows_take_no_more_queries_of_a_limited_user_either(model):
    office = make_department()
    editor = browser_of(make_staff(EDITOR, departments=[office]))

    def make():
        measure = make_measure(lead=office)
        if model is Measure:
            return measure
        if model is ProgressNote:
            return make_note(measure=measure)
        indicator = make_indicator(measure=measure)
        return indicator if model is Indicator else MAKERS[model](indicator=indicator)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            page = editor.get(desk(model, "changelist"))
        return page.context["cl"].result_count, len(captured)

    for _ in range(3):
        make()
    queries()
    shown, few = queries()
    assert shown == 3
    for _ in range(3):
        make()
    assert queries() == (6, few)


# Strangers and staff without permission


@pytest.mark.once("who sees which page is decided in Python")
@pytest.mark.sweep
@some_models(3)
def test_strangers_are_sent_to_the_sign_in(model, client):
    row = MAKERS[model]()
    with translation.override("zh-hans"):
        addresses = addresses_about(row)
    asked = [(prefix, address) for prefix in ("", "/en") for address in addresses]
    visitors = (client, browser_of(make_user()))
    # The matrix tries both visitors at every page, too; there is one place that sends them away.
    first = OURS.index(model)
    for prefix, address in some(one_way_each(asked, first=first), every=6, first=first):
        for visitor in visitors:
            for answer in (visitor.get(prefix + address), visitor.post(prefix + address)):
                assert answer.status_code == 302
                assert answer.url.startswith(f"{prefix}/admin/login/?next="), address


@pytest.mark.once("who sees which page is decided in Python")
def test_strangers_are_sent_to_the_sign_in_from_the_pages_about_no_model_too(client):
    for page in ("index", "password_change", "jsi18n", "autocomplete"):
        answer = client.get(reverse(f"admin:{page}"))
        assert answer.url.startswith("/en/admin/login/"), page
    assert client.get("/admin/whatever/").url.startswith("/admin/login/")
    for model in set(admin.site._registry) - set(OURS):
        for page in ("changelist", "add"):
            assert "/admin/login/?next=" in client.get(desk(model, page)).url


@pytest.mark.once("permissions, of which the matrix is the rest")
@pytest.mark.sweep
@some_models(6)
def test_staff_without_a_permission_are_refused(model):
    row = MAKERS[model]()
    nobody = browser_of(make_user(is_staff=True, permissions=["measures.see_every_department"]))
    sent = {"post": "yes", "format": "0"}
    # Of a submission that belongs to no department not even the existence is told.
    is_hidden = getattr(model, "measure_path", "") is None
    refused = {302, 403, 404, 405} if is_hidden else {403, 405}
    asked = [(method, address) for method in ("get", "post") for address in addresses_about(row)]
    # So does the matrix at every page.
    first = OURS.index(model)
    for method, address in some(one_way_each(asked, first=first), every=5, first=first):
        answer = nobody.get(address) if method == "get" else nobody.post(address, sent)
        assert answer.status_code in refused, (method, address)
    assert model.objects.filter(pk=row.pk).exists()


@runs_once.RIGHTS
@pytest.mark.parametrize("model", [ProgressNote, Observation, Target])
def test_of_a_foreign_department_not_even_the_existence_is_told(model):
    row = MAKERS[model]()
    editor = browser_of(make_staff(EDITOR, departments=[make_department()]))
    for page in ("change", "delete", "history"):
        assert editor.get(desk(row, page)).status_code in {302, 403}
    for step in ("submit", "publish", "return", "correct"):
        assert editor.get(desk(row, "step", step)).status_code == 404
    assert editor.get(desk(model, "changelist")).context["cl"].result_count == 0


@runs_once.RIGHTS
def test_an_administrator_of_accounts_has_no_say_over_figures():
    row = make_observation(state=State.SUBMITTED)
    administrator = browser_of(make_staff(ADMINISTRATOR))
    for page in ("change", "delete"):
        assert administrator.get(desk(row, page)).status_code in {302, 403}
    assert administrator.get(desk(Observation, "changelist")).status_code == 403
    assert administrator.get(desk(Observation, "export")).status_code == 403


# From draft to correction


@pytest.fixture
def office():
    return make_department()


@pytest.fixture
def indicator(office):
    """An indicator in 亿元 of the office."""
    return make_indicator(measure=make_measure(lead=office), unit=make_money()["亿元"])


@pytest.fixture
def editor(office):
    return browser_of(make_staff(EDITOR, departments=[office]))


@pytest.fixture
def reviewer():
    return browser_of(make_staff(REVIEWER))


@runs_once.STEPS
def test_a_figure_from_draft_to_correction(indicator, editor, reviewer):
    answer = fill_in(
        editor, desk(Observation, "add"), indicator=indicator.pk, as_written="约5亿元", **YEAR
    )
    row = Observation.objects.get()
    assert answer.status_code == 302
    assert (row.value, row.qualifier, row.state) == (5, Qualifier.ABOUT, State.DRAFT)
    assert row.period_end == date(2022, 12, 31)

    take_step(editor, row, "submit")
    assert take_step(editor, row, "publish").status_code == 403
    assert not Observation.objects.published().exists()
    take_step(reviewer, row, "publish")
    assert list(Observation.objects.published()) == [row]

    assert editor.post(desk(row, "change"), {"as_written": "6亿元"}).status_code == 403
    assert editor.post(desk(row, "delete"), {"post": "yes"}).status_code == 403

    answer = take_step(editor, row, "correct", reason="笔误")
    draft = Observation.objects.get(supersedes=row)
    assert answer.url == desk(draft, "change")
    assert (draft.revision, draft.as_written, draft.source_name) == (2, "约5亿元", "区科委季报")
    fill_in(editor, desk(draft, "change"), as_written="5.2亿元", value="")
    take_step(editor, draft, "submit")
    assert Observation.objects.published().get().value == 5
    take_step(reviewer, draft, "publish")
    shown = Observation.objects.published().get()
    assert (shown.value, shown.qualifier) == (Decimal("5.2"), Qualifier.EXACT)
    assert (shown.revision, shown.correction_reason) == (2, "笔误")


@runs_once.RIGHTS
def test_even_a_superuser_does_not_publish_the_own_figure(admin_client, indicator):
    fill_in(
        admin_client, desk(Observation, "add"), indicator=indicator.pk, as_written="5亿元", **YEAR
    )
    row = Observation.objects.get()
    take_step(admin_client, row, "submit")
    assert take_step(admin_client, row, "publish").status_code == 403
    assert admin_client.post(desk(row, "step", "publish"), {"seen": "2"}).status_code == 403
    other = browser_of(make_superuser())
    assert take_step(other, row, "publish").status_code == 302
    row.refresh_from_db()
    assert row.state == State.PUBLISHED


@runs_once.RIGHTS
def test_whoever_changed_a_figure_does_not_publish_it(indicator, editor):
    row = make_observation(indicator=indicator, as_written="5亿元")
    second = browser_of(make_superuser())
    fill_in(second, desk(row, "change"), as_written="50亿元", value="")
    take_step(editor, row, "submit")
    assert take_step(second, row, "publish").status_code == 403


@runs_once.STEPS
def test_a_figure_is_returned_with_a_reason_and_mended(indicator, editor, reviewer):
    row = make_observation(indicator=indicator, as_written="5亿元", state=State.SUBMITTED)
    answer = take_step(reviewer, row, "return", reason="")
    assert answer.context["form"].errors == {"reason": ["This field is required."]}
    take_step(reviewer, row, "return", reason="单位有误")
    assert "单位有误" in editor.get(desk(row, "change")).content.decode()
    fill_in(editor, desk(row, "change"), as_written="5万元", value="")
    row.refresh_from_db()
    assert (row.state, row.value) == (State.RETURNED, Decimal("0.0005"))
    take_step(editor, row, "submit")
    row.refresh_from_db()
    assert (row.state, row.return_reason) == (State.SUBMITTED, "")


@pytest.mark.once("the way of a figure, which goes it on both")
def test_a_target_goes_the_same_way(indicator, reviewer):
    steward = browser_of(make_superuser())
    plan = make_plan()
    fill_in(
        steward,
        desk(Target, "add"),
        indicator=indicator.pk,
        plan=plan.pk,
        claim="met-early",
        source_name="三年行动计划",
    )
    row = Target.objects.get()
    assert (row.value, row.due_on, row.claim) == (None, None, "met-early")
    take_step(steward, row, "submit")
    take_step(reviewer, row, "publish")
    assert list(Target.objects.published()) == [row]
    take_step(steward, row, "correct", reason="已公布")
    draft = Target.objects.get(supersedes=row)
    fill_in(steward, desk(draft, "change"), value="10")
    take_step(steward, draft, "submit")
    take_step(reviewer, draft, "publish")
    assert [target.value for target in Target.objects.published()] == [10]


# Typing a figure


@pytest.fixture
def add(admin_client, indicator):
    """Sends the form of a new figure, which is opened once, as somebody filled it in."""
    page = admin_client.get(desk(Observation, "add"))

    def add(**typed):
        sent = filled_in(page, **{"indicator": indicator.pk, **YEAR, **typed})
        return admin_client.post(desk(Observation, "add"), sent)

    return add


@runs_once.FORMS
def test_value_and_qualifier_are_read_from_the_figure(add):
    for typed, value, qualifier in (
        ("1100万元", "0.11", Qualifier.EXACT),
        ("５１．７９亿元", "51.79", Qualifier.EXACT),
        ("超过3亿元", "3", Qualifier.OVER),
        ("2", "2", Qualifier.EXACT),
    ):
        add(as_written=typed, source_name=f"台账，{typed}")
        row = Observation.objects.get(source_name__endswith=typed)
        assert (row.value, row.qualifier) == (Decimal(value), qualifier), typed


@runs_once.FORMS
def test_what_cannot_be_read_gets_a_sentence_beside_the_field(add):
    make_unit()
    for typed, sentence in (
        ("许多", "Expected one figure, such as 1475家"),
        ("5家", "This figure is in 家, but the indicator is counted in 亿元."),
        ("1元", "Converted to 亿元 this needs more than four decimals."),
        ("12,34亿元", "Separators must stand before every third digit"),
        ("", "This field is required."),
    ):
        answer = add(as_written=typed)
        assert answer.status_code == 200
        (message,) = errors(answer)["as_written"]
        assert message.startswith(sentence), typed
    assert not Observation.objects.exists()


@runs_once.FORMS
def test_a_value_that_contradicts_the_figure_is_refused_and_one_that_agrees_is_taken(add):
    answer = add(as_written="5亿元", value="6")
    assert errors(answer) == {
        "value": ["“5亿元” reads as 5 亿元; correct one or leave this empty."]
    }
    add(as_written="5亿元", value="5.0000")
    assert Observation.objects.get().value == 5


@runs_once.FORMS
def test_a_value_too_large_for_the_unit_gets_a_sentence(admin_client):
    money = make_money()
    answer = fill_in(
        admin_client,
        desk(Observation, "add"),
        indicator=make_indicator(unit=money["元"]).pk,
        as_written="99999999亿元",
        **YEAR,
    )
    assert answer.status_code == 200
    sentence = "At most 11 digits before and 4 after the decimal point are kept."
    assert errors(answer) == {"as_written": [sentence]}


@runs_once.FORMS
def test_a_row_that_contradicts_itself_gets_a_sentence(add):
    for more, sentence in (
        ({"period_start": "2023-01-01"}, "The period ends before it begins."),
        ({"source_name": ""}, "Name a report and the place in it, or another source"),
        ({"locator": "1.1/1"}, "Name a report and the place in it, or another source"),
    ):
        (message,) = errors(add(as_written="5亿元", **more))["__all__"]
        assert message.startswith(sentence), more


def test_a_figure_that_was_recorded_already_gets_a_sentence(add):
    add(as_written="5亿元")
    answer = add(as_written="5亿元")
    assert errors(answer) == {
        "__all__": ["This source's value of the indicator for this period is recorded already."]
    }
    assert Observation.objects.count() == 1


@runs_once.FORMS
def test_an_entry_beside_the_rounds_does_not_slip_past_their_locks(admin_client, admin_user):
    office = make_department()
    indicator = make_indicator(measure=make_measure(lead=office))
    period = {"period_start": date(2022, 10, 1), "period_end": date(2022, 12, 31)}
    locked = make_round(locked=True, name_en="Winter", **period)
    typed = {"indicator": indicator.pk, "as_written": "5家", **YEAR}

    answer = fill_in(admin_client, desk(Observation, "add"), **typed)
    assert errors(answer) == {
        "period_end": ["The round “Winter” takes no entry of this department."]
    }
    earlier = typed | {"period_start": "2021-01-01", "period_end": "2021-12-31"}
    assert fill_in(admin_client, desk(Observation, "add"), **earlier).status_code == 302

    locked.unlocks.create(department=office, reason="迟报", by=admin_user)
    assert fill_in(admin_client, desk(Observation, "add"), **typed).status_code == 302


@runs_once.FORMS
def test_a_value_that_nobody_touched_follows_the_figure(admin_client):
    public = make_observation(value=5, as_written="5家", published=ISSUED)
    draft = correct(public, by=make_user(), reason="漏计")

    answer = fill_in(admin_client, desk(draft, "change"), as_written="1,580家")
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert draft.value == 1580

    answer = fill_in(admin_client, desk(draft, "change"), as_written="1,590家", value="1500")
    assert errors(answer) == {
        "value": ["“1,590家” reads as 1590 家; correct one or leave this empty."]
    }


def test_a_draft_beside_the_rounds_is_not_submitted_past_their_locks(admin_client, admin_user):
    indicator = make_indicator(measure=make_measure(lead=make_department()))
    draft = make_observation(indicator=indicator, period_end=date(2022, 12, 31))
    make_round(
        locked=True, period_start=date(2022, 10, 1), period_end=date(2022, 12, 31), name_en="Winter"
    )

    answer = take_step(admin_client, draft, "submit")

    assert answer.status_code == 302
    assert Observation.objects.get(pk=draft.pk).state == State.DRAFT
    with pytest.raises(TransitionError, match="“Winter” takes no entry"):
        submit_all([draft], by=admin_user)


@runs_once.FORMS
def test_a_unit_rests_on_the_base_unit_of_its_own_quantity(admin_client):
    money = make_money()
    square_metre = make_unit(name="平方米", quantity="area")

    for base in (money["亿元"], square_metre):
        unit = Unit(
            code="ten-million", name="千万元", name_en="ten million yuan",
            quantity=money["元"].quantity, base=base, factor=10**7,
        )  # fmt: skip
        with pytest.raises(ValidationError, match="base unit of the same quantity"):
            unit.full_clean()
    unit.base = money["元"]
    unit.full_clean()


def test_a_target_that_was_recorded_already_gets_a_sentence(admin_client):
    first = make_target()
    answer = fill_in(
        admin_client,
        desk(Target, "add"),
        indicator=first.indicator_id,
        plan=first.plan_id,
        source_name="计划",
    )
    assert errors(answer) == {
        "__all__": ["This plan's target for the indicator and date is recorded already."]
    }


@runs_once.FORMS
@pytest.mark.parametrize("make", [make_observation, make_target])
def test_the_reason_of_a_correction_cannot_be_removed(make, admin_client, admin_user):
    draft = correct(make(published=ISSUED, value=5), by=admin_user, reason="笔误")
    answer = fill_in(admin_client, desk(draft, "change"), correction_reason="")
    assert errors(answer) == {
        "__all__": ["A correction names the row that it supersedes and the reason."]
    }


@pytest.mark.parametrize("make", [make_unit, make_indicator, make_plan])
@runs_once.FORMS
def test_a_code_is_set_once_and_never_changed(make, admin_client):
    row = make(code="first")
    page = admin_client.get(desk(row, "change"))
    assert "code" not in page.context["adminform"].form.fields
    assert "first" in page.content.decode()
    admin_client.post(desk(row, "change"), filled_in(page, code="second", name_en="Renamed"))
    publish_what_waits()
    row.refresh_from_db()
    assert (row.code, row.name_en) == ("first", "Renamed")


@runs_once.FORMS
def test_a_correction_that_puts_words_into_the_reports_mouth_is_told(admin_client, admin_user):
    public = make_observation(report=make_report(), locator="1.2/5", value=5, published=ISSUED)
    draft = correct(public, by=admin_user, reason="漏计")
    sentence = "The report was read as “5家” at this place."

    answer = fill_in(admin_client, desk(draft, "change"), as_written="6家", value="")
    assert answer.status_code == 302
    assert sentence in admin_client.get(desk(draft, "change")).content.decode()

    draft.refresh_from_db()
    submit(draft, by=admin_user)
    reviewer = browser_of(make_staff(REVIEWER))
    assert sentence in reviewer.get(reverse("admin:review")).content.decode()


@runs_once.FORMS
def test_a_correction_from_another_source_is_not_warned_of(admin_client, admin_user):
    public = make_observation(report=make_report(), locator="1.2/5", value=5, published=ISSUED)
    draft = correct(public, by=admin_user, reason="漏计")
    source = {"report": "", "locator": "", "source_name": "区科委台账"}

    answer = fill_in(admin_client, desk(draft, "change"), as_written="6家", value="", **source)
    assert answer.status_code == 302
    assert "The report was read as" not in admin_client.get(answer.url).content.decode()


@runs_once.FORMS
@pytest.mark.parametrize("make", [make_observation, make_target])
def test_the_unit_of_told_values_stays(make, admin_client):
    funds = make_indicator(unit=make_money()["亿元"])
    make(indicator=funds, published=ISSUED)
    wan, yi = Unit.objects.get(name="万元"), Unit.objects.get(name="亿元")

    answer = fill_in(admin_client, desk(funds, "change"), unit=wan.pk)
    assert errors(answer) == {
        "unit": ["Values are told in the unit until now: make a new indicator instead."]
    }
    page = admin_client.get(desk(yi, "change"))
    sent = filled_in(page, factor="1000", name="千元")
    answer = admin_client.post(desk(yi, "change"), sent)
    sentence = "Values are told in this unit: make a new unit instead."
    assert errors(answer) == {"name": [sentence], "factor": [sentence]}
    base = Unit.objects.get(name="元")
    assert errors(fill_in(admin_client, desk(base, "change"), name="角")) == {"name": [sentence]}

    assert Indicator.objects.get().unit == yi
    sent = filled_in(page, name_en="hundred million")
    assert admin_client.post(desk(yi, "change"), sent).status_code == 302


@runs_once.FORMS
def test_the_unit_can_be_mended_before_there_is_a_value(admin_client, indicator):
    wan = make_unit(name="户")
    assert fill_in(admin_client, desk(indicator, "change"), unit=wan.pk).status_code == 302
    assert fill_in(admin_client, desk(wan, "change"), factor="1").status_code == 302
    publish_what_waits()
    assert Indicator.objects.get().unit == wan


def test_every_change_of_the_structure_is_on_the_trail(admin_client, admin_user, indicator):
    fill_in(admin_client, desk(indicator, "change"), scope="新口径")
    assert not TrailEvent.objects.filter(subject_code=indicator.code).exists()
    publish_what_waits()

    event = TrailEvent.objects.get(subject_code=indicator.code)
    assert event.action == "changed"
    assert event.actor != admin_user
    assert "口径" in event.before
    assert event.after.endswith(": 新口径")
    assert "\n" not in event.after

    fill_in(admin_client, desk(indicator, "change"))
    publish_what_waits()
    assert TrailEvent.objects.filter(subject_code=indicator.code).count() == 1


def test_the_figures_of_a_check_are_on_the_trail(admin_client):
    check = make_whole_check()
    part = make_indicator(name="专利")
    page = admin_client.get(desk(check, "change"))
    typed = {"terms-TOTAL_FORMS": "3", "terms-2-role": "part", "terms-2-indicator": part.pk}
    for n, term in enumerate(check.terms.all()):
        typed |= {
            f"terms-{n}-id": term.pk, f"terms-{n}-check_of": check.pk, f"terms-{n}-role": term.role,
            f"terms-{n}-indicator": term.indicator_id,
        }  # fmt: skip
    admin_client.post(desk(check, "change"), filled_in(page, **typed))
    publish_what_waits()

    event = TrailEvent.objects.get(subject_code=check.code)
    assert "部分: 专利" in event.after
    assert "part: Part" not in event.before


def sentences_about_figures(response) -> list[str]:
    (formset,) = response.context["inline_admin_formsets"]
    return list(formset.formset.non_form_errors())


@runs_once.FORMS
def test_a_check_without_its_figures_is_refused_and_told_what_is_missing(admin_client):
    typed = {"code": "new", "name": "新", "name_en": "New", "kind": "part", "order": "7"}
    typed["comparable"] = "on"
    whole = make_indicator(name_en="Parks")
    figures = {
        "terms-TOTAL_FORMS": "1", "terms-INITIAL_FORMS": "0", "terms-0-role": "whole",
        "terms-0-indicator": whole.pk,
    }  # fmt: skip
    relation = "The relation “a part is at most the whole” lacks a figure"
    nothing = figures | {"terms-TOTAL_FORMS": "0"}
    answer = admin_client.post(desk(Check, "add"), typed | nothing)
    assert sentences_about_figures(answer) == [f"{relation}: part.", f"{relation}: whole."]
    answer = admin_client.post(desk(Check, "add"), typed | figures)
    assert sentences_about_figures(answer) == [f"{relation}: part."]

    loans = make_indicator(name_en="Loans", unit=make_money()["亿元"])
    figures |= {"terms-TOTAL_FORMS": "2", "terms-1-role": "part", "terms-1-indicator": loans.pk}
    (sentence,) = sentences_about_figures(admin_client.post(desk(Check, "add"), typed | figures))
    assert "does not compare with" in sentence and ("Loans" in sentence or "Parks" in sentence)
    assert not Revision.objects.exists()

    figures["terms-1-indicator"] = make_indicator().pk
    assert admin_client.post(desk(Check, "add"), typed | figures).status_code == 302
    assert not Check.objects.exists()
    publish_what_waits()
    assert Check.objects.published().get().code == "new"


@runs_once.RIGHTS
def test_nothing_public_is_deleted_at_the_desk(admin_client):
    plan = make_plan()
    assert admin_client.post(desk(plan, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [plan.pk], "post": "yes"}
    admin_client.post(desk(Plan, "changelist"), chosen)

    assert Plan.objects.filter(pk=plan.pk).exists()


# Lists and files


def test_the_list_of_indicators_shows_the_latest_public_value(admin_client, indicator):
    make_observation(indicator=indicator, value=Decimal("51.79"), published=ISSUED)
    make_observation(indicator=indicator, value=Decimal("99"), period_end=ISSUED)
    text = admin_client.get(desk(Indicator, "changelist")).content.decode()
    assert "CNY 5.179 billion" in text
    assert "9.9 billion" not in text


def exported(client, model, **query) -> list[dict]:
    """The rows of the CSV file that the export page gives when nothing on it is changed."""
    address = desk(model, "export", query=query)
    form = client.get(address).context["form"]
    formats = dict((name, number) for number, name in form.fields["format"].choices)
    ticked = [name for name, field in form.fields.items() if field.initial is True]
    sent = dict.fromkeys(ticked, "on") | {"format": formats["csv"], "resource": "0"}
    answer = client.post(address, sent)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))


@runs_once.FILES
def test_figures_are_exported_as_csv(admin_client, indicator):
    report = make_report(code="baofu")
    make_observation(
        code="revenue-2022",
        indicator=indicator,
        value=Decimal("5"),
        qualifier=Qualifier.ABOUT,
        as_written="约5亿元",
        report=report,
        locator="1.1/4",
        published=ISSUED,
    )
    (row,) = exported(admin_client, Observation)
    expected = {
        "code": "revenue-2022",
        "indicator": indicator.code,
        "unit": "亿元",
        "period_start": "2022-01-01",
        "period_end": "2022-12-31",
        "qualifier": "about",
        "as_written": "约5亿元",
        "report": "baofu",
        "locator": "1.1/4",
        "state": "published",
        "revision": "1",
    }
    assert {name: row[name] for name in expected} == expected
    assert Decimal(row["value"]) == 5


@runs_once.FILES
def test_an_export_holds_what_the_list_shows(admin_client):
    make_observation(code="draft")
    make_observation(code="public", published=ISSUED)
    codes = [row["code"] for row in exported(admin_client, Observation, state__exact="published")]
    assert codes == ["public"]


@runs_once.RIGHTS
def test_an_editor_exports_the_own_department_only(indicator, editor):
    make_observation(code="own", indicator=indicator)
    make_observation(code="foreign")
    assert [row["code"] for row in exported(editor, Observation)] == ["own"]


@runs_once.QUERIES
@pytest.mark.parametrize("model", [Indicator, Observation])
def test_an_export_takes_the_same_queries_for_more_rows(model, admin_client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            rows = exported(admin_client, model)
        return len(rows), len(captured)

    for _ in range(3):
        MAKERS[model]()
    queries()
    rows, few = queries()
    for _ in range(3):
        MAKERS[model]()
    assert queries() == (rows + 3, few)


@runs_once.PAGES
def test_a_figure_in_review_offers_no_button_to_save(admin_client):
    page = admin_client.get(desk(make_observation(state=State.SUBMITTED), "change"))
    assert not re.search(r'name="(_save|_continue|_addanother|as_written)"', page.content.decode())
