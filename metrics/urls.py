from django.urls import path

from . import compare, views

app_name = "metrics"
urlpatterns = [
    path("indicators/", views.IndicatorList.as_view(), name="indicators"),
    path("indicators/<slug:code>/", views.indicator, name="indicator"),
    path(
        "indicators/<slug:code>/chart.<slug:file_format>",
        views.indicator_chart,
        name="indicator-chart",
    ),
    path("compare/<slug:category>/", compare.page, name="compare"),
    path(
        "compare/<slug:category>/<slug:quantity>.<slug:file_format>",
        compare.chart,
        name="compare-chart",
    ),
    path("checks/", views.checks, name="checks"),
    path("targets/", views.TargetList.as_view(), name="targets"),
]
