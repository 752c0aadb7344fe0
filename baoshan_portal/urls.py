from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from . import changes, components, display, errors, feeds, find, open_data, overview, packs, views

# The files of the open-data contract have one address, whatever the reader's language.
urlpatterns = [
    path("data/observations.csv", open_data.observations, name="observations.csv"),
    path("data/indicators.csv", open_data.indicators, name="indicators.csv"),
    path("data/measures.csv", open_data.measures, name="measures.csv"),
    path("data/targets.csv", open_data.targets, name="targets.csv"),
    path("data/datapackage.json", open_data.datapackage, name="datapackage.json"),
    *i18n_patterns(
        path("", overview.page, name="overview"),
        path("sections/<int:order>/", views.section, name="section"),
        path("", include("measures.urls")),
        path("", include("metrics.urls")),
        path("changes/", changes.page, name="changes"),
        path("changes/feed/", feeds.publications, name="feed"),
        path("changes/feed/<slug:kind>/<slug:key>/", feeds.publications, name="feed-of"),
        path("display/", display.choose, name="display"),
        path("find/", find.page, name="find"),
        path("packs/", packs.page, name="packs"),
        path("packs/pack.<slug:file_format>", packs.file, name="pack-file"),
        path("method/", views.method, name="method"),
        path("method/components/", components.page, name="components"),
        path("accessibility/", views.accessibility, name="accessibility"),
        path("data/", views.data, name="data"),
        path("admin/", admin.site.urls),
        prefix_default_language=False,
    ),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
