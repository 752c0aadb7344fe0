"""A view with one query behind the portal's own middleware, to measure pages beside."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "baoshan_portal.settings")

from django.conf import settings
from django.http import HttpResponse
from django.urls import path


def one(request):
    from measures.models import Section

    return HttpResponse(str(Section.objects.first()))


urlpatterns = [path("one/", one)]
settings.ROOT_URLCONF = __name__

from baoshan_portal.wsgi import application  # noqa: E402, F401
