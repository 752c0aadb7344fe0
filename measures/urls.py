from django.urls import path

from . import views

app_name = "measures"
urlpatterns = [
    path("measures/", views.MeasureList.as_view(), name="measures"),
    path("measures/<slug:code>/", views.measure, name="measure"),
]
