from django.urls import path

from . import views

app_name = "metrics"
urlpatterns = [
    path("indicators/", views.IndicatorList.as_view(), name="indicators"),
    path("indicators/<slug:code>/", views.indicator, name="indicator"),
    path("checks/", views.checks, name="checks"),
    path("targets/", views.TargetList.as_view(), name="targets"),
]
