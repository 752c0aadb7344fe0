from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import path

from .operating import unavailable
from .public import errors, urls

urlpatterns = [
    # The files of the open-data contract have one address, whatever the reader's language.
    *urls.files,
    *i18n_patterns(
        *urls.pages,
        path("admin/", admin.site.urls),
        prefix_default_language=False,
    ),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = unavailable.server_error
