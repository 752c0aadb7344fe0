from django.urls import path

from . import (
    about,
    checks,
    choose,
    compare,
    components,
    counted,
    display,
    embed,
    find,
    indicator,
    measure,
    money,
    no_figures,
    open_data,
    record_files,
    section,
    vintages,
)
from .changes import feeds
from .changes import page as changes
from .departments import page as departments
from .lists.pages import IndicatorList, MeasureList, TargetList
from .overview import page as overview
from .packs import page as packs
from .questions import page as questions

files = [
    path(f"data/{name}", open_data.for_everybody(view), name=name)
    for name, view in (
        ("observations.csv", open_data.observations),
        ("indicators.csv", open_data.indicators),
        ("measures.csv", open_data.measures),
        ("targets.csv", open_data.targets),
        ("evaluations.csv", open_data.evaluations),
        ("no_figures.csv", no_figures.no_figures),
        ("checks.csv", record_files.checks),
        ("notes.csv", record_files.notes),
        ("definitions.csv", record_files.definitions),
        ("vintages.csv", vintages.vintages),
        ("datapackage.json", open_data.datapackage),
    )
]
pages = [
    path("", overview.page, name="overview"),
    path("opinions/<slug:code>/", overview.page, name="opinion"),
    path("opinions/<slug:code>/sections/<int:order>/", section.page, name="opinion-section"),
    path("sections/<int:order>/", section.page, name="section"),
    path("measures/", MeasureList.as_view(), name="measures"),
    path("measures/<slug:code>/", measure.page, name="measure"),
    path("indicators/", IndicatorList.as_view(), name="indicators"),
    path("indicators/<slug:code>/", indicator.page, name="indicator"),
    path(
        "indicators/<slug:code>/chart.<slug:file_format>",
        indicator.chart,
        name="indicator-chart",
    ),
    path("compare/", choose.page, name="choose"),
    path("compare/chart.<slug:file_format>", choose.chart, name="choose-chart"),
    path("compare/<slug:category>/", compare.page, name="compare"),
    path(
        "compare/<slug:category>/<slug:quantity>.<slug:file_format>",
        compare.chart,
        name="compare-chart",
    ),
    path("departments/", departments.listing, name="departments"),
    path("departments/<slug:code>/", departments.page, name="department"),
    path("money/", money.page, name="money"),
    path("counted/<slug:category>/", counted.page, name="counted"),
    path("embed/indicators/<slug:code>/", embed.indicator, name="embed-indicator"),
    path("embed/compare/<slug:category>/<slug:quantity>/", embed.compare, name="embed-compare"),
    path("checks/", checks.page, name="checks"),
    path("questions/", questions.page, name="questions"),
    path("targets/", TargetList.as_view(), name="targets"),
    path("changes/", changes.page, name="changes"),
    path("changes/feed/", feeds.publications, name="feed"),
    path("changes/feed/<slug:kind>/<slug:key>/", feeds.publications, name="feed-of"),
    path("display/", display.choose, name="display"),
    path("find/", find.page, name="find"),
    path("packs/", packs.page, name="packs"),
    path("packs/pack.<slug:file_format>", packs.file, name="pack-file"),
    path("method/", about.method, name="method"),
    path("method/components/", components.page, name="components"),
    path("accessibility/", about.accessibility, name="accessibility"),
    path("data/", about.data, name="data"),
]
